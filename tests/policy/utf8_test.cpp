#include "policy/utf8.hpp"

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

} // namespace vicket
