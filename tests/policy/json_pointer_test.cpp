#include "policy/json_places.hpp"
#include "policy/json_pointer.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vicket {

namespace {

json_pointer pointer(std::string_view text) {
  auto result = json_pointer::parse(text);
  INFO(text);
  REQUIRE(std::holds_alternative<json_pointer>(result));
  return std::get<json_pointer>(std::move(result));
}

std::string complaint_of(std::string_view text) {
  const auto result = json_pointer::parse(text);
  return std::holds_alternative<std::string>(result) ? std::get<std::string>(result) : "";
}

/// What is found there; empty: nothing.
std::string at(std::string_view json, std::string_view where) {
  json_places places;
  places.add(pointer(where));
  std::vector<std::string_view> found;
  places.find(json, found);
  REQUIRE(found.size() == 1);
  return std::string{found[0]};
}

} // namespace

TEST_CASE("the pointers of RFC 6901, section 5, lead where it says") {
  constexpr std::string_view document = R"({
      "foo": ["bar", "baz"],
      "": 0,
      "a/b": 1,
      "c%d": 2,
      "e^f": 3,
      "g|h": 4,
      "i\\j": 5,
      "k\"l": 6,
      " ": 7,
      "m~n": 8
   })";
  CHECK(at(document, "") == document);
  CHECK(at(document, "/foo") == R"(["bar", "baz"])");
  CHECK(at(document, "/foo/0") == R"("bar")");
  CHECK(at(document, "/") == "0");
  CHECK(at(document, "/a~1b") == "1");
  CHECK(at(document, "/c%d") == "2");
  CHECK(at(document, "/e^f") == "3");
  CHECK(at(document, "/g|h") == "4");
  CHECK(at(document, "/i\\j") == "5");
  CHECK(at(document, "/k\"l") == "6");
  CHECK(at(document, "/ ") == "7");
  CHECK(at(document, "/m~0n") == "8");
}

TEST_CASE("a pointer that leads nowhere finds nothing") {
  struct row {
    std::string_view json;
    std::string_view where;
    std::string_view found;
  };
  const std::vector<row> table{
      {R"({"a":1})", "/b", ""},
      {R"({"a":1})", "/a/b", ""},
      {R"({"a":"text"})", "/a/0", ""},
      {R"({"a":null})", "/a", "null"},
      {R"({"a":null})", "/a/b", ""},
      {R"({"A":1})", "/a", ""},
      {R"({"a":{}})", "/a/", ""},
      {R"({"a":{"":1}})", "/a/", "1"},
      {R"({"a":[]})", "/a/0", ""},
      {R"({"a":[1,2,3]})", "/a/2", "3"},
      {R"({"a":[1,2,3]})", "/a/3", ""},
      {R"({"a":[1,2,3]})", "/a/-", ""},
      {R"({"a":[1,2,3]})", "/a/01", ""},
      {R"({"a":[1,2,3]})", "/a/00", ""},
      {R"({"a":[1,2,3]})", "/a/+1", ""},
      {R"({"a":[1,2,3]})", "/a/1.0", ""},
      {R"({"a":[1,2,3]})", "/a/-1", ""},
      {R"({"a":[1,2,3]})", "/a/", ""},
      {R"({"a":[1,2,3]})", "/a/18446744073709551617", ""},
      {R"({"a":{"0":1,"01":2,"-":3}})", "/a/0", "1"},
      {R"({"a":{"0":1,"01":2,"-":3}})", "/a/01", "2"},
      {R"({"a":{"0":1,"01":2,"-":3}})", "/a/-", "3"},
      {R"([[1,[2,3]],4])", "/0/1/0", "2"},
      {R"([[1,[2,3]],4])", "/1", "4"},
      {R"("text")", "", R"("text")"},
      {R"( {"a" : { "b" : [ 1 , { "c" : -1.5e3 } ] } } )", "/a/b/1/c", "-1.5e3"},
      {R"({"x":"\"}{[","a":"\\"})", "/a", R"("\\")"},
      {R"({"x":[{"a":9}],"a":true})", "/a", "true"},
  };
  for (const auto& [json, where, found] : table) {
    INFO(json << " at " << where);
    CHECK(at(json, where) == found);
  }
}

