#include "policy/content_filter.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace vicket {

namespace {

content_filter compiled(std::string_view json) {
  auto result = content_filter::compile(json);
  INFO(json);
  if (const auto* fault = std::get_if<json_fault>(&result))
    FAIL(fault->sentence("/filter"));
  return std::get<content_filter>(std::move(result));
}

std::string fault_of(std::string_view json) {
  const auto result = content_filter::compile(json);
  const auto* fault = std::get_if<json_fault>(&result);
  return fault == nullptr ? "" : fault->sentence("/filter");
}

bool matches(std::string_view filter, std::string_view data, std::string_view event = "ticket.created") {
  const auto made = compiled(filter);
  const bool result = made.matches(event, data);
  CHECK(made.mismatches(event, data).empty() == result);
  return result;
}

/// {"/v":{OPERATOR:OPERAND}} on {"v":VALUE}.
bool test(std::string_view name, std::string_view operand, std::string_view value) {
  INFO(name << " " << operand << " on " << value);
  const auto filter = "{\"/v\":{\"" + std::string{name} + "\":" + std::string{operand} + "}}";
  return matches(filter, "{\"v\":" + std::string{value} + "}");
}

std::string nested(std::size_t depth) {
  std::string result;
  for (std::size_t i = 0; i < depth; ++i)
    result += R"({"not":)";
  return result + R"({"event":{"eq":"a"}})" + std::string(depth, '}');
}

} // namespace

TEST_CASE("every operator on a value of every type") {
  struct row {
    std::string_view name;
    std::string_view operand;
    std::vector<std::string_view> match;
    std::vector<std::string_view> do_not;
  };
  const std::vector<row> table{
      {"eq", "null", {"null"}, {"false", "0", "\"\"", "\"null\"", "[]", "{}", "[null]"}},
      {"eq", "true", {"true"}, {"false", "1", "\"true\"", "null", "[true]", "{}"}},
      {"eq", "1", {"1", "1.0", "1e0", "10e-1"}, {"2", "\"1\"", "true", "null", "[1]", "{\"a\":1}", "-1"}},
      {"eq", "\"a\"", {"\"a\"", "\"\\u0061\""}, {"\"A\"", "\"ab\"", "\"\"", "null", "1", "[\"a\"]"}},
      {"eq", "[1,\"a\"]", {"[1,\"a\"]", "[ 1.0 , \"\\u0061\" ]"}, {"[\"a\",1]", "[1]", "[1,\"a\",2]", "1"}},
      {"eq",
       "{\"a\":1,\"b\":[]}",
       {"{\"b\":[],\"a\":1.0}"},
       {"{\"a\":1}", "{\"a\":1,\"b\":[],\"c\":0}", "[]"}},
      {"ne", "1", {"2", "\"1\"", "null", "true", "[]", "{}"}, {"1", "1.0"}},
      {"ne", "\"a\"", {"\"b\"", "1", "null"}, {"\"a\""}},
      {"ne", "null", {"0", "\"\"", "false"}, {"null"}},
      {"in",
       "[1,\"a\",null,[2],{\"b\":3}]",
       {"1.0", "\"a\"", "null", "[2]", "{\"b\":3e0}"},
       {"2", "\"b\"", "false", "[1]", "{}", "[]", "[1,\"a\",null,[2],{\"b\":3}]"}},
      {"exists", "true", {"null", "false", "0", "\"\"", "[]", "{}"}, {}},
      {"exists", "false", {}, {"null", "false", "0", "\"\"", "[]", "{}"}},
      {"lt", "10", {"9", "-1e9", "9.999"}, {"10", "10.0", "11", "\"1\"", "null", "true", "[1]", "{}"}},
      {"le", "10", {"10", "1e1", "-0"}, {"10.01", "\"1\"", "null", "false", "[]", "{}"}},
      {"gt", "10", {"11", "1e400"}, {"10", "9", "\"a\"", "null", "true", "[11]", "{}"}},
      {"ge", "10", {"10", "10.0", "1e9"}, {"9.99", "\"99\"", "null", "true", "[]", "{}"}},
      {"lt", "\"m\"", {"\"a\"", "\"M\"", "\"\""}, {"\"m\"", "\"z\"", "1", "null", "[\"a\"]"}},
      {"le", "\"m\"", {"\"m\"", "\"lz\""}, {"\"ma\"", "0", "null"}},
      {"gt", "\"2026-05-01T00:00:00.000Z\"", {"\"2026-05-23T14:21:11.412Z\""}, {"\"2026-04-30\"", "2027"}},
      {"ge", "\"b\"", {"\"b\"", "\"ba\"", "\"\\u00e9\""}, {"\"a\"", "9", "{}"}},
      {"prefix",
       "\"ab\"",
       {"\"ab\"", "\"abc\"", "\"\\u0061b\""},
       {"\"a\"", "\"xab\"", "\"\"", "1", "null", "[\"ab\"]", "{\"ab\":1}"}},
      {"prefix", "\"\"", {"\"\"", "\"x\""}, {"null", "0"}},
      {"suffix", "\"ab\"", {"\"ab\"", "\"xab\""}, {"\"abx\"", "\"b\"", "1", "null", "[\"ab\"]", "{}"}},
      {"contains",
       "\"ab\"",
       {"\"ab\"", "\"xabx\"", "[\"ab\"]", "[1,\"ab\"]"},
       {"\"a b\"", "[\"xab\"]", "[[\"ab\"]]", "1", "null", "{\"ab\":1}", "[]"}},
      {"contains", "1", {"[1]", "[0,1.0]"}, {"1", "\"1\"", "[\"1\"]", "[11]", "[[1]]", "{\"a\":1}", "null"}},
      {"contains", "{\"a\":1}", {"[{\"a\":1.0}]"}, {"{\"a\":1}", "[{}]"}},
      {"contains", "null", {"[null]"}, {"null", "[]", "\"null\""}},
      {"matches", "\"b+\"", {"\"abbc\"", "\"b\""}, {"\"a\"", "1", "null", "[\"b\"]", "{\"b\":1}", "true"}},
      {"matches", "\"^b+$\"", {"\"bb\""}, {"\"ab\"", "\"b\\n\"", "\"b\\nb\""}},
      {"matches", "\"^.$\"", {"\"\\u00e9\"", "\"\\ud83d\\ude00\""}, {"\"e\\u0301\"", "\"\\n\""}},
      {"matches", "\"^\\\\p{Greek}+$\"", {"\"\\u03b1\\u03b2\""}, {"\"ab\""}},
      {"matches", "\"(?i)^urgent$\"", {"\"URGENT\""}, {"\"urgently\""}},
      {"matches", "\"a\\u0000b\"", {"\"a\\u0000b\""}, {"\"ab\"", "\"a\""}},
  };
  for (const auto& [name, operand, match, do_not] : table) {
    for (const auto& value : match)
      CHECK(test(name, operand, value));
    for (const auto& value : do_not)
      CHECK_FALSE(test(name, operand, value));
  }
}

