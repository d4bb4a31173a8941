#include "policy/json_equality.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace vicket {

namespace {

bool equal(std::string_view expected, std::string_view given) {
  json_value_set set;
  set.add(expected);
  return set.contains(given);
}

} // namespace

TEST_CASE("values are equal as JSON, whatever their form") {
  const std::vector<std::vector<std::string>> groups{
      {"null"},
      {"true"},
      {"false"},
      {"0", "-0.0", "0e9"},
      {"1", "1.0", "1e0"},
      {"9007199254740993", "9007199254740993.0"},
      {"9007199254740992"},
      {R"("")"},
      {R"("1")"},
      {R"("null")"},
      {R"("a")", R"("\u0061")"},
      {R"("/")", R"("\/")", R"("\u002F")"},
      {R"("\n")", R"("\u000a")"},
      {"\"\xf0\x9f\x98\x80\"", R"("\ud83d\ude00")"},
      {"\"\xc3\xa9\""},
      {"\"e\xcc\x81\""},
      {"[]", " [ ] "},
      {"{}", "{ }"},
      {"[1]", "[1.0]", "[ 1e0 ]"},
      {"[1,2]"},
      {"[2,1]"},
      {"[[1],2]"},
      {"[1,[2]]"},
      {"[null]"},
      {R"({"a":1})", R"({"\u0061":1.0})", R"({"a":2,"a":1})", R"({"a":{"a":0},"a":1})"},
      {R"({"a":2})"},
      {R"({"a":1,"b":2})", R"({"b":2,"a":1})", R"({"b":3,"a":1,"b":2})"},
      {R"({"a":1,"b":null})"},
      {R"({"a":{"b":[1,{"c":"x"}]}})", R"({ "a" : { "b" : [ 1.0 , { "c" : "\u0078" } ] } })"},
      {R"({"a":{"b":[1,{"c":"y"}]}})"},
      {R"({"a":[{},{}]})"},
      {R"({"a":[{}]})"},
  };
  for (const auto& left : groups)
    for (const auto& right : groups)
      for (const auto& given : right) {
        INFO(left.front() << " and " << given);
        CHECK(equal(left.front(), given) == (&left == &right));
      }
}

TEST_CASE("a value is one of several of any type") {
  json_value_set set;
  for (const auto* one : {"3", "\"b\"", "[1]", "10e-1", "null", "\"a\"", "{\"k\":[true]}", "2"})
    set.add(one);
  for (const auto* one : {"1", "2.0", "3", "\"a\"", "\"b\"", "[1.0]", "null", "{\"k\":[true]}"}) {
    INFO(one);
    CHECK(set.contains(one));
  }
  for (const auto* one : {"4", "\"c\"", "[2]", "true", "{\"k\":[false]}", "\"1\"", "[]", "{}"}) {
    INFO(one);
    CHECK_FALSE(set.contains(one));
  }
  CHECK(set.contains_string("a"));
  CHECK_FALSE(set.contains_string("1"));
  CHECK(set.nested() == 2);
}

TEST_CASE("a value is passed whether it is equal or not") {
  json_value_set set;
  set.add(R"([{"a":[1,2]},3])");
  for (const auto* given :
       {R"([{"a":[1,2]},3])", R"([{"a":[1]},3])", R"([{"a":[1,2,4]},3])", "[]", R"([{"a":[1,2]}])",
        R"([{"a":[1,2]},3,4])", R"([{"b":{"a":[1,2]}},3])", "7", "\"x\"", "null"}) {
    const auto both = "[" + std::string{given} + ",\"next\"]";
    json_cursor at{both};
    at.enter();
    REQUIRE(at.next_element());
    static_cast<void>(set.takes(at));
    INFO(both);
    REQUIRE(at.next_element());
    CHECK(at.skip() == "\"next\"");
    CHECK_FALSE(at.next_element());
  }
}

} // namespace vicket
