#include "policy/event_template.hpp"

#include "policy/envelope.hpp"
#include "policy/rfc3339.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace vicket {

namespace {

constexpr std::size_t plenty = 1'000'000;

template_source source(std::string_view data, std::string_view event = "ticket.created") {
  return {event, parse_rfc3339("2026-05-23T14:21:11.412Z").value(), data};
}

event_template made(std::variant<event_template, json_fault> result) {
  if (const auto* fault = std::get_if<json_fault>(&result))
    FAIL(fault->sentence());
  return std::get<event_template>(std::move(result));
}

std::string filled(const event_template& with, const template_source& from) {
  auto result = with.fill(from, plenty);
  if (const auto* wrong = std::get_if<refusal>(&result))
    return to_string(wrong->code) + ": " + wrong->detail;
  return std::get<std::string>(std::move(result));
}

std::string text(std::string_view written, std::string_view data) {
  return filled(made(event_template::of_text(written)), source(data));
}

std::string json(std::string_view written, std::string_view data) {
  return filled(made(event_template::of_json(written)), source(data));
}

std::string fault_of(const std::variant<event_template, json_fault>& result) {
  const auto* fault = std::get_if<json_fault>(&result);
  return fault == nullptr ? "" : fault->sentence("/data");
}

std::string nested(std::size_t depth, const std::string& inside) {
  return std::string(depth, '[') + inside + std::string(depth, ']');
}

constexpr std::string_view ticket =
    R"({"ticket":{"id":"T-1","n":1.50,"ok":true,"none":null,"tags":[ "a" , {"b":1} ],"say \"hi\"":"\u00e9\"\n\/"},"a/b":{"~":"t"}})";

} // namespace

TEST_CASE("a text has the event's values filled in") {
  struct row {
    std::string_view written;
    std::string_view becomes;
  };
  const std::vector<row> table{
      {"", ""},
      {"plain, with { one } and }} two", "plain, with { one } and }} two"},
      {"Ticket {{/ticket/id}} resolved", "Ticket T-1 resolved"},
      {"{{/ticket/id}}{{/ticket/id}}", "T-1T-1"},
      {"{{ /ticket/id }}", "T-1"},
      {"{{/ticket/n}}", "1.50"},
      {"{{/ticket/ok}} {{/ticket/none}}", "true null"},
      {"{{/ticket/tags}}", R"(["a",{"b":1}])"},
      {"{{/ticket/tags/1}}", R"({"b":1})"},
      {"{{/ticket/tags/0}}", "a"},
      {"<{{/ticket/tags/2}}>", "<>"},
      {"<{{/no/such}}>", "<>"},
      {"{{/ticket/say \"hi\"}}", "\xc3\xa9\"\n/"},
      {"{{/a~1b/~0}}", "t"},
      {"{{event}} at {{occurred_at}}", "ticket.created at 2026-05-23T14:21:11.412Z"},
      {"{{data}}", R"({"ticket":{"id":"T-1","n":1.50,"ok":true,"none":null,"tags":["a",{"b":1}],)"
                   "\"say \\\"hi\\\"\":\"\xc3\xa9\\\"\\n/\"},\"a/b\":{\"~\":\"t\"}}"},
      {"{{{{", "{{"},
      {"{{{{/ticket/id}}", "{{/ticket/id}}"},
      {"{", "{"},
      {"{{{/ticket/id}}}", "{T-1}"},
      {"{{{{{", "{{{"},
      {"{{{{{{/ticket/id}}", "{{T-1"},
      {"{{{{{{{/ticket/id}}", "{{{T-1"},
      {"{{{{{{{{", "{{{{"},
  };
  for (const auto& [written, becomes] : table) {
    INFO(written);
    CHECK(text(written, ticket) == becomes);
  }
}

