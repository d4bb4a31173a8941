#include "policy/text_form.hpp"

#include <algorithm>
#include <array>

using namespace std::literals;

namespace vicket {

namespace {

constexpr auto byte_order_mark = "\xef\xbb\xbf"sv;

struct other_form {
  std::string_view mark;
  std::string_view name;
};

// The longer marks first: that of UTF-32LE begins with that of UTF-16LE.
constexpr std::array<other_form, 4> other_forms{{{"\xff\xfe\0\0"sv, "UTF-32LE"},
                                                 {"\0\0\xfe\xff"sv, "UTF-32BE"},
                                                 {"\xff\xfe"sv, "UTF-16LE"},
                                                 {"\xfe\xff"sv, "UTF-16BE"}}};

/// The form of a text without a mark, whose first character is ASCII in all that is read here; empty: none of them.
std::string_view form_by_zeros(std::string_view text) {
  if (text.size() < 2)
    return {};
  const auto zero = [&](std::size_t at) { return at < text.size() && text[at] == '\0'; };
  if (!zero(0) && zero(1))
    return zero(2) && zero(3) ? "UTF-32LE" : "UTF-16LE";
  if (zero(0) && !zero(1))
    return "UTF-16BE";
  return zero(0) && zero(2) && text.size() >= 4 && !zero(3) ? "UTF-32BE" : std::string_view{};
}

std::string_view other_form_of(std::string_view text) {
  for (const auto& [mark, name] : other_forms)
    if (text.starts_with(mark))
      return name;
  return form_by_zeros(text);
}

} // namespace

std::string line_and_column(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto line_begin = before.rfind('\n');
  const auto column = offset - (line_begin == std::string_view::npos ? 0 : line_begin + 1) + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

std::variant<std::string_view, std::string> utf8_text(std::string_view text) {
  if (const auto form = other_form_of(text); !form.empty())
    return "the text is " + std::string{form.substr(0, 6)} +
           ", but UTF-8 is read; convert it, for example with iconv -f " + std::string{form} + " -t UTF-8";
  if (text.starts_with(byte_order_mark))
    text.remove_prefix(byte_order_mark.size());
  return text;
}

bool is_blank_line(std::string_view line) {
  if (line.starts_with(byte_order_mark))
    line.remove_prefix(byte_order_mark.size());
  return line.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

} // namespace vicket