TEST_CASE("where a pointer leads nowhere no operator matches but exists:false") {
  for (const auto* tests : {R"({"eq":null})", R"({"ne":1})", R"({"in":[null]})", R"({"exists":true})",
                            R"({"lt":1})", R"({"le":1})", R"({"gt":1})", R"({"ge":1})", R"({"prefix":""})",
                            R"({"suffix":""})", R"({"contains":""})", R"({"matches":""})"})
    for (const auto* where : {"/x", "/a/x", "/a/0", "/l/2", "/l/-", "/l/00", "/s/0"}) {
      const auto filter = "{\"" + std::string{where} + "\":" + tests + "}";
      INFO(filter);
      CHECK_FALSE(matches(filter, R"({"a":{},"l":[1,2],"s":"text"})"));
      CHECK(matches("{\"not\":" + filter + "}", R"({"a":{},"l":[1,2],"s":"text"})"));
    }
  CHECK(matches(R"({"/x":{"exists":false}})", "{}"));
  CHECK_FALSE(matches(R"({"/x":{"exists":false}})", R"({"x":null})"));
}

TEST_CASE("the event's name is a string to every operator") {
  struct row {
    std::string_view tests;
    bool matches;
  };
  const std::vector<row> table{
      {R"({"eq":"ticket.created"})", true},
      {R"({"eq":"ticket"})", false},
      {R"({"eq":1})", false},
      {R"({"ne":"ticket.created"})", false},
      {R"({"ne":1})", true},
      {R"({"in":["a","ticket.created"]})", true},
      {R"({"in":["a",null]})", false},
      {R"({"exists":true})", true},
      {R"({"exists":false})", false},
      {R"({"lt":"u"})", true},
      {R"({"lt":5})", false},
      {R"({"ge":"ticket.created"})", true},
      {R"({"gt":"ticket.created"})", false},
      {R"({"le":"ticket"})", false},
      {R"({"prefix":"ticket."})", true},
      {R"({"suffix":".created"})", true},
      {R"({"contains":"ket.cre"})", true},
      {R"({"contains":["ticket.created"]})", false},
      {R"({"matches":"^ticket\\.[a-z]+$"})", true},
      {R"({"matches":"^created"})", false},
  };
  for (const auto& [tests, expected] : table) {
    INFO(tests);
    CHECK(matches("{\"event\":" + std::string{tests} + "}", "{}") == expected);
  }
  CHECK(matches(R"({"event":{"eq":"a\"b"}})", "{}", "a\"b"));
}

