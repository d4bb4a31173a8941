#include "policy/text_form.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

using namespace std::literals;

namespace vicket {

TEST_CASE("a text is UTF-8, and a byte order mark before it is passed over") {
  struct row {
    std::string_view text;
    std::string_view read;
  };
  for (const auto& [text, read] : std::vector<row>{{"", ""},
                                                   {"{", "{"},
                                                   {"{}", "{}"},
                                                   {"\xef\xbb\xbf", ""},
                                                   {"\xef\xbb\xbf{}", "{}"},
                                                   {"\xef\xbb\xbf\xef\xbb\xbf{}", "\xef\xbb\xbf{}"},
                                                   {"\xef\xbb", "\xef\xbb"},
                                                   {" \xef\xbb\xbf{}", " \xef\xbb\xbf{}"},
                                                   {"\n", "\n"},
                                                   {"\xc3\xbc", "\xc3\xbc"},
                                                   {"\xff", "\xff"}, // not UTF-8: found where it is read
                                                   {"ab\0\0"sv, "ab\0\0"sv},
                                                   {"\0"sv, "\0"sv}}) {
    const auto form = utf8_text(text);
    REQUIRE(std::holds_alternative<std::string_view>(form));
    CHECK(std::get<std::string_view>(form) == read);
  }
}

TEST_CASE("a text that is UTF-16 or UTF-32 is named as such, with how to convert it") {
  struct row {
    std::string_view text;
    std::string_view name;
  };
  for (const auto& [text, name] : std::vector<row>{{"\xff\xfe{\0}\0"sv, "UTF-16LE"},
                                                   {"\xfe\xff\0{\0}"sv, "UTF-16BE"},
                                                   {"\xff\xfe"sv, "UTF-16LE"},
                                                   {"\xfe\xff"sv, "UTF-16BE"},
                                                   {"{\0"sv, "UTF-16LE"},
                                                   {"{\0}\0"sv, "UTF-16LE"},
                                                   {"\0{"sv, "UTF-16BE"},
                                                   {"\0{\0}"sv, "UTF-16BE"},
                                                   {"\n\0{\0"sv, "UTF-16LE"},
                                                   {"d\0a\0t\0a\0"sv, "UTF-16LE"},
                                                   {"\xff\xfe\0\0{\0\0\0"sv, "UTF-32LE"},
                                                   {"\0\0\xfe\xff\0\0\0{"sv, "UTF-32BE"},
                                                   {"{\0\0\0"sv, "UTF-32LE"},
                                                   {"\0\0\0{"sv, "UTF-32BE"}}) {
    const auto form = utf8_text(text);
    REQUIRE(std::holds_alternative<std::string>(form));
    INFO(std::get<std::string>(form));
    CHECK(std::get<std::string>(form).starts_with("the text is " + std::string{name.substr(0, 6)} + ", "));
    CHECK(std::get<std::string>(form).ends_with("iconv -f " + std::string{name} + " -t UTF-8"));
  }
}

TEST_CASE("a line of blanks says nothing") {
  for (const auto blank : {""sv, " "sv, "\t \t"sv, "\r"sv, " \r"sv, "\xef\xbb\xbf"sv, "\xef\xbb\xbf \r"sv})
    CHECK(is_blank_line(blank));
  for (const auto line : {"x"sv, " x"sv, "\0"sv, "\xc2\xa0"sv, "null"sv, "#"sv, "\xef\xbb\xbf\xef\xbb\xbf"sv})
    CHECK_FALSE(is_blank_line(line));
}

} // namespace vicket
