#include "apps/body_text.hpp"

#include "apps/terminal.hpp"
#include "policy/charset.hpp"
#include "policy/utf8.hpp"

#include <algorithm>

namespace vicket {

namespace {

constexpr std::size_t max_shown_bytes = 4 * 1024;
constexpr std::size_t label_columns = 40;

/// Nobody wants to see a byte order mark.
std::string without_mark(std::string text) {
  if (text.starts_with("\xef\xbb\xbf"))
    text.erase(0, 3);
  return text;
}

body_text without_charset(std::string_view body, std::string note) {
  return {without_mark(with_replaced_invalid_utf8(body)), std::move(note)};
}

bool is_identity(std::string_view coding) {
  constexpr std::string_view identity = "identity";
  return std::equal(coding.begin(), coding.end(), identity.begin(), identity.end(),
                    [](char x, char y) { return (x | 0x20) == y; });
}

} // namespace

body_text text_of_body(const attempt& value) {
  auto body = std::string_view{value.response_body}.substr(0, max_shown_bytes);
  const bool whole = body.size() == value.response_body.size() && !value.response_truncated;
  if (!whole)
    body = body.substr(0, whole_utf8_bytes(body));
  const bool is_utf8 = !first_invalid_utf8(body);
  const auto label = charset_of(header_of(value, "Content-Type").value_or(""));
  const auto mark = charset_of_mark(body);
  const auto named = mark ? mark : find_charset(label);
  if (is_utf8 && (!named || named->keeps_ascii))
    return {without_mark(std::string{body}), {}};
  if (const auto coding = header_of(value, "Content-Encoding"); !mark && coding && !is_identity(*coding))
    return {{}, printable(*coding, label_columns) + ", not decoded"};
  if (!named && !label.empty())
    return without_charset(body,
                           "not UTF-8; the charset " + printable(label, label_columns) + " is not known");
  if (!named || named->iconv == "UTF-8")
    return without_charset(body, "not UTF-8");
  if (auto text = converted(body, *named, whole))
    return {without_mark(*std::move(text)), std::string{named->name}};
  return without_charset(body, std::string{named->name} + ", which this machine can't convert");
}

} // namespace vicket