TEST_CASE("numbers are compared exactly, whatever their form") {
  const auto many = "1" + std::string(399, '0');
  CHECK(test("eq", "9007199254740993", "9007199254740993.0"));
  CHECK_FALSE(test("eq", "9007199254740993", "9007199254740992"));
  CHECK(test("gt", "9007199254740992", "9007199254740993"));
  CHECK(test("eq", many, many));
  CHECK(test("eq", many, "1e399"));
  CHECK(test("lt", many + "1", many + "0"));
  CHECK_FALSE(test("lt", many + "0", many + "0"));
  CHECK(test("in", "[3,1e1000000000,-5]", "10e999999999"));
  CHECK(test("lt", "1e1000000000", "1e999999999"));
  CHECK(test("gt", "0", "1e-1000000000"));
  CHECK(test("eq", "0", "-0.0e17"));
}

TEST_CASE("strings are compared by their code points") {
  // In UTF-16 the surrogates of U+10000 stand before U+FFFD; by code points they do not.
  CHECK(test("gt", R"("\uFFFD")", R"("\ud800\udc00")"));
  CHECK(test("lt", R"("\uE000")", R"("\uD7FF")"));
  CHECK(test("eq", R"("\u00e9")", "\"\xc3\xa9\""));
  CHECK_FALSE(test("eq", R"("e\u0301")", R"("\u00e9")")); // not normalized
  CHECK(test("contains", R"("\u0000")", R"("a\u0000b")"));
  CHECK(test("prefix", R"("\ud83d\ude00")", "\"\xf0\x9f\x98\x80!\""));
}

TEST_CASE("conditions are composed by all, any and not, and stand beside one another") {
  constexpr std::string_view data = R"({"a":1,"b":"x","c":[1,2]})";
  struct row {
    std::string_view filter;
    bool matches;
  };
  const std::vector<row> table{
      {R"({"/a":{"eq":1},"/b":{"eq":"x"}})", true},
      {R"({"/a":{"eq":1},"/b":{"eq":"y"}})", false},
      {R"({"/a":{"gt":0,"lt":2}})", true},
      {R"({"/a":{"gt":0,"lt":1}})", false},
      {R"({"all":[{"/a":{"eq":1}},{"/b":{"eq":"x"}}]})", true},
      {R"({"all":[{"/a":{"eq":1}},{"/b":{"eq":"y"}}]})", false},
      {R"({"any":[{"/a":{"eq":2}},{"/b":{"eq":"x"}}]})", true},
      {R"({"any":[{"/a":{"eq":2}},{"/b":{"eq":"y"}}]})", false},
      {R"({"not":{"/a":{"eq":2}}})", true},
      {R"({"not":{"/a":{"eq":1}}})", false},
      {R"({"not":{"/a":{"eq":1},"/b":{"eq":"y"}}})", true},
      {R"({"not":{"not":{"/a":{"eq":1}}}})", true},
      {R"({"any":[{"/a":{"eq":2}},{"all":[{"/b":{"eq":"x"}},{"not":{"/c/0":{"gt":1}}}]}],"/c/1":{"eq":2}})",
       true},
      {R"({"event":{"suffix":".created"},"/c":{"contains":2},"":{"exists":true}})", true},
      {R"({"event":{"suffix":".deleted"},"any":[{"/a":{"eq":1}}]})", false},
  };
  for (const auto& [filter, expected] : table) {
    INFO(filter);
    CHECK(matches(filter, data) == expected);
  }
}

