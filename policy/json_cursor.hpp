#pragma once

#include "policy/json_reader.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vicket {

enum class json_kind : std::uint8_t { null, boolean, number, string, array, object };

/// Walks once over a JSON text that `json_reader` has read to its end, into what is asked for and past everything else:
/// linear in the text, nothing is allocated. A text that is no JSON is not noticed, but never read beyond its end.
///
/// It stands at a value, or, inside an object or an array, behind one.
class json_cursor {
public:
  explicit json_cursor(std::string_view text) : text_{text} { skip_blanks(); }

  /// Of the value that it stands at.
  [[nodiscard]] json_kind kind() const {
    switch (here()) {
    case '{':
      return json_kind::object;
    case '[':
      return json_kind::array;
    case '"':
      return json_kind::string;
    case 't':
    case 'f':
      return json_kind::boolean;
    case 'n':
      return json_kind::null;
    default:
      return json_kind::number;
    }
  }

  /// Past the value: as it is written.
  std::string_view skip() {
    const auto begin = at_;
    switch (here()) {
    case '{':
    case '[':
      skip_nested();
      break;
    case '"':
      static_cast<void>(string());
      break;
    default:
      while (at_ < text_.size() && !ends_scalar(text_[at_]))
        ++at_;
    }
    return text_.substr(begin, at_ - begin);
  }

  /// Past a string.
  json_string string() {
    json_string result;
    const auto begin = ++at_;
    for (;;) {
      at_ += plain_json_bytes(text_.substr(std::min(at_, text_.size())));
      if (here() == '"' || at_ >= text_.size())
        break;
      result.escaped = true;
      at_ += 2;
    }
    at_ = std::min(at_, text_.size());
    result.raw = text_.substr(begin, at_ - begin);
    at_ += at_ < text_.size() ? 1 : 0;
    return result;
  }

  /// Into an object or an array.
  void enter() { ++at_; }

  /// In an array, behind its bracket or an element: to the next one; false: there is none, and it is behind the array.
  bool next_element() {
    skip_blanks();
    if (here() == ',') {
      ++at_;
      skip_blanks();
      return true;
    }
    if (here() != ']' && at_ < text_.size())
      return true;
    at_ += at_ < text_.size() ? 1 : 0;
    return false;
  }

  /// In an object, behind its bracket or a member: to the next one's value; false: there is none, and it is behind the
  /// object.
  bool next_member(json_string& name) {
    skip_blanks();
    if (here() == ',') {
      ++at_;
      skip_blanks();
    }
    if (here() != '"') {
      at_ += at_ < text_.size() ? 1 : 0;
      return false;
    }
    name = string();
    skip_blanks();
    at_ += at_ < text_.size() ? 1 : 0; // its colon
    skip_blanks();
    return true;
  }

  /// In an object or an array: behind it, whatever is still to come.
  void leave() { skip_to_depth(1); }

  /// What lies between a place that it stood at and where it stands now.
  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] std::string_view since(std::size_t begin) const { return text_.substr(begin, at_ - begin); }

private:
  [[nodiscard]] char here() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
  static bool ends_scalar(char c) { return c == ',' || c == '}' || c == ']' || is_blank(c); }

  void skip_blanks() {
    while (is_blank(here()))
      ++at_;
  }

  void skip_nested() { skip_to_depth(0); }

  /// Until so many brackets less are open.
  void skip_to_depth(std::size_t depth) {
    do {
      const char c = here();
      if (c == '"') {
        static_cast<void>(string());
        continue;
      }
      if (c == '{' || c == '[')
        ++depth;
      else if (c == '}' || c == ']')
        --depth;
      ++at_;
    } while (depth > 0 && at_ < text_.size());
    at_ = std::min(at_, text_.size());
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

} // namespace vicket
