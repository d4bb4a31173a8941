#include "apps/config_file.hpp"

#include "policy/text_form.hpp"
#include "policy/utf8.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <optional>
#include <utility>

namespace vicket {

namespace {

/// A complaint on its way out of the parser; never leaves this file.
struct malformed {
  std::string what;
};

class toml_reader {
public:
  explicit toml_reader(std::string_view text) : rest_{text} {}

  std::vector<config_entry> read() {
    std::vector<config_entry> entries;
    for (skip(true); !rest_.empty(); skip(true)) {
      entries.push_back(read_entry());
      skip(false);
      if (!rest_.empty() && rest_.front() != '\n')
        throw malformed{"something follows the value of \"" + entries.back().key + "\""};
      const auto& fresh = entries.back();
      if (std::count_if(entries.begin(), entries.end(), [&](auto& one) { return one.key == fresh.key; }) > 1)
        throw malformed{"\"" + fresh.key + "\" is there twice"};
    }
    return entries;
  }

  [[nodiscard]] unsigned line() const { return line_; }

private:
  std::string_view rest_;
  unsigned line_ = 1;

  [[nodiscard]] char peek() const { return rest_.empty() ? '\0' : rest_.front(); }

  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    if (c == '\n')
      ++line_;
    return c;
  }

  /// Blanks and comments; line ends too where `lines`.
  void skip(bool lines) {
    while (!rest_.empty()) {
      if (peek() == '#')
        while (!rest_.empty() && peek() != '\n')
          take();
      else if (peek() == ' ' || peek() == '\t' || peek() == '\r' || (lines && peek() == '\n'))
        take();
      else
        return;
    }
  }

  config_entry read_entry() {
    config_entry entry;
    entry.line = line_;
    if (peek() == '[')
      throw malformed{"tables are not known here: every key is the name of a flag"};
    entry.key = peek() == '"' || peek() == '\'' ? read_string() : read_bare();
    skip(false);
    if (entry.key.empty() || peek() != '=')
      throw malformed{"expected KEY = VALUE"};
    take();
    skip(false);
    entry.array = peek() == '[';
    if (entry.array)
      read_array(entry.values);
    else
      entry.values.push_back(read_value());
    return entry;
  }

  void read_array(std::vector<std::string>& values) {
    take();
    for (skip(true); peek() != ']'; skip(true)) {
      if (rest_.empty())
        throw malformed{"the array has no end"};
      values.push_back(read_value());
      skip(true);
      if (peek() == ',')
        take();
      else if (!rest_.empty() && peek() != ']')
        throw malformed{"expected , or ] in the array"};
    }
    take();
  }

  std::string read_value() {
    if (peek() == '"' || peek() == '\'')
      return read_string();
    auto word = read_bare();
    if (word == "true" || word == "false")
      return word;
    const bool number = !word.empty() && word.find_first_not_of("0123456789_") == std::string::npos &&
                        word.front() != '_' && word.back() != '_' && word.find("__") == std::string::npos;
    if (!number)
      throw malformed{"expected a \"string\", a whole number, true, false or an array"};
    std::erase(word, '_');
    return word;
  }

  std::string read_bare() {
    std::string word;
    while (std::isalnum(static_cast<unsigned char>(peek())) != 0 || peek() == '_' || peek() == '-')
      word += take();
    return word;
  }

  std::string read_string() {
    const char quote = take();
    std::string text;
    while (peek() != quote) {
      if (rest_.empty() || peek() == '\n')
        throw malformed{"the string has no end"};
      const char c = take();
      text += quote == '"' && c == '\\' ? read_escape() : c;
    }
    take();
    return text;
  }

  char read_escape() {
    switch (rest_.empty() ? '\0' : take()) {
    case '"':
      return '"';
    case '\\':
      return '\\';
    case 'n':
      return '\n';
    case 't':
      return '\t';
    default:
      throw malformed{R"(of the escapes only \" \\ \n \t are known; 'single quotes' need none)"};
    }
  }
};

/// What TOML allows nowhere, so that no other line end or encoding is taken for blanks: place and complaint.
std::optional<std::pair<std::size_t, std::string>> foreign_byte(std::string_view text) {
  if (const auto at = first_invalid_utf8(text))
    return std::pair{*at, std::string{"the text is not UTF-8 here"}};
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\0')
      return std::pair{at, std::string{"there is a zero byte"}};
    if (text[at] == '\r' && at + 1 < text.size() && text[at + 1] != '\n')
      return std::pair{at, std::string{"there is a carriage return alone, which ends no line"}};
  }
  return std::nullopt;
}

} // namespace

std::variant<std::vector<config_entry>, std::string> parse_config_file(std::string_view written) {
  auto form = utf8_text(written);
  if (const auto* other = std::get_if<std::string>(&form))
    return "1: " + *other;
  const auto text = std::get<std::string_view>(form);
  if (const auto found = foreign_byte(text)) {
    const auto before = text.substr(0, found->first);
    return std::to_string(1 + std::count(before.begin(), before.end(), '\n')) + ": " + found->second;
  }
  toml_reader reader{text};
  try {
    return reader.read();
  } catch (const malformed& problem) {
    return std::to_string(reader.line()) + ": " + problem.what;
  }
}

} // namespace vicket
