#include "policy/json_strings.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>

namespace vicket {

namespace {

std::string compact(std::string_view json) {
  std::string out;
  CHECK(append_compact_json(out, json, 256, 1'000'000) == json_stop::reason::complete);
  return out;
}

} // namespace

TEST_CASE("text becomes a JSON string with the escapes that it needs") {
  std::string out = "before:";
  append_json_string(out, std::string_view{"a\"b\\c/\n\x01\x1f\x7f\xc3\xa9"});
  CHECK(out == "before:\"a\\\"b\\\\c/\\n\\u0001\\u001f\x7f\xc3\xa9\"");
}

TEST_CASE("JSON is written without blanks, its numbers as they were") {
  CHECK(
      compact(" { \"a\" : [ 1 , 2.50 , -0e+7 , { } , [ ] , [ { } , [ ] ] ] , \"b\" : { \"c\" : null } } ") ==
      R"({"a":[1,2.50,-0e+7,{},[],[{},[]]],"b":{"c":null}})");
  CHECK(compact(R"( "\u0061\/\u00e9\n\ud83d\ude00" )") == "\"a/\xc3\xa9\\n\xf0\x9f\x98\x80\"");
  CHECK(compact("true") == "true");
  CHECK(compact(R"({"a,":",","{":"["})") == R"({"a,":",","{":"["})");
}

TEST_CASE("writing ends where it becomes too deep or too long") {
  std::string out = "x,";
  CHECK(append_compact_json(out, "[[1]]", 1, 100) == json_stop::reason::too_deep);
  out = "x,";
  CHECK(append_compact_json(out, "[[1]]", 2, 7) == json_stop::reason::complete);
  CHECK(out == "x,[[1]]");
  out = "x,";
  CHECK(append_compact_json(out, "[[1]]", 2, 6) == json_stop::reason::handler);
}

} // namespace vicket
