#pragma once

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace vicket {

/// How many bytes at the beginning of a JSON string stand for themselves: no quote, no backslash, no control character.
[[nodiscard]] inline std::size_t plain_json_bytes(std::string_view text) {
  constexpr auto repeated = [](unsigned char byte) { return 0x0101010101010101ULL * byte; };
  std::size_t at = 0;
  for (std::uint64_t eight = 0; text.size() - at >= sizeof eight; at += sizeof eight) {
    std::memcpy(&eight, text.data() + at, sizeof eight);
    const auto quotes = eight ^ repeated('"');
    const auto backslashes = eight ^ repeated('\\');
    // The borrow of a byte that is zero, or below 0x20, reaches its highest bit, which was not set.
    const auto found = ((quotes - repeated(1)) & ~quotes) | ((backslashes - repeated(1)) & ~backslashes) |
                       ((eight - repeated(0x20)) & ~eight);
    if ((found & repeated(0x80)) != 0)
      break;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) >= 0x20 && text[at] != '"' &&
         text[at] != '\\')
    ++at;
  return at;
}

/// Appends the characters of a string that `json_reader` has read, in UTF-8.
void append_unescaped_json(std::string& out, std::string_view raw);

/// A string as it is written between its quotes.
struct json_string {
  std::string_view raw;
  bool escaped = false; ///< there is a backslash in it

  [[nodiscard]] std::string text() const {
    std::string result;
    append_unescaped_json(result, raw);
    return result;
  }
};

/// The deepest that any reader here follows objects and arrays inside each other.
inline constexpr std::size_t most_json_depth = 256;

/// Where reading stopped, and why.
struct json_stop {
  enum class reason : std::uint8_t {
    complete,
    handler, ///< it answered false
    too_deep,
    syntax, ///< `what` says why
  };
  reason why = reason::complete;
  std::size_t at = 0; ///< byte
  std::string_view what;
};

/// Reads one JSON text (RFC 8259) and tells a handler about it. The text is valid UTF-8; escapes of surrogates must come
/// in pairs. Numbers are never converted: a JSON number of any size and precision is one, and the handler is given its
/// characters. Nothing is allocated, and nesting is bounded without recursion.
///
/// The handler has, each answering whether to go on: `literal(text)` for null, true and false, `number(text)`,
/// `string(json_string)`, `key(json_string)`, `begin_object(at)`, `end_object(at)`, `begin_array(at)`, `end_array(at)`,
/// with the place of the bracket.
template <class Handler>
class json_reader {
public:
  json_reader(std::string_view text, std::size_t max_depth, Handler& handler)
      : text_{text}, max_depth_{std::min(max_depth, most_json_depth)}, handler_{handler} {}

  [[nodiscard]] json_stop read() {
    while (read_value() && close_and_separate()) {
    }
    return stop_;
  }

private:
  using reason = json_stop::reason;

