#include "policy/json_strings.hpp"

namespace vicket {

namespace {

void append_escape(std::string& out, char c) {
  constexpr std::string_view hex_digits = "0123456789abcdef";
  switch (c) {
  case '"':
    out += "\\\"";
    return;
  case '\\':
    out += "\\\\";
    return;
  case '\b':
    out += "\\b";
    return;
  case '\f':
    out += "\\f";
    return;
  case '\n':
    out += "\\n";
    return;
  case '\r':
    out += "\\r";
    return;
  case '\t':
    out += "\\t";
    return;
  default:
    out += "\\u00";
    out += hex_digits[static_cast<unsigned char>(c) >> 4];
    out += hex_digits[static_cast<unsigned char>(c) & 15];
  }
}

/// The escape that a raw string begins with, taken away from it, as it is written where only what must be is escaped.
void take_escape(std::string& out, std::string_view& raw) {
  constexpr std::string_view high_surrogate = "89abAB"; // the second digit of D800 to DBFF
  if (raw[1] != 'u') {
    out += raw[1] == '/' ? raw.substr(1, 1) : raw.substr(0, 2);
    return raw.remove_prefix(2);
  }
  const bool pair = (raw[2] == 'd' || raw[2] == 'D') && high_surrogate.find(raw[3]) != std::string_view::npos;
  const auto escape = raw.substr(0, pair ? 12 : 6);
  std::string character; // at most 4 bytes
  append_unescaped_json(character, escape);
  if (plain_json_bytes(character) == 0)
    append_escape(out, character.front());
  else
    out += character;
  raw.remove_prefix(escape.size());
}

/// Writes a value while it is read.
class compact_writer {
public:
  compact_writer(std::string& out, std::size_t max_bytes) : out_{out}, max_bytes_{max_bytes} {}

  bool literal(std::string_view text) { return scalar(text); }
  bool number(std::string_view text) { return scalar(text); }
  bool string(const json_string& text) {
    separate();
    append_json_string(out_, text);
    return in_bounds();
  }
  bool key(const json_string& name) {
    separate();
    append_json_string(out_, name);
    out_ += ':';
    first_ = true;
    return in_bounds();
  }
  bool begin_object(std::size_t) { return open('{'); }
  bool end_object(std::size_t) { return close('}'); }
  bool begin_array(std::size_t) { return open('['); }
  bool end_array(std::size_t) { return close(']'); }

private:
  [[nodiscard]] bool in_bounds() const { return out_.size() <= max_bytes_; }

  /// A comma, but before what is first, or behind its name.
  void separate() {
    if (!first_)
      out_ += ',';
    first_ = false;
  }
  bool scalar(std::string_view text) {
    separate();
    out_ += text;
    return in_bounds();
  }
  bool open(char bracket) {
    separate();
    out_ += bracket;
    first_ = true;
    return in_bounds();
  }
  bool close(char bracket) {
    out_ += bracket;
    first_ = false;
    return in_bounds();
  }

  std::string& out_;
  std::size_t max_bytes_;
  bool first_ = true;
};

} // namespace

void append_json_characters(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const auto plain = plain_json_bytes(text);
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (!text.empty()) {
      append_escape(out, text.front());
      text.remove_prefix(1);
    }
  }
}

void append_fewest_escapes(std::string& out, std::string_view raw) {
  while (!raw.empty()) {
    const auto plain = raw.substr(0, raw.find('\\'));
    out += plain;
    raw.remove_prefix(plain.size());
    if (!raw.empty())
      take_escape(out, raw);
  }
}

json_stop::reason append_compact_json(std::string& out, std::string_view valid, std::size_t max_depth,
                                      std::size_t max_bytes) {
  compact_writer writer{out, max_bytes};
  return json_reader{valid, max_depth, writer}.read().why;
}

} // namespace vicket
