#include "apps/line_source.hpp"
#include "apps/terminal.hpp"

#include <catch2/catch_test_macros.hpp>

#include <unistd.h>

#include <array>
#include <sstream>
#include <string>

using namespace vicket;

TEST_CASE("text from elsewhere can't steer the terminal") {
  CHECK(printable("plain ä €") == "plain ä €");
  CHECK(printable("a\033[31mb") == "a\\x1b[31mb");
  CHECK(printable("line\nline\ttab") == "line\\x0aline\\x09tab");
  CHECK(printable("c1 \xC2\x9B end") == "c1 \\x9b end");
  CHECK(printable("\xFF") == "\xEF\xBF\xBD");
  CHECK(printable("123456", 5) == "12345…");
  CHECK(printable("12345", 5) == "12345");
  CHECK(first_line("one\ntwo", 10) == "one…");
  CHECK(first_line("one\r\n", 10) == "one");
}

TEST_CASE("nor change the order in which a line is read") {
  CHECK(printable("a\u202eb\u202c") == "a\\u202eb\\u202c");
  CHECK(printable("\u061c\u200e\u200f\u202a\u2066\u2069\u007f") ==
        "\\u061c\\u200e\\u200f\\u202a\\u2066\\u2069\\x7f");
  CHECK(printable("\u200d \u2026 \u2065 \u206a \u202f \u061b") ==
        "\u200d \u2026 \u2065 \u206a \u202f \u061b");
  CHECK(printable("\u202e12", 7) == "\\u202e1…");
  CHECK(printable_lines("one\u202e\ntwo\x1b\n") == "one\\u202e\ntwo\\x1b\n");
  CHECK(printable_lines("no end") == "no end");
  CHECK(printable_lines("").empty());
}

TEST_CASE("in JSON what a terminal would obey is written as escapes, and nothing else changes") {
  CHECK(with_escaped_controls(R"({"a":"plain ä €"})") == R"({"a":"plain ä €"})");
  CHECK(with_escaped_controls("{\"a\":\"\u202e \xC2\x9B \x7F \u2069 \u061c\"}") ==
        R"({"a":"\u202e \u009b \u007f \u2069 \u061c"})");
  CHECK(with_escaped_controls("\033[1mbold\033[0m \u2014") == "\033[1mbold\033[0m \u2014");
  CHECK(with_escaped_controls("cut \xE2\x80") == "cut \xE2\x80");
  // every two- and three-byte character: the escapes are those of the table, and nothing that is left steers
  for (char32_t point = 0x80; point < 0xD800; ++point) {
    std::string text;
    if (point >= 0x800)
      text = {static_cast<char>(0xE0 | point >> 12), static_cast<char>(0x80 | (point >> 6 & 0x3F)),
              static_cast<char>(0x80 | (point & 0x3F))};
    else
      text = {static_cast<char>(0xC0 | point >> 6), static_cast<char>(0x80 | (point & 0x3F))};
    const bool steers = point < 0xA0 || point == 0x61C || point == 0x200E || point == 0x200F ||
                        (point >= 0x2028 && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
    const auto escaped = with_escaped_controls(text);
    if ((escaped != text) != steers || (steers && escaped.size() != 6))
      FAIL("U+" << std::hex << static_cast<unsigned>(point));
  }
}

TEST_CASE("durations and ages are shown in the unit that fits") {
  CHECK(show_duration_us(400) == "0.4 ms");
  CHECK(show_duration_us(12'400) == "12.4 ms");
  CHECK(show_duration_us(1'250'000) == "1.250 s");
  CHECK(show_age_ms(900) == "0 s");
  CHECK(show_age_ms(59'000) == "59 s");
  CHECK(show_age_ms(252'000) == "4 m 12 s");
  CHECK(show_age_ms(273'600'000) == "3 d 4 h");
}

TEST_CASE("columns are aligned, and coloured only when asked for") {
  text_table table{{"NAME", "N"}, {false, true}};
  table.add({{"äöü", colour::green}, {"1"}});
  table.add({{"a longer name"}, {"1000"}});
  const auto plain = table.lines(terminal{false}, "  ");
  REQUIRE(plain.size() == 3);
  CHECK(plain[0] == "  NAME              N");
  CHECK(plain[1] == "  äöü               1");
  CHECK(plain[2] == "  a longer name  1000");
  CHECK(table.lines(terminal{true})[1].find("\033[32mäöü\033[0m") == 0);
}

TEST_CASE("a table that is printed as it comes keeps its columns, and widens them where it must") {
  text_table table{{"NAME", "N"}, {false, true}};
  table.add({{"a longer name"}, {"1"}});
  CHECK(table.take_lines(terminal{false}) ==
        std::vector<std::string>{"NAME           N", "a longer name  1"});
  CHECK(table.take_lines(terminal{false}).empty());
  table.add({{"b"}, {"2"}});
  CHECK(table.take_lines(terminal{false}) == std::vector<std::string>{"b              2"});
  table.add({{"b"}, {"1000"}});
  table.add({{"b"}, {"2"}});
  CHECK(table.take_lines(terminal{false}) ==
        std::vector<std::string>{"b              1000", "b                 2"});
}

TEST_CASE("progress is one line on a terminal, gone at the end, and nothing elsewhere") {
  std::ostringstream out;
  {
    progress_line line{out, true};
    line.show("1 of 2");
    line.show("a\033[31mb");
    CHECK(out.str() == "\r\033[K1 of 2\r\033[Ka\\x1b[31mb");
    line.show(std::string(200, 'x'));
  }
  CHECK(out.str().ends_with("\r\033[K" + std::string(78, 'x') + "…\r\033[K"));
  std::ostringstream nowhere;
  {
    progress_line line{nowhere, false};
    line.show("1 of 2");
  }
  { const progress_line unused{nowhere, true}; }
  CHECK(nowhere.str().empty());
}

TEST_CASE("JSON is indented without touching its strings") {
  CHECK(indented_json(R"({"a":[1,{"b":"x,{\"y\":}"}],"c":{},"d":[]})") ==
        "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x,{\\\"y\\\":}\"\n    }\n  ],\n  \"c\": {},\n  \"d\": "
        "[]\n}");
}

TEST_CASE("lines are handed out as soon as they are there, numbered, and none is lost or made up") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  auto put = [&](const std::string& text) {
    REQUIRE(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  };
  line_source lines{ends[0]};
  CHECK_FALSE(lines.next());

  put("one\ntw");
  lines.fill();
  auto line = lines.next();
  REQUIRE(line);
  CHECK(line->number == 1);
  CHECK(line->text == "one");
  CHECK_FALSE(lines.next());

  put("o\r\n\nlast");
  lines.fill();
  CHECK(lines.next()->text == "two");
  CHECK(lines.next()->text.empty());
  CHECK_FALSE(lines.next());

  ::close(ends[1]);
  lines.fill();
  CHECK(lines.ended());
  line = lines.next();
  REQUIRE(line);
  CHECK(line->number == 4);
  CHECK(line->text == "last");
  CHECK_FALSE(lines.next());
  ::close(ends[0]);
}
