#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace vicket {

/// Lines of a file descriptor, read in pieces and without blocking the caller longer than it wants.
class line_source {
public:
  /// A longer line is handed out as `too_long`, its bytes skipped.
  static constexpr std::size_t max_line_bytes = 32u << 20;

  struct line {
    std::uint64_t number = 0; ///< from 1
    std::string text;         ///< without the line end
    bool too_long = false;
  };

  explicit line_source(int descriptor) : descriptor_{descriptor} {}

  /// The next line that is already here; nothing: none is complete yet, or all were taken.
  [[nodiscard]] std::optional<line> next();

  /// Reads once; blocks when nothing is readable. Call when `next` has nothing.
  void fill();

  /// Nothing more is handed out or read, as if the input had ended.
  void end();

  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] int descriptor() const { return descriptor_; }

private:
  int descriptor_;
  bool ended_ = false;
  bool skipping_ = false; ///< inside a line that is too long
  std::uint64_t number_ = 0;
  std::string buffer_;
  std::size_t start_ = 0;   ///< of the next line in `buffer_`
  std::size_t scanned_ = 0; ///< no line end before it
};

} // namespace vicket
