#pragma once

#include "messages/attempt.hpp"
#include "transport/answer_head.hpp"
#include "transport/chunked_body.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vicket {

/// Bounds of one answer; see `transport_options` for the numbers.
struct answer_limits {
  std::size_t max_header_bytes;
  std::uint64_t max_read_body_bytes;
  std::size_t max_kept_body_bytes;
};

/// Reads one HTTP/1.x answer from bytes as they come: skips 1xx answers, keeps the first bytes of the body, counts the
/// rest, and holds every bound. What it makes of the bytes does not depend on the pieces in which they come.
///
/// Decided here (docs/decisions/0009-answers.md):
/// - A status that is known is the verdict. A 2xx stays one whatever is wrong with what follows its head; any other
///   status stays `complete`, too, unless the framing of its body contradicts itself (`failed`: what the history would
///   show as the body is a guess).
/// - A body over `max_read_body_bytes` (chunk framing counted) is read no further: `over_cap`.
/// - A body without length ends with the stream. Where TLS ended without close_notify it may have been cut, and counts
///   as truncated.
/// - 101 is `failed`: nothing asked for another protocol. So is a head beyond its bound.
/// - Of what is no HTTP, the first bytes are kept as the body.
class answer_reader {
public:
  enum class state : std::uint8_t { reading, complete, over_cap, failed };

  enum class stream_end : std::uint8_t {
    in_order, ///< with a close_notify, or there is no TLS
    cut,      ///< TCP ended in order, TLS did not
    broken,   ///< reset, or given up
  };

  explicit answer_reader(const answer_limits& limits) : limits_{limits}, chunks_{limits.max_header_bytes} {}
  answer_reader(const answer_reader&) = delete;
  answer_reader& operator=(const answer_reader&) = delete;

  state consume(std::string_view bytes);

  /// Nothing more will come. `how` begins the sentence that says where the answer ended.
  state end_of_stream(stream_end end, const std::string& how = "closed the connection");

  [[nodiscard]] bool started() const { return started_; } ///< a first byte has come
  /// Of the final answer; after an interruption, as much of it as there is.
  [[nodiscard]] bool head_complete() const { return head_done_; }
  /// A whole head said 2xx.
  [[nodiscard]] bool success() const { return head_done_ && !head_cut_ && status() / 100 == 2; }
  /// It has ended where its own framing says.
  [[nodiscard]] bool whole() const {
    return state_ == state::over_cap || (state_ == state::complete && !odd_end_);
  }
  /// No answer can come of what there is: what follows is read to be shown.
  [[nodiscard]] bool no_http() const { return no_http_; }
  [[nodiscard]] std::uint16_t status() const { return head_.status; }
  [[nodiscard]] const std::string& retry_after() const { return head_.retry_after; }
  [[nodiscard]] std::uint64_t body_bytes() const { return body_bytes_; }
  [[nodiscard]] bool body_truncated() const { return cut_ || body_bytes_ > body_.size(); }
  [[nodiscard]] std::string take_body() { return std::move(body_); }
  /// Of an answer that is no 2xx.
  [[nodiscard]] kept_fields take_headers() { return std::move(headers_); }

  /// The connection can carry another request: a complete answer in strict form, HTTP/1.1, not `Connection: close`,
  /// nothing behind it, no content announced where none may be.
  [[nodiscard]] bool reusable() const { return reusable_; }
  /// The server says that it ends the connection.
  [[nodiscard]] bool says_close() const { return head_done_ && !head_.persistent; }

  /// Why it is `failed`: a predicate such as "sent a malformed response body (bad chunk)". Of a complete answer: what
  /// was odd about its end, or empty.
  [[nodiscard]] const std::string& error() const { return error_; }

private:
  std::size_t read_head(std::string_view bytes);
  std::size_t end_of_head(std::string_view text);
  void head_read(std::string_view head);
  void head_accepted(std::string_view head);
  std::size_t read_body(std::string_view bytes);
  std::size_t read_chunks(std::string_view bytes);
  void keep(std::string_view bytes);
  void keep_no_http(std::string_view bytes);
  void body_finished();
  void odd_end(const std::string& predicate);
  void fail(std::string predicate);
  void take_cut_head();
  [[nodiscard]] bool body_ends_with(stream_end end) const;
  [[nodiscard]] std::string where_it_ended() const;

  const answer_limits limits_;
  std::string partial_; ///< a head that has not ended; bounded by `max_header_bytes` and a read
  answer_head head_;
  chunked_body chunks_;
  kept_fields headers_;
  std::size_t line_begin_ = 0;          ///< in the head that is being read
  std::size_t searched_ = 0;            ///< no line end before it, from `line_begin_` on
  std::size_t header_bytes_ = 0;        ///< of the 1xx before this head
  std::uint64_t body_stream_bytes_ = 0; ///< with chunk framing
  std::uint64_t body_bytes_ = 0;
  state state_ = state::reading;
  bool started_ = false;
  bool has_status_line_ = false;
  bool no_http_ = false;
  bool head_done_ = false;
  bool head_cut_ = false;
  bool trusted_ = true; ///< nothing so far that rules the connection out
  bool reusable_ = false;
  bool cut_ = false;
  bool odd_end_ = false;
  std::string body_;
  std::string error_;
};

} // namespace vicket
