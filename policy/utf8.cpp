#include "policy/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace vicket {

namespace {

constexpr std::size_t longest_character_bytes = 4;

bool in_range(std::string_view text, std::size_t at, unsigned low, unsigned high) {
  return at < text.size() && static_cast<unsigned char>(text[at]) >= low &&
         static_cast<unsigned char>(text[at]) <= high;
}

/// Length of the character that starts at `at`, 0 when none does: table 3-7 of the Unicode standard.
std::size_t character_bytes(std::string_view text, std::size_t at) {
  const unsigned first = static_cast<unsigned char>(text[at]);
  if (first < 0x80)
    return 1;
  if (first >= 0xc2 && first <= 0xdf)
    return in_range(text, at + 1, 0x80, 0xbf) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const unsigned low = first == 0xe0 ? 0xa0 : 0x80;  // no overlong forms
    const unsigned high = first == 0xed ? 0x9f : 0xbf; // no surrogates
    return in_range(text, at + 1, low, high) && in_range(text, at + 2, 0x80, 0xbf) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const unsigned low = first == 0xf0 ? 0x90 : 0x80;
    const unsigned high = first == 0xf4 ? 0x8f : 0xbf;
    return in_range(text, at + 1, low, high) && in_range(text, at + 2, 0x80, 0xbf) &&
                   in_range(text, at + 3, 0x80, 0xbf)
               ? 4
               : 0;
  }
  return 0;
}

} // namespace

std::optional<std::size_t> first_invalid_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    // Eight at once, since most text is ASCII.
    std::uint64_t eight = 0;
    if (text.size() - at >= sizeof eight) {
      std::memcpy(&eight, text.data() + at, sizeof eight);
      if ((eight & 0x8080808080808080ULL) == 0) {
        at += sizeof eight;
        continue;
      }
    }
    const auto length = character_bytes(text, at);
    if (length == 0)
      return at;
    at += length;
  }
  return std::nullopt;
}

std::size_t whole_utf8_bytes(std::string_view text) {
  const auto bad = first_invalid_utf8(text);
  if (!bad || text.size() - *bad >= longest_character_bytes)
    return text.size();
  // A character begins there if something can be put behind it that completes one; what comes second is in one of four
  // ranges, the others may be anything that continues.
  std::string begun{text.substr(*bad)};
  for (const char second : {'\x80', '\x90', '\xa0', '\xbf'}) {
    auto completed = begun;
    completed += second;
    while (completed.size() < longest_character_bytes)
      completed += '\x80';
    if (character_bytes(completed, 0) > begun.size())
      return *bad;
  }
  return text.size();
}

std::string with_replaced_invalid_utf8(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (const auto bad = first_invalid_utf8(text)) {
    result += text.substr(0, *bad);
    result += "\xef\xbf\xbd";
    text.remove_prefix(*bad + 1);
  }
  result += text;
  return result;
}

} // namespace vicket
