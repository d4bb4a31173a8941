#include "apps/line_source.hpp"
#include "apps/terminal.hpp"

#include <catch2/catch_test_macros.hpp>

#include <unistd.h>

#include <array>
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