TEST_CASE("a value has placeholders replaced by values of any type, or by text") {
  struct row {
    std::string_view written;
    std::string_view becomes;
  };
  const std::vector<row> table{
      {"{}", "{}"},
      {R"( { "a" : [ 1.50 , null , true , "\u0061\/" ] , "b" : { } } )",
       R"({"a":[1.50,null,true,"a/"],"b":{}})"},
      {R"({"v":"{{/ticket/id}}"})", R"({"v":"T-1"})"},
      {R"({"v":"{{ /ticket/n }}"})", R"({"v":1.50})"},
      {R"({"v":"{{/ticket/ok}}","w":"{{/ticket/none}}"})", R"({"v":true,"w":null})"},
      {R"({"v":"{{/ticket/tags}}"})", R"({"v":["a",{"b":1}]})"},
      {R"({"v":"{{/ticket/say \"hi\"}}"})", "{\"v\":\"\xc3\xa9\\\"\\n/\"}"},
      {R"({"v":"<{{/ticket/say \"hi\"}}>"})", "{\"v\":\"<\xc3\xa9\\\"\\n/>\"}"},
      {R"({"v":"{{/no/such}}"})", R"({"v":null})"},
      {R"({"v":"<{{/no/such}}>"})", R"({"v":"<>"})"},
      {R"({"v":" {{/ticket/n}}"})", R"({"v":" 1.50"})"},
      {R"({"v":"{{/ticket/n}}{{/ticket/ok}}"})", R"({"v":"1.50true"})"},
      {R"({"v":"x{{/ticket/tags}}"})", R"({"v":"x[\"a\",{\"b\":1}]"})"},
      {R"({"v":["{{event}}","{{occurred_at}}","on {{event}}"]})",
       R"({"v":["ticket.created","2026-05-23T14:21:11.412Z","on ticket.created"]})"},
      {R"({"v":"{{{{"})", R"({"v":"{{"})"},
      {R"({"v":"\u007b{/ticket/id}}"})", R"({"v":"T-1"})"},
      {R"("{{/ticket/tags/1}}")", R"({"b":1})"},
      {R"("{{/a~1b}}")", R"({"~":"t"})"},
      {R"({"a":{"b":[{"c":"{{/ticket/id}}"},[[]],"{{/ticket/id}}"]}})",
       R"({"a":{"b":[{"c":"T-1"},[[]],"T-1"]}})"},
  };
  for (const auto& [written, becomes] : table) {
    INFO(written);
    CHECK(json(written, ticket) == becomes);
  }
  CHECK(json(R"("{{data}}")", R"( { "a" : 1 } )") == R"({"a":1})");
  CHECK(json(R"({"e":"{{event}}"})", "{}") == R"({"e":"ticket.created"})");
  CHECK(filled(made(event_template::of_json(R"({"e":"{{event}}","f":"-{{event}}"})")),
               source("{}", "a\"b\\")) == R"({"e":"a\"b\\","f":"-a\"b\\"})");
}

TEST_CASE("values cannot break out of the JSON that a template makes") {
  constexpr std::string_view hostile = R"({"v":"\",\"admin\":true,\"x\":\"\u0000\u001f\\"})";
  CHECK(json(R"({"a":"{{/v}}"})", hostile) == R"({"a":"\",\"admin\":true,\"x\":\"\u0000\u001f\\"})");
  CHECK(json(R"({"a":"<{{/v}}>"})", hostile) == R"({"a":"<\",\"admin\":true,\"x\":\"\u0000\u001f\\>"})");
  CHECK(json(R"({"a":"{{data}}!"})", R"({"k\"":"\\"})") == R"({"a":"{\"k\\\"\":\"\\\\\"}!"})");
}

TEST_CASE("what is no object can't be data") {
  CHECK(json(R"("{{/ticket/id}}")", ticket) ==
        R"(invalid_event: data has to be an object, but {{/ticket/id}} is "T-1")");
  CHECK(json(R"("{{/ticket/tags}}")", ticket).starts_with("invalid_event: data has to be an object"));
  CHECK(json(R"("{{/x}}")", ticket) == "invalid_event: data has to be an object, but {{/x}} is missing");
}

TEST_CASE("what is made is at most as deep as data may be") {
  const auto of_depth = [](std::size_t depth) { return "{\"v\":" + nested(depth, "") + "}"; };
  CHECK(json(R"({"a":"{{/v}}"})", of_depth(127)) == "{\"a\":" + nested(127, "") + "}");
  CHECK(json(R"({"a":["{{/v}}"]})", of_depth(127)) ==
        "invalid_event: data is nested more than 128 deep with what {{/v}} is filled in by");
  CHECK(json(R"({"a":["{{/v}}"]})", of_depth(126)) == "{\"a\":[" + nested(126, "") + "]}");
  CHECK(json(R"({"a":["as text: {{/v}}"]})", of_depth(127)) ==
        "{\"a\":[\"as text: " + nested(127, "") + "\"]}");
  const auto deepest = "{\"a\":" + nested(127, "\"{{/v}}\"") + "}";
  CHECK(json(deepest, R"({"v":1})") == "{\"a\":" + nested(127, "1") + "}");
  CHECK(json(deepest, R"({"v":[]})").starts_with("invalid_event: data is nested more than 128 deep"));
  CHECK(fault_of(event_template::of_json("{\"a\":" + nested(128, "") + "}")) ==
        "/data: is nested more than 128 deep");
}

TEST_CASE("what is made is never longer than it may be, however often a value is filled in") {
  std::string many;
  for (int i = 0; i < 1'000; ++i)
    many += "{{/v}}";
  const auto data = "{\"v\":\"" + std::string(10'000, 'x') + "\"}";
  const auto result = made(event_template::of_text(many)).fill(source(data), 20'000);
  REQUIRE(std::holds_alternative<refusal>(result));
  CHECK(std::get<refusal>(result) ==
        refusal{errc::too_large, "what comes of the template is longer than 20000 bytes"});
  const auto exact = made(event_template::of_text("{{/v}}"));
  CHECK(std::holds_alternative<std::string>(exact.fill(source(data), 10'000)));
  CHECK(std::holds_alternative<refusal>(exact.fill(source(data), 9'999)));
  const auto value = made(event_template::of_json(R"({"a":"{{/v}}"})"));
  CHECK(std::holds_alternative<std::string>(value.fill(source(data), 10'008)));
  CHECK(std::holds_alternative<refusal>(value.fill(source(data), 10'007)));
  const auto after = made(event_template::of_text("{{/v}}12345"));
  CHECK(std::holds_alternative<refusal>(after.fill(source(data), 10'004)));
}

TEST_CASE("of a name that is there several times the last one is filled in") {
  CHECK(text("{{/a/b}}", R"({"a":{"b":1},"a":{"b":2}})") == "2");
  CHECK(text("<{{/a/b}}>", R"({"a":{"b":1},"a":{}})") == "<>");
}

TEST_CASE("what is no template is refused with a sentence, and in a value with the place") {
  const auto wrong_text = [](std::string_view written) { return fault_of(event_template::of_text(written)); };
  CHECK(wrong_text("a {{/b") ==
        "/data: has a placeholder without an end: \"{{/b\"; two braces that are none are written {{{{");
  CHECK(wrong_text("{{}}") == "/data: has \"{{}}\", but there are {{event}}, {{occurred_at}}, {{data}} and "
                              "pointers into data, which begin "
                              "with a slash; two braces that are no placeholder are written {{{{");
  CHECK(wrong_text("{{ticket.id}}").starts_with("/data: has \"{{ticket.id}}\", but there are"));
  CHECK(wrong_text("{{Event}}").starts_with("/data: has \"{{Event}}\", but there are"));
  CHECK(wrong_text("{{/a~}}") ==
        "/data: has \"{{/a~}}\": in a pointer (RFC 6901) ~ is written ~0, and a slash in a name ~1");
  CHECK(wrong_text("{{/" + std::string(2'000, 'a') + "}}").find("a pointer has 2001 bytes") !=
        std::string::npos);
  CHECK(wrong_text("\xff") == "/data: is not UTF-8 at byte 0");

  const auto wrong_json = [](std::string_view written) { return fault_of(event_template::of_json(written)); };
  CHECK(wrong_json("") == "/data: is not valid JSON at line 1, column 1: it ends where a value is expected");
  CHECK(wrong_json("5") ==
        "/data: must be an object, or a string that is one placeholder for a value in data");
  CHECK(wrong_json("[]") ==
        "/data: must be an object, or a string that is one placeholder for a value in data");
  CHECK(wrong_json("\"{{event}}\"") ==
        "/data: must be an object, or a string that is one placeholder for a value in data");
  CHECK(wrong_json("[\"{{/a}}\"]") ==
        "/data: must be an object, or a string that is one placeholder for a value in data");
  CHECK(wrong_json("\"text\"") ==
        "/data: must be an object, or a string that is one placeholder for a value in data");
  CHECK(wrong_json("\"x{{/a}}\"") ==
        "/data: must be an object, or a string that is one placeholder for a value in data");
  CHECK(wrong_json(R"({"a":1,"a":2})") == "/data/a: is there twice");
  CHECK(
      wrong_json(R"({"a":[0,{"b/c":"x{{/"}]})") ==
      "/data/a/1/b~1c: has a placeholder without an end: \"{{/\"; two braces that are none are written {{{{");
  CHECK(wrong_json(R"({"a":"{{b}}"})").starts_with("/data/a: has \"{{b}}\", but there are"));
  CHECK(wrong_json(R"({"{{/a}}":1})") == "/data/{{~1a}}: is a name, and those are not filled in");
}

} // namespace vicket
