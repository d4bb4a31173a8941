#pragma once

#include "messages/ids.hpp"

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace vicket {

enum class colour { none, bold, dim, red, green, yellow };

/// Text from elsewhere, safe to show on a terminal: control characters are shown as `\x1b`, those that change the order in
/// which a line is read as `\u202e`, invalid UTF-8 as U+FFFD. Cut to `max_columns` with an ellipsis.
[[nodiscard]] std::string printable(std::string_view text, std::size_t max_columns = 200);

/// The same for a text of several lines, whose ends stay.
[[nodiscard]] std::string printable_lines(std::string_view text);

/// JSON with `\u` escapes for what JSON lets stand for itself and a terminal obeys, or shows in another order: DEL, C1
/// (U+0080 to U+009F), the bidirectional controls (Unicode's Bidi_Control), and the separators of lines and paragraphs,
/// U+2028 and U+2029. Other text stays as it is as well, so that
/// colours do.
[[nodiscard]] std::string with_escaped_controls(std::string text);

/// The first line of a response body, or an empty text.
[[nodiscard]] std::string first_line(std::string_view text, std::size_t max_columns);

/// `12.4 ms`, `1.250 s`; `4 m 12 s`, `3 d 4 h`.
[[nodiscard]] std::string show_duration_us(std::int64_t us);
[[nodiscard]] std::string show_age_ms(std::int64_t ms);
[[nodiscard]] std::string show_time(std::optional<timestamp_ms> time);

/// Standard output, as `with_escaped_controls` makes it. Colours only on a terminal and while NO_COLOR is not set. What is printed is buffered up
/// to `flush`; when nobody reads it any more (a closed pipe), the process ends.
class terminal {
public:
  explicit terminal(bool colours) : colours_{colours} {}

  /// Standard output as it is.
  [[nodiscard]] static terminal standard();
  [[nodiscard]] static bool is_interactive();

  [[nodiscard]] std::string paint(std::string_view text, colour how) const;
  void line(std::string_view text) const;
  /// Without a line's end, for a line that comes in pieces.
  void text(std::string_view text) const;
  void flush() const;

private:
  bool colours_;
};

/// How far something is that takes its time, on standard error: one line that is written over, and gone at the end. Only on
/// a terminal.
class progress_line {
public:
  explicit progress_line(std::ostream& out, bool is_terminal) : out_{out}, on_{is_terminal} {}
  /// Standard error as it is.
  [[nodiscard]] static progress_line standard();
  ~progress_line() { clear(); }
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;

  [[nodiscard]] bool is_seen() const { return on_; }
  void show(std::string_view text);
  void clear();

private:
  std::ostream& out_;
  bool on_;
  bool written_ = false;
};

/// Columns as wide as their widest cell.
class text_table {
public:
  struct cell {
    std::string text;
    colour how = colour::none;
  };

  explicit text_table(std::vector<std::string> header, std::vector<bool> right_aligned = {});

  void add(std::vector<cell> row);
  /// The header's is the first.
  [[nodiscard]] std::vector<std::string> lines(const terminal& out, std::string_view indent = "") const;
  /// Those that were not taken yet, for a table that is printed as it comes: the columns of later rows are as wide as those
  /// of earlier ones, or wider where they have to be.
  [[nodiscard]] std::vector<std::string> take_lines(const terminal& out, std::string_view indent = "");
  void print(const terminal& out, std::string_view indent = "") const;

private:
  [[nodiscard]] std::vector<std::size_t> widths() const;

  std::vector<std::vector<cell>> rows_;
  std::vector<bool> right_aligned_;
  std::vector<std::size_t> widths_before_; ///< of rows that were taken
};

/// JSON with two blanks per level, for a person.
[[nodiscard]] std::string indented_json(std::string_view compact);

} // namespace vicket
