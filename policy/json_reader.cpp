#include "policy/json_reader.hpp"

#include <charconv>

namespace vicket {

namespace {

unsigned unit_of(std::string_view four_digits) {
  unsigned unit = 0;
  std::from_chars(four_digits.data(), four_digits.data() + four_digits.size(), unit, 16);
  return unit;
}

void append_utf8(std::string& out, unsigned code_point) {
  const auto byte = [&](unsigned value) { out += static_cast<char>(static_cast<unsigned char>(value)); };
  const auto rest = [&](unsigned shift) { byte(0x80 | ((code_point >> shift) & 0x3f)); };
  if (code_point < 0x80)
    return byte(code_point);
  if (code_point < 0x800) {
    byte(0xc0 | code_point >> 6);
    return rest(0);
  }
  if (code_point < 0x10000) {
    byte(0xe0 | code_point >> 12);
    rest(6);
    return rest(0);
  }
  byte(0xf0 | code_point >> 18);
  rest(12);
  rest(6);
  rest(0);
}

/// The character of the escape at the beginning, which is taken away.
void take_escape(std::string& out, std::string_view& raw) {
  constexpr std::string_view letters = "bfnrt";
  constexpr std::string_view meant = "\b\f\n\r\t";
  const char what = raw[1];
  if (what != 'u') {
    const auto letter = letters.find(what);
    out += letter == std::string_view::npos ? what : meant[letter];
    raw.remove_prefix(2);
    return;
  }
  auto code_point = unit_of(raw.substr(2, 4));
  raw.remove_prefix(6);
  if (code_point >= 0xd800 && code_point < 0xdc00) {
    code_point = 0x10000 + ((code_point - 0xd800) << 10) + (unit_of(raw.substr(2, 4)) - 0xdc00);
    raw.remove_prefix(6);
  }
  append_utf8(out, code_point);
}

} // namespace

void append_unescaped_json(std::string& out, std::string_view raw) {
  while (!raw.empty()) {
    const auto plain = raw.substr(0, raw.find('\\'));
    out += plain;
    raw.remove_prefix(plain.size());
    if (!raw.empty())
      take_escape(out, raw);
  }
}

} // namespace vicket
