#include "policy/json_slices.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

using namespace vicket;

namespace {

struct cut {
  std::vector<std::string> parts; ///< of an object: key and value in turn
  std::string fault;
};

cut cut_up(std::string_view text, json_slices::kind of) {
  cut result;
  json_slices slices{text, of};
  while (const auto one = slices.next()) {
    if (of == json_slices::kind::object)
      result.parts.emplace_back(one->key);
    result.parts.emplace_back(one->value);
  }
  result.fault = slices.fault();
  CHECK_FALSE(slices.next()); // and it stays at its end
  return result;
}

} // namespace

TEST_CASE("an array and an object fall into their parts, each as it is written") {
  using parts = std::vector<std::string>;
  struct row {
    json_slices::kind of;
    std::string_view text;
    parts expected;
  };
  constexpr auto array = json_slices::kind::array;
  constexpr auto object = json_slices::kind::object;
  for (const auto& [of, text, expected] : {
           row{array, "[]", {}},
           row{array, " \t\r\n[ \n] ", {}},
           row{array, "[1]", {"1"}},
           row{array, "[ -1.5e+3 , true,null ]", {"-1.5e+3", "true", "null"}},
           row{array, R"(["a,]","b\"]","\\"])", {R"("a,]")", R"("b\"]")", R"("\\")"}},
           row{array, R"([{"a":["]}",{}]},[[]]])", {R"({"a":["]}",{}]})", "[[]]"}},
           // What is wrong within a part is no matter here.
           row{array, R"(["\ud800",{"a" 1},[{}},nul])", {R"("\ud800")", R"({"a" 1})", "[{}}", "nul"}},
           row{object, "{}", {}},
           row{object, R"({"a":1})", {R"("a")", "1"}},
           row{object, R"( { "a" : [1] , "b}":{"c":"d"} } )", {R"("a")", "[1]", R"("b}")", R"({"c":"d"})"}},
       }) {
    CAPTURE(text);
    const auto result = cut_up(text, of);
    CHECK(result.parts == expected);
    CHECK(result.fault.empty());
  }
}

TEST_CASE("a text that is no array or object says where it is none") {
  struct row {
    json_slices::kind of;
    std::string_view text;
    std::string_view fault;
  };
  constexpr auto array = json_slices::kind::array;
  constexpr auto object = json_slices::kind::object;
  for (const auto& [of, text, fault] : {
           row{array, "", "an array is expected (at byte 0)"},
           row{array, "{}", "an array is expected (at byte 0)"},
           row{object, "[]", "an object is expected (at byte 0)"},
           row{object, "\xef\xbb\xbf{}", "an object is expected (at byte 0)"},
           row{array, "[", "it ends where a value is expected (at byte 1)"},
           row{array, "[1", "a comma or ] is expected (at byte 2)"},
           row{array, "[1,", "it ends where a value is expected (at byte 3)"},
           row{array, "[1,]", "a value is expected (at byte 3)"},
           row{array, "[,1]", "a value is expected (at byte 1)"},
           row{array, "[1 2]", "a comma or ] is expected (at byte 3)"},
           row{array, "[1}", "a comma or ] is expected (at byte 2)"},
           row{array, "[]]", "something follows the value (at byte 2)"},
           row{array, "[\"a", "a string has no end (at byte 3)"},
           row{array, "[\"a\\", "a string has no end (at byte 4)"},
           row{array, "[\"a\\\"", "a string has no end (at byte 5)"},
           row{array, "[[1,2", "a bracket is not closed (at byte 5)"},
           row{array, "[\xef\xbb\xbf{}]", "a value is expected (at byte 1)"},
           row{object, "{", "a name in double quotes is expected (at byte 1)"},
           row{array, "[1,{]},1]", "] closes a { (at byte 4)"},
           row{array, R"(["}",{"]":"\"]"]},1])", "] closes a { (at byte 15)"},
           row{object, R"({"a":[{}}],"b":1})", "} closes a [ (at byte 8)"},
           row{object, "{a:1}", "a name in double quotes is expected (at byte 1)"},
           row{object, R"({"a"})", "a colon is expected (at byte 4)"},
           row{object, R"({"a":})", "a value is expected (at byte 5)"},
           row{object, R"({"a":1,})", "a name in double quotes is expected (at byte 7)"},
           row{object, R"({"a":1]})", "a comma or } is expected (at byte 6)"},
           row{object, R"({"a":1}x)", "something follows the value (at byte 7)"},
       }) {
    CAPTURE(text);
    CHECK(cut_up(text, of).fault == fault);
  }
}

TEST_CASE("a nesting of a million costs neither a stack nor memory") {
  constexpr std::size_t deep = 1'000'000;
  const auto text = "[" + std::string(deep, '[') + std::string(deep, ']') + "]";
  const auto result = cut_up(text, json_slices::kind::array);
  REQUIRE(result.parts.size() == 1);
  CHECK(result.parts[0].size() == 2 * deep);
  CHECK(result.fault.empty());
}

TEST_CASE("a string is one JSON string in UTF-8, and a count one whole number") {
  CHECK(text_of_json(R"("")") == "");
  CHECK(text_of_json(R"("a\"\\\/\b\u00e9\ud83d\ude00é")") == "a\"\\/\bé😀é");
  for (const std::string_view wrong :
       {"", "a", "1", "null", "[]", "[\"a\"]", "{}", "\"a", "\"a\"b\"", "\"\\ud800\"", "\"\\x\"", "\"\n\"",
        "\"\xff\"", "\"a\" \"b\"", "\"\\u12\""}) {
    CAPTURE(wrong);
    CHECK_FALSE(text_of_json(wrong));
  }
  CHECK(count_of_json("0", 10) == 0);
  CHECK(count_of_json("10", 10) == 10);
  CHECK(count_of_json("18446744073709551615", ~std::uint64_t{0}) == ~std::uint64_t{0});
  for (const std::string_view wrong : {"", "11", "-0", "-1", "+1", "01", "00", "1.0", "1e0", " 1", "1 ",
                                       "0x1", "\"1\"", "18446744073709551616", "null", "true"}) {
    CAPTURE(wrong);
    CHECK_FALSE(count_of_json(wrong, 10));
  }
}
