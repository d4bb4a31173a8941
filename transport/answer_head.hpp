#pragma once

#include "messages/attempt.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vicket {

/// The first line of an answer.
struct status_line {
  std::uint16_t status;
  bool http_1_1;
  bool strict; ///< up to the reason, to the letter of RFC 9112
};

/// Absent: the line does not name a status in one way only. `HTTP`, a version or none, white space, three digits and
/// no fourth; whatever follows is the reason. Without the line's end.
[[nodiscard]] std::optional<status_line> read_status_line(std::string_view line);

/// How much of the beginning of `bytes` says nothing: byte order marks, white space, empty lines, in any order, so that
/// it is the same for the whole and for what is left of it after a line.
[[nodiscard]] std::size_t blank_beginning(std::string_view bytes);

/// Whether bytes that begin with these may still become a status line.
[[nodiscard]] bool may_begin_answer(std::string_view bytes);

/// The lines of a head, one after the other. They end with LF, with CR before it or not.
class head_lines {
public:
  explicit head_lines(std::string_view head) : rest_{head} {}

  /// False: there is none left.
  bool next();
  [[nodiscard]] std::string_view line() const { return line_; } ///< without its end
  [[nodiscard]] bool strict() const { return strict_; }         ///< all so far ended with CR LF
  /// The next line continues this one (RFC 9112, 5.2).
  [[nodiscard]] bool continues() const { return !rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t'); }

private:
  std::string_view rest_;
  std::string_view line_;
  bool strict_ = true;
};

/// The fields among the lines of a head. Continued values are put on one line; lines that are no fields are passed
/// over.
class head_fields {
public:
  /// After the status line.
  explicit head_fields(head_lines after) : lines_{after} {}

  bool next();
  [[nodiscard]] std::string_view name() const { return name_; }
  [[nodiscard]] std::string_view value() const { return value_; } ///< without white space around it
  [[nodiscard]] bool strict() const { return strict_ && lines_.strict(); }
  /// A line that was passed over is a status line with another status than this.
  [[nodiscard]] bool contradicts(std::uint16_t status) const {
    return several_statuses_ || (other_status_ && *other_status_ != status);
  }

private:
  void pass_over(std::string_view line);
  void append_continuation();

  head_lines lines_;
  std::string_view name_;
  std::string_view value_;
  std::string unfolded_;
  std::optional<std::uint16_t> other_status_;
  bool several_statuses_ = false;
  bool strict_ = true;
};

/// What the head of an answer says, read for what it means: nobody reads the answer after us, so no form of it can
/// mean something else to another (RFC 9112, 11.2 has that danger in mind). What is not in strict form is understood,
/// where it can be in one way only, and its connection is trusted no further.
struct answer_head {
  enum class framing : std::uint8_t { until_end, length, chunked };

  std::uint64_t length = 0; ///< the shortest that was announced
  std::string retry_after;  ///< the last such field's value; longer than any that is meant: left out
  std::uint16_t status = 0;
  framing body = framing::until_end; ///< as announced; 1xx, 204 and 304 have none all the same
  bool announces_content = false;    ///< by a length or a coding, whatever the status
  bool lengths_differ = false;       ///< so that the body's end cannot be known
  bool strict = false;               ///< to the letter of RFC 9112
  bool persistent = false;           ///< HTTP/1.1, and no `Connection: close`

  /// Reads a head with all its lines, once; false: it names no status, or two.
  bool read(std::string_view head);

private:
  void take_field(const head_fields& field);
  void take_length(std::string_view value);
  void take_coding(std::string_view value);
  void take_connection(std::string_view value);
  void decide_framing();

  bool has_length_ = false;
  bool has_coding_ = false;
  bool chunked_last_ = false; ///< of the codings
};

/// Fields of a head, in their order.
struct kept_fields {
  std::vector<header_field> fields;
  bool truncated = false; ///< there were more, or longer ones
};

/// The fields of a head, at most `max_bytes` of them as lines (`name: value`, CRLF), so that empty ones count, too. Where
/// they are more, those that say what to do next (where to, how to sign in, of what kind the body is) come first, and
/// the longest values are cut to what is left for each, so that no field crowds out the others.
[[nodiscard]] kept_fields keep_fields(std::string_view head, std::size_t max_bytes);

} // namespace vicket