TEST_CASE("names are compared by their characters, whatever their escapes") {
  CHECK(at(R"({"\u0061":1})", "/a") == "1");
  CHECK(at(R"({"\ud83d\ude00":1})", "/\xf0\x9f\x98\x80") == "1");
  CHECK(at(R"({"a\/b":1})", "/a~1b") == "1");
  CHECK(at(R"({"~1":1})", "/~01") == "1");
  CHECK(at("{\"\xc3\xa9\":1}", "/\xc3\xa9") == "1");
  CHECK(at("{\"e\xcc\x81\":1}", "/\xc3\xa9").empty()); // not normalized
}

TEST_CASE("of a name that is there several times the last one counts, with all that is below it") {
  CHECK(at(R"({"a":1,"a":2})", "/a") == "2");
  CHECK(at(R"({"a":1,"\u0061":2})", "/a") == "2");
  CHECK(at(R"({"a":{"b":1},"a":{"b":2}})", "/a/b") == "2");
  CHECK(at(R"({"a":{"b":1},"a":{"c":2}})", "/a/b").empty());
  CHECK(at(R"({"a":{"b":{"c":1}},"a":0})", "/a/b/c").empty());
  CHECK(at(R"({"a":[1,2],"a":[3]})", "/a/1").empty());
  CHECK(at(R"({"a":[{"b":1}],"a":[{}]})", "/a/0/b").empty());
}

TEST_CASE("several pointers are followed in one pass, and one that comes again has the same number") {
  json_places places;
  const auto a = places.add(pointer("/a"));
  const auto ab = places.add(pointer("/a/b"));
  const auto ab1 = places.add(pointer("/a/b/1"));
  const auto ab0 = places.add(pointer("/a/b/0"));
  const auto all = places.add(pointer(""));
  const auto none = places.add(pointer("/a/x/y"));
  CHECK(places.add(pointer("/a/b")) == ab);
  CHECK(places.size() == 6);
  std::vector<std::string_view> found{"what was found before"};
  places.find(R"({"z":0,"a":{"b":[true,"x",[]],"c":{}}})", found);
  REQUIRE(found.size() == 6);
  CHECK(found[a] == R"({"b":[true,"x",[]],"c":{}})");
  CHECK(found[ab] == R"([true,"x",[]])");
  CHECK(found[ab0] == "true");
  CHECK(found[ab1] == R"("x")");
  CHECK(found[all] == R"({"z":0,"a":{"b":[true,"x",[]],"c":{}}})");
  CHECK(found[none].empty());
}

TEST_CASE("a pointer goes as deep as data may be") {
  std::string where;
  std::string json;
  for (int i = 0; i < 128; ++i) {
    where += "/a";
    json += R"({"a":)";
  }
  json += "7" + std::string(128, '}');
  CHECK(at(json, where) == "7");
  CHECK(complaint_of(where + "/a") == "a pointer has 129 steps; at most 128 are allowed");
}

TEST_CASE("what is no pointer is refused with a sentence") {
  CHECK(complaint_of("a") == "a pointer (RFC 6901) begins with a slash");
  CHECK(complaint_of("#/a") == "a pointer (RFC 6901) begins with a slash");
  CHECK(complaint_of("/~") == "in a pointer (RFC 6901) ~ is written ~0, and a slash in a name ~1");
  CHECK(complaint_of("/a~2") == "in a pointer (RFC 6901) ~ is written ~0, and a slash in a name ~1");
  CHECK(complaint_of("/a~/b") == "in a pointer (RFC 6901) ~ is written ~0, and a slash in a name ~1");
  CHECK(complaint_of("/" + std::string(1'023, 'a')).empty());
  CHECK(complaint_of("/" + std::string(1'024, 'a')) == "a pointer has 1025 bytes; at most 1024 are allowed");
}

TEST_CASE("a token is written so that reading the pointer gives it back") {
  for (const std::string token : {"", "a", "a/b", "~", "~1", "m~n", "/", "\xc3\xa9"}) {
    std::string written;
    append_pointer_token(written, token);
    CHECK(pointer(written).tokens() == std::vector<std::string>{token});
  }
}

} // namespace vicket