  bool end(reason why, std::string_view what = {}) {
    stop_ = {why, at_, what};
    return false;
  }
  bool fault(std::string_view what) { return end(reason::syntax, what); }
  bool told(bool go_on) { return go_on || end(reason::handler); }

  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] bool next_is(char c) const { return at_ < text_.size() && text_[at_] == c; }
  [[nodiscard]] bool digit_next() const {
    return at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9';
  }

  void skip_blanks() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }

  /// Up to the end of a scalar, or of an empty object or array: down to the first that is neither.
  bool read_value() {
    for (;;) {
      skip_blanks();
      if (at_end())
        return fault("it ends where a value is expected");
      switch (text_[at_]) {
      case '{':
        if (!open(true))
          return false;
        if (next_is('}'))
          return close();
        if (!read_key())
          return false;
        break;
      case '[':
        if (!open(false))
          return false;
        if (next_is(']'))
          return close();
        break;
      case '"': {
        json_string value;
        return read_string(value) && told(handler_.string(value));
      }
      case 't':
        return read_literal("true");
      case 'f':
        return read_literal("false");
      case 'n':
        return read_literal("null");
      default:
        return read_number();
      }
    }
  }

  /// After a value: closes what ends there. True: another value has to follow.
  bool close_and_separate() {
    for (;;) {
      skip_blanks();
      if (depth_ == 0) {
        if (!at_end())
          return fault(text_[at_] == '\0' ? "a zero byte follows the value" : "something follows the value");
        stop_.at = at_;
        return false;
      }
      const bool object = is_object_.test(depth_ - 1);
      if (next_is(',')) {
        ++at_;
        if (!object)
          return true;
        skip_blanks();
        return read_key();
      }
      if (!next_is(object ? '}' : ']'))
        return fault(object ? "a comma or } is expected" : "a comma or ] is expected");
      if (!close())
        return false;
    }
  }

  bool open(bool object) {
    if (depth_ == max_depth_)
      return end(reason::too_deep);
    is_object_.set(depth_++, object);
    if (!told(object ? handler_.begin_object(at_) : handler_.begin_array(at_)))
      return false;
    ++at_;
    skip_blanks();
    return true;
  }

  bool close() {
    const bool object = is_object_.test(--depth_);
    if (!told(object ? handler_.end_object(at_) : handler_.end_array(at_)))
      return false;
    ++at_;
    return true;
  }

  bool read_key() {
    if (!next_is('"'))
      return fault("a name in double quotes is expected");
    json_string name;
    if (!read_string(name) || !told(handler_.key(name)))
      return false;
    skip_blanks();
    if (!next_is(':'))
      return fault("a colon is expected");
    ++at_;
    return true;
  }

  bool read_literal(std::string_view word) {
    if (!text_.substr(at_).starts_with(word))
      return fault("a value is expected");
    at_ += word.size();
    return told(handler_.literal(word));
  }

  bool read_number() {
    const auto begin = at_;
    if (next_is('-'))
      ++at_;
    if (!digit_next())
      return fault(at_ == begin ? "a value is expected" : "a digit is expected");
    if (next_is('0')) {
      ++at_;
      if (digit_next())
        return fault("a number has no leading zeros");
    }
    skip_digits();
    if (next_is('.')) {
      ++at_;
      if (!digit_next())
        return fault("a digit is expected");
      skip_digits();
    }
    if (next_is('e') || next_is('E')) {
      ++at_;
      if (next_is('+') || next_is('-'))
        ++at_;
      if (!digit_next())
        return fault("a digit is expected");
      skip_digits();
    }
    return told(handler_.number(text_.substr(begin, at_ - begin)));
  }

  void skip_digits() {
    while (digit_next())
      ++at_;
  }

  bool read_string(json_string& result) {
    const auto begin = ++at_;
    for (;;) {
      at_ += plain_json_bytes(text_.substr(at_));
      if (at_end())
        return fault("a string has no end");
      if (text_[at_] == '"') {
        result.raw = text_.substr(begin, at_ - begin);
        ++at_;
        return true;
      }
      if (text_[at_] != '\\')
        return fault("a string has a control character that is not written as an escape");
      result.escaped = true;
      if (!skip_escape())
        return false;
    }
  }

  bool skip_escape() {
    constexpr std::string_view simple = "\"\\/bfnrt";
    const auto what = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (what != 'u') {
      if (what == '\0' || simple.find(what) == std::string_view::npos)
        return fault("a string has an unknown escape");
      at_ += 2;
      return true;
    }
    const auto unit = hex_unit(at_);
    if (unit < 0)
      return fault("\\u needs four hexadecimal digits");
    const bool high = unit >= 0xd800 && unit < 0xdc00;
    const bool low = unit >= 0xdc00 && unit < 0xe000;
    const auto second = high ? hex_unit(at_ + 6) : 0;
    if (low || (high && (second < 0xdc00 || second >= 0xe000)))
      return fault("an unpaired surrogate is no character");
    at_ += high ? 12 : 6;
    return true;
  }

  /// The number of `\uXXXX` at that place; -1: there is none.
  [[nodiscard]] int hex_unit(std::size_t at) const {
    if (at > text_.size() || text_.size() - at < 6 || text_[at] != '\\' || text_[at + 1] != 'u')
      return -1;
    int unit = 0;
    for (const char c : text_.substr(at + 2, 4)) {
      const auto lowered = c | 0x20;
      if (c >= '0' && c <= '9')
        unit = unit * 16 + (c - '0');
      else if (lowered >= 'a' && lowered <= 'f')
        unit = unit * 16 + (lowered - 'a' + 10);
      else
        return -1;
    }
    return unit;
  }

  std::string_view text_;
  std::size_t max_depth_;
  Handler& handler_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::bitset<most_json_depth> is_object_; ///< what is open, by depth
  json_stop stop_;
};

} // namespace vicket