TEST_CASE("an event of 128 levels is looked into to its end") {
  std::string where;
  std::string data;
  for (int i = 0; i < 127; ++i) {
    where += "/a";
    data += R"({"a":)";
  }
  data += "[7]" + std::string(127, '}');
  CHECK(matches("{\"" + where + "/0\":{\"eq\":7}}", data));
  CHECK(matches("{\"" + where + "\":{\"contains\":7}}", data));
  CHECK_FALSE(matches("{\"" + where + "/1\":{\"exists\":true}}", data));
}

TEST_CASE("a filter says which of its conditions does not match") {
  struct row {
    std::string_view filter;
    std::vector<std::string> sentences;
  };
  constexpr std::string_view data = R"({"ticket":{"priority":"low","tags":["a"],"score":0.25},"a/b":{}})";
  const std::vector<row> table{
      {R"({"event":{"prefix":"user."}})",
       {R"(/filter/event/prefix: event is "ticket.created", which does not begin with "user.")"}},
      {R"({"event":{"prefix":"ticket."},"/ticket/priority":{"in":["high","urgent"]}})",
       {R"(/filter/~1ticket~1priority/in: /ticket/priority is "low", which is not in ["high","urgent"])"}},
      {R"({"/ticket/owner":{"eq":"me"}})", {R"(/filter/~1ticket~1owner/eq: /ticket/owner is missing)"}},
      {R"({"/ticket/score":{"gt":0.2,"ge":0.5}})",
       {R"(/filter/~1ticket~1score/ge: /ticket/score is 0.25, which is not at least 0.5)"}},
      {R"({"/a~1b":{"exists":false}})", {R"(/filter/~1a~01b/exists: /a~1b is {}, and exists wants false)"}},
      {R"({"any":[{"/x":{"eq":1}},{"all":[{"event":{"exists":true}},{"/ticket/tags":{"contains":"b"}}]}]})",
       {R"(/filter/any/0/~1x/eq: /x is missing)",
        R"(/filter/any/1/all/1/~1ticket~1tags/contains: /ticket/tags is ["a"], which does not contain "b")"}},
      {R"({"not":{"/ticket/priority":{"eq":"low"}}})", {R"(/filter/not: what is in it holds, and must not)"}},
      {R"({"any":[{"/x":{"eq":1}},{"event":{"exists":true}}],"":{"eq":{}}})",
       {R"(/filter//eq: data is {"ticket":{"priority":"low","tags":["a"],"score":0.25},"a/b":{}}, which does not equal {})"}},
  };
  for (const auto& [filter, sentences] : table) {
    std::vector<std::string> said;
    for (const auto& one : compiled(filter).mismatches("ticket.created", data))
      said.push_back(one.sentence("/filter"));
    INFO(filter);
    CHECK(said == sentences);
  }
}

TEST_CASE("of long values and many alternatives a mismatch shows the beginning") {
  std::string filter = R"({"any":[)";
  for (int i = 0; i < 30; ++i)
    filter += R"({"/v":{"eq":)" + std::to_string(i) + "}},";
  filter.back() = ']';
  filter += "}";
  const auto long_text = std::string(78, 'x') + "\xc3\xa9\xc3\xa9" + std::string(100, 'y');
  const auto all = compiled(filter).mismatches("e", "{\"v\":\"" + long_text + "\"}");
  REQUIRE(all.size() == content_filter::max_mismatches);
  CHECK(all.back().what == "/v is \"" + std::string(78, 'x') + "…, which does not equal 15");
}

