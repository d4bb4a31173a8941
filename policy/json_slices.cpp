#include "policy/json_slices.hpp"

#include "policy/json_reader.hpp"
#include "policy/utf8.hpp"

#include <bitset>
#include <charconv>

namespace vicket {

namespace {

/// Takes one string, and nothing else.
struct string_reader {
  std::optional<json_string> value;

  static bool literal(std::string_view) { return false; }
  static bool number(std::string_view) { return false; }
  bool string(const json_string& read) {
    value = read;
    return true;
  }
  static bool key(const json_string&) { return false; }
  static bool begin_object(std::size_t) { return false; }
  static bool end_object(std::size_t) { return false; }
  static bool begin_array(std::size_t) { return false; }
  static bool end_array(std::size_t) { return false; }
};

/// What numbers and the three words are made of.
bool is_of_scalar(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '+' ||
         c == '.';
}

bool is_of_structure(char c) {
  return c == '"' || c == '{' || c == '}' || c == '[' || c == ']';
}

/// The first bracket that closes one of the other kind, as far as nesting is looked at.
std::optional<std::size_t> first_wrong_bracket(std::string_view text) {
  constexpr std::size_t most_depth = 256;
  std::bitset<most_depth> is_object; // what is open, by depth
  std::size_t depth = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') {
      for (++at; at < text.size() && text[at] != '"'; ++at)
        at += text[at] == '\\' ? 1 : 0;
    } else if (c == '{' || c == '[') {
      if (depth < most_depth)
        is_object.set(depth, c == '{');
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth == 0)
        return std::nullopt;
      if (--depth < most_depth && is_object.test(depth) != (c == '}'))
        return at;
    }
  }
  return std::nullopt;
}

} // namespace

bool json_slices::fail(std::string_view what) {
  fault_ = what;
  over_ = true;
  return false;
}

std::string json_slices::fault() const {
  if (fault_.empty())
    return {};
  // Brackets are counted alone, so that one of the wrong kind shows only later: that one is to blame.
  if (const auto wrong = first_wrong_bracket(text_.substr(0, at_)))
    return std::string{text_[*wrong] == '}' ? "} closes a [" : "] closes a {"} + " (at byte " +
           std::to_string(*wrong) + ")";
  return std::string{fault_} + " (at byte " + std::to_string(at_) + ")";
}

void json_slices::skip_blanks() {
  while (!at_end() && (here() == ' ' || here() == '\t' || here() == '\n' || here() == '\r'))
    ++at_;
}

/// True: a member or an element has to follow.
bool json_slices::begin_or_separate() {
  const char close = object_ ? '}' : ']';
  skip_blanks();
  if (!begun_) {
    begun_ = true;
    if (here() != (object_ ? '{' : '['))
      return fail(object_ ? "an object is expected" : "an array is expected");
    ++at_;
    skip_blanks();
    if (here() != close)
      return true;
  } else if (here() == ',') {
    ++at_;
    return true;
  }
  if (here() != close)
    return fail(object_ ? "a comma or } is expected" : "a comma or ] is expected");
  ++at_;
  skip_blanks();
  over_ = true;
  return at_end() ? false : fail("something follows the value");
}

std::optional<json_slices::slice> json_slices::next() {
  if (over_ || !begin_or_separate())
    return std::nullopt;
  slice found;
  skip_blanks();
  if (object_) {
    const auto key = at_;
    if (here() != '"') {
      fail("a name in double quotes is expected");
      return std::nullopt;
    }
    if (!skip_string())
      return std::nullopt;
    found.key = text_.substr(key, at_ - key);
    skip_blanks();
    if (here() != ':') {
      fail("a colon is expected");
      return std::nullopt;
    }
    ++at_;
    skip_blanks();
  }
  const auto value = at_;
  if (!skip_value())
    return std::nullopt;
  found.value = text_.substr(value, at_ - value);
  return found;
}

bool json_slices::skip_string() {
  ++at_; // its quote
  for (;;) {
    at_ += plain_json_bytes(text_.substr(at_));
    if (at_end())
      return fail("a string has no end");
    if (here() == '"') {
      ++at_;
      return true;
    }
    at_ += here() == '\\' ? 2 : 1; // a control character is for its reader to refuse
    if (at_ > text_.size()) {
      at_ = text_.size();
      return fail("a string has no end");
    }
  }
}

bool json_slices::skip_value() {
  const char first = here();
  if (first != '{' && first != '[') {
    if (first == '"')
      return skip_string();
    const auto begin = at_;
    while (is_of_scalar(here()))
      ++at_;
    return at_ != begin || fail(at_end() ? "it ends where a value is expected" : "a value is expected");
  }
  std::size_t depth = 0;
  do {
    while (!at_end() && !is_of_structure(text_[at_]))
      ++at_;
    if (at_end())
      return fail("a bracket is not closed");
    const char c = text_[at_];
    if (c == '"') {
      if (!skip_string())
        return false;
      continue;
    }
    depth = c == '{' || c == '[' ? depth + 1 : depth - 1;
    ++at_;
  } while (depth > 0);
  return true;
}

std::optional<std::string> text_of_json(std::string_view written) {
  if (first_invalid_utf8(written))
    return std::nullopt;
  string_reader reader;
  const auto stopped = json_reader{written, 1, reader}.read();
  if (stopped.why != json_stop::reason::complete || !reader.value)
    return std::nullopt;
  return reader.value->text();
}

std::optional<std::uint64_t> count_of_json(std::string_view written, std::uint64_t most) {
  std::uint64_t value = 0;
  const auto* end = written.data() + written.size();
  const auto read = std::from_chars(written.data(), end, value);
  if (written.empty() || read.ec != std::errc{} || read.ptr != end || value > most)
    return std::nullopt;
  if (written.size() > 1 && written.front() == '0')
    return std::nullopt;
  return value;
}

} // namespace vicket
