#include "policy/utf8.hpp"

#include "policy/base64.hpp"

#include <catch2/catch_test_macros.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace std::literals;

namespace vicket {

TEST_CASE("UTF-8 is what RFC 3629 says, and the first wrong byte is found") {
  struct row {
    std::string_view text;
    std::optional<std::size_t> wrong_at;
    std::string_view replaced;
  };
  const std::vector<row> table{
      {"", std::nullopt, ""},
      {"plain ascii, longer than eight", std::nullopt, "plain ascii, longer than eight"},
      {"\0"sv, std::nullopt, "\0"sv},
      {"\xc2\x80\xdf\xbf", std::nullopt, "\xc2\x80\xdf\xbf"},
      {"\xe0\xa0\x80\xef\xbf\xbf", std::nullopt, "\xe0\xa0\x80\xef\xbf\xbf"},
      {"\xed\x9f\xbf\xee\x80\x80", std::nullopt, "\xed\x9f\xbf\xee\x80\x80"},
      {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", std::nullopt, "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
      {"a\x80z", 1, "a\xef\xbf\xbdz"},
      {"12345678\xff", 8, "12345678\xef\xbf\xbd"},
      {"\xc0\x80", 0, "\xef\xbf\xbd\xef\xbf\xbd"},
      {"\xc1\xbf", 0, "\xef\xbf\xbd\xef\xbf\xbd"},
      {"\xc3", 0, "\xef\xbf\xbd"},
      {"\xc3(", 0, "\xef\xbf\xbd("},
      {"\xe0\x9f\xbf", 0, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
      {"\xe2\x82", 0, "\xef\xbf\xbd\xef\xbf\xbd"},
      {"\xed\xa0\x80", 0, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
      {"\xf0\x8f\xbf\xbf", 0, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
      {"\xf0\x9f\x98", 0, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
      {"\xf4\x90\x80\x80", 0, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
      {"\xf5\x80\x80\x80", 0, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
  };
  for (const auto& [text, wrong_at, replaced] : table) {
    INFO(with_replaced_invalid_utf8(text));
    CHECK(first_invalid_utf8(text) == wrong_at);
    CHECK(with_replaced_invalid_utf8(text) == replaced);
    CHECK_FALSE(first_invalid_utf8(replaced).has_value());
  }
}

TEST_CASE("a text that was cut inside a character ends before it; what is no UTF-8 stays whole") {
  struct row {
    std::string_view text;
    std::size_t whole;
  };
  const std::vector<row> table{
      {"", 0},
      {"abc", 3},
      {"ab\xc3\xa9", 4},
      {"ab\xc3", 2},       // é without its second byte
      {"\xd0\x96\xd0", 2}, // Cyrillic
      {"a\xe2", 1},        // € after one byte
      {"a\xe2\x82", 1},    // and after two
      {"a\xe2\x82\xac", 4},
      {"a\xf0", 1},         // an emoji after one,
      {"a\xf0\x9f", 1},     // two
      {"a\xf0\x9f\x98", 1}, // and three bytes
      {"a\xf0\x9f\x98\x80", 5},
      {"a\xf4\x8f\xbf", 1},
      {"\xed\x9f", 0},
      {"\xe0\xa0", 0},
      {"a\xff", 2}, // no character begins so
      {"a\x80", 2},
      {"a\xc0", 2},
      {"a\xe0\x80", 3},     // overlong
      {"a\xed\xa0", 3},     // a surrogate
      {"a\xf4\x90\x80", 4}, // beyond U+10FFFF
      {"a\xf5", 2},
      {"\xcf\xf0\xe8\xe2\xe5\xf2", 6}, // windows-1251
      {"\xff\xd0", 2},
      {"\xd0\xd0\xd0\xd0\xd0", 5},
  };
  for (const auto& [text, whole] : table) {
    INFO(base64_encode(text));
    CHECK(whole_utf8_bytes(text) == whole);
  }
}

} // namespace vicket
