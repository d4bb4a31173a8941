#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vicket {

/// Takes chunked framing (RFC 9112, 7.1) off a body, byte by byte where there is framing, in one piece where there is
/// content. Lines end with LF, with CR before it or not; blanks around a size, extensions and trailers are passed over.
class chunked_body {
public:
  /// More framing than this without content between is refused: one chunk's line, or the last one and the trailers.
  explicit chunked_body(std::size_t max_framing_bytes) : max_framing_bytes_{max_framing_bytes} {}

  /// Reads the beginning of `bytes`, up to the end of one piece of content at most, and says how much that was;
  /// `content` is that piece, or empty. Reads nothing once it is `finished` or `malformed`.
  std::size_t read(std::string_view bytes, std::string_view& content);

  [[nodiscard]] bool finished() const { return at_ == place::end; }
  [[nodiscard]] bool malformed() const { return at_ == place::malformed; }
  /// The last chunk has come: what may be missing are trailers.
  [[nodiscard]] bool content_finished() const {
    return at_ == place::trailer_begin || at_ == place::trailer || finished();
  }
  /// To the letter of the RFC, so far.
  [[nodiscard]] bool strict() const { return strict_; }
  /// `malformed` because of its length.
  [[nodiscard]] bool too_long() const { return malformed() && framing_bytes_ > max_framing_bytes_; }

private:
  enum class place : std::uint8_t {
    size_begin,
    size,
    size_end, ///< behind the digits
    extension,
    content,
    content_end, ///< the line end behind it
    trailer_begin,
    trailer,
    end,
    malformed
  };

  void read_framing(char c);
  void read_size(char c);
  void end_of_line();

  const std::size_t max_framing_bytes_;
  place at_ = place::size_begin;
  bool after_cr_ = false;
  bool strict_ = true;
  std::uint64_t left_ = 0;        ///< of the chunk's content
  std::size_t framing_bytes_ = 0; ///< since the last content
};

} // namespace vicket
