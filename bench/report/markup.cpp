#include "bench/report/markup.hpp"

#include "policy/utf8.hpp"

#include <cstddef>

namespace vicket::bench {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n') || c == 0x7F;
}

/// U+FFFE or U+FFFF.
bool is_no_character(std::string_view text) {
  return text.starts_with("\xef\xbf\xbe") || text.starts_with("\xef\xbf\xbf");
}

std::string_view entity_of(char c) {
  switch (c) {
  case '&':
    return "&amp;";
  case '<':
    return "&lt;";
  case '>':
    return "&gt;";
  case '"':
    return "&quot;";
  case '\'':
    return "&#39;";
  default:
    return {};
  }
}

} // namespace

std::string escaped_markup(std::string_view text) {
  const auto valid = with_replaced_invalid_utf8(text);
  std::string result;
  result.reserve(valid.size());
  for (std::size_t i = 0; i < valid.size(); ++i) {
    if (const auto entity = entity_of(valid[i]); !entity.empty()) {
      result += entity;
    } else if (is_control(valid[i])) {
      result += replacement;
    } else if (is_no_character(std::string_view{valid}.substr(i))) {
      result += replacement;
      i += 2;
    } else {
      result += valid[i];
    }
  }
  return result;
}

} // namespace vicket::bench