TEST_CASE("what is no filter is refused with the place and a sentence") {
  struct row {
    std::string_view filter;
    std::string_view sentence;
  };
  const std::vector<row> table{
      {"", "/filter: is not valid JSON at line 1, column 1: it ends where a value is expected"},
      {"{\"a\"", "/filter: is not valid JSON at line 1, column 5: a colon is expected"},
      {"\xff", "/filter: is not valid JSON at line 1, column 1: it is not UTF-8 there"},
      {"[]", "/filter: must be an object"},
      {"true", "/filter: must be an object"},
      {"{}", "/filter: is empty"},
      {R"({"all":[]})", "/filter/all: is empty"},
      {R"({"any":{}})", "/filter/any: must be an array of filters"},
      {R"({"any":[{}]})", "/filter/any/0: is empty"},
      {R"({"any":[{"event":{"eq":"a"}},5]})", "/filter/any/1: must be an object"},
      {R"({"not":[]})", "/filter/not: must be an object"},
      {R"({"not":{}})", "/filter/not: is empty"},
      {R"({"or":[]})",
       R"(/filter/or: "or" is none of event, all, any, not and no pointer into data: those begin with a slash)"},
      {R"({"ticket.id":{"eq":1}})",
       R"(/filter/ticket.id: "ticket.id" is none of event, all, any, not and no pointer into data: those begin with a slash)"},
      {R"({"/a~2":{"eq":1}})",
       "/filter/~1a~02: in a pointer (RFC 6901) ~ is written ~0, and a slash in a name ~1"},
      {R"({"/a":5})", "/filter/~1a: must be an object of operators, such as {\"eq\": …}"},
      {R"({"/a":{}})", "/filter/~1a: is empty"},
      {R"({"/a":{"like":"x"}})",
       R"(/filter/~1a/like: "like" is no operator; there are eq, ne, in, exists, lt, le, gt, ge, prefix, suffix, contains and matches)"},
      {R"({"/a":{"EQ":1}})",
       R"(/filter/~1a/EQ: "EQ" is no operator; there are eq, ne, in, exists, lt, le, gt, ge, prefix, suffix, contains and matches)"},
      {R"({"/a":{"in":"x"}})", "/filter/~1a/in: must be an array of values"},
      {R"({"/a":{"in":[]}})", "/filter/~1a/in: is empty"},
      {R"({"/a":{"exists":1}})", "/filter/~1a/exists: must be true or false"},
      {R"({"/a":{"exists":null}})", "/filter/~1a/exists: must be true or false"},
      {R"({"/a":{"lt":true}})", "/filter/~1a/lt: must be a number or a string"},
      {R"({"/a":{"ge":[1]}})", "/filter/~1a/ge: must be a number or a string"},
      {R"({"/a":{"prefix":1}})", "/filter/~1a/prefix: must be a string"},
      {R"({"/a":{"suffix":null}})", "/filter/~1a/suffix: must be a string"},
      {R"({"/a":{"matches":1}})", "/filter/~1a/matches: must be a string: a regular expression"},
      {R"({"/a":{"matches":"("}})",
       "/filter/~1a/matches: is no regular expression that RE2 takes: missing ): ("},
      {R"({"/a":{"matches":"a\\1"}})",
       "/filter/~1a/matches: is no regular expression that RE2 takes: invalid escape sequence: \\1"},
      {R"_({"/a":{"matches":"(?=a)"}})_",
       "/filter/~1a/matches: is no regular expression that RE2 takes: invalid perl operator: (?="},
      {R"({"/a":{"eq":1},"/a":{"eq":2}})", "/filter/~1a: is there twice"},
      {R"({"/a":{"eq":1,"\u0065q":2}})", "/filter/~1a/eq: is there twice"},
      {R"({"/a":{"eq":{"b":[{"c":1,"c":2}]}}})", "/filter/~1a/eq/b/0/c: is there twice"},
      {R"({"event":"a"})", "/filter/event: must be an object of operators, such as {\"eq\": …}"},
  };
  for (const auto& [filter, sentence] : table) {
    INFO(filter);
    CHECK(fault_of(filter) == sentence);
  }
}

TEST_CASE("a filter has bounds, and what is at them is still taken") {
  namespace bounds = filter_bounds;
  SECTION("bytes") {
    const auto of_bytes = [](std::size_t bytes) {
      std::string filter = R"({"/a":{"eq":""}})";
      return filter.insert(filter.size() - 3, bytes - filter.size(), 'x');
    };
    CHECK(fault_of(of_bytes(bounds::bytes)).empty());
    CHECK(fault_of(of_bytes(bounds::bytes + 1)) == "/filter: has 16385 bytes; at most 16384 are allowed");
  }
  SECTION("depth") {
    CHECK(fault_of(nested(bounds::depth - 2)).empty());
    CHECK(fault_of(nested(bounds::depth - 1)) == "/filter: is nested more than 32 deep");
    CHECK(fault_of(nested(128)) == "/filter: is nested more than 32 deep");
    CHECK(fault_of(R"({"/a":{"eq":)" + std::string(1'000, '[')) == "/filter: is nested more than 32 deep");
  }
  SECTION("conditions") {
    const auto of_conditions = [](std::size_t count) {
      std::string filter = R"({"any":[)";
      for (std::size_t i = 0; i < count; ++i)
        filter += R"({"/a":{"eq":1}},)";
      filter.back() = ']';
      return filter + "}";
    };
    CHECK(fault_of(of_conditions(64)).empty());
    CHECK(fault_of(of_conditions(65)) == "/filter/any/64/~1a/eq: is one too many: a filter may have 64 "
                                         "conditions, where an object or array in "
                                         "`in` counts as one");
  }
  SECTION("values of in") {
    const auto of_values = [](std::size_t count, const std::string& value) {
      std::string filter = R"({"/a":{"in":[)";
      for (std::size_t i = 0; i < count; ++i)
        filter += value + ",";
      filter.back() = ']';
      return filter + "}}";
    };
    CHECK(fault_of(of_values(5'000, "1")).empty());
    CHECK(fault_of(of_values(64, "[1]")).empty());
    CHECK_FALSE(fault_of(of_values(65, "[1]")).empty());
    CHECK(fault_of(of_values(32, "[1],2,3,4")).empty()); // scalars count as nothing, also behind arrays
  }
  SECTION("patterns") {
    const auto of_patterns = [](std::size_t count) {
      std::string filter = R"({"any":[)";
      for (std::size_t i = 0; i < count; ++i)
        filter += R"({"/a":{"matches":"a"}},)";
      filter.back() = ']';
      return filter + "}";
    };
    CHECK(fault_of(of_patterns(8)).empty());
    CHECK(fault_of(of_patterns(9)) ==
          "/filter/any/8/~1a/matches: is one too many: a filter may have 8 regular expressions");
  }
  SECTION("bytes of a pattern") {
    const auto of_bytes = [](std::size_t bytes) {
      return R"({"/a":{"matches":")" + std::string(bytes, 'x') + R"("}})";
    };
    CHECK(fault_of(of_bytes(1'024)).empty());
    CHECK(fault_of(of_bytes(1'025)) == "/filter/~1a/matches: has 1025 bytes; at most 1024 are allowed");
    CHECK(fault_of(of_bytes(65'536)) == "/filter: has 65557 bytes; at most 16384 are allowed");
  }
  SECTION("memory of a pattern") {
    CHECK(fault_of(R"({"/a":{"matches":"(\\pL{500}){2}"}})") ==
          "/filter/~1a/matches: is no regular expression that RE2 takes: pattern too large - compile failed");
    CHECK(fault_of(R"({"/a":{"matches":"^[\\pL\\pN]{1,8}-\\pL+$"}})").empty());
  }
}

TEST_CASE("a pattern that would keep an engine busy that goes back takes linear time") {
  const auto filter = compiled(R"({"/v":{"matches":"^(a+)+$"}})");
  const auto data = "{\"v\":\"" + std::string(200'000, 'a') + "b\"}";
  CHECK_FALSE(filter.matches("e", data)); // else the test would not end
}

TEST_CASE("a filter is kept as compact JSON that says the same") {
  const auto filter =
      compiled(" { \"\\u0065vent\" : { \"prefix\" : \"a\\/b\" } ,\n \"/x\" : { \"ge\" : 1.50 } } ");
  CHECK(filter.text() == R"({"event":{"prefix":"a/b"},"/x":{"ge":1.50}})");
  CHECK(compiled(filter.text()).text() == filter.text());
}

TEST_CASE("a filter that was moved judges as before") {
  auto filter = compiled(R"({"/a/0":{"eq":1},"event":{"matches":"^t"}})");
  const auto moved = std::move(filter);
  CHECK(moved.matches("ticket", R"({"a":[1]})"));
  CHECK_FALSE(moved.matches("user", R"({"a":[1]})"));
}

} // namespace vicket
