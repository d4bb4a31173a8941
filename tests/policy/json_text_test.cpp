#include "policy/json_text.hpp"

#include "policy/rfc3339.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

using namespace std::literals;

namespace vicket {

namespace {

constexpr auto full_connector =
    R"({"id":"crm-prod","name":"CRM, production","url":"https://hooks.example.com/vicket",)"
    R"("secret":"whsec_abc","headers":{"X-Team":"support"},"secret_headers":{"Authorization":"***"},"events":["ticket.*"],)"
    R"("rate":{"limit":100,"per_ms":1000,"burst":10},"max_in_flight":16,"timeout_ms":10000,)"
    R"("retry":{"base_ms":5000,"factor":2.0,"cap_ms":21600000,"max_attempts":0,)"
    R"("max_age_ms":259200000},"standard_webhooks":true,"enabled":true})"sv;

connector read(std::string_view text) {
  const auto result = connector_from_json(text);
  INFO((result.index() == 1 ? std::get<1>(result) : "read"s));
  REQUIRE(std::holds_alternative<connector>(result));
  return std::get<connector>(result);
}

send_to_connector read_event(std::string_view text) {
  const auto result = event_from_json(text);
  INFO((result.index() == 1 ? std::get<1>(result) : "read"s));
  REQUIRE(std::holds_alternative<send_to_connector>(result));
  return std::get<send_to_connector>(result);
}

struct refused_text {
  std::string text;
  std::string_view complaint;
};

const event_id some_id = event_id::parse("9f2c1b7e-0000-7000-8000-000000000001").value();
const timestamp_ms noon = parse_rfc3339("2026-05-23T12:00:00Z").value();

attempt some_attempt() {
  attempt value;
  value.number = 1;
  value.started_at = noon + 5;
  value.duration_us = 12'400;
  value.phases = {100, 400, 2'000, 9'500};
  value.result = outcome::http_status;
  value.status = 500;
  value.error = "HTTP status 500";
  value.response_body = "down";
  value.response_body_bytes = 4;
  value.next_attempt_at = noon + 5'000;
  return value;
}

event_summary some_summary() {
  return {some_id, {"crm-prod"}, "ticket.status_changed", "wf-7", "run-42", event_state::pending,
          noon,    noon + 5'000};
}

constexpr auto summary_json =
    R"("id":"9f2c1b7e-0000-7000-8000-000000000001","connector":"crm-prod",)"
    R"("event":"ticket.status_changed","workflow":"wf-7","run":"run-42","state":"pending",)"
    R"("accepted_at":"2026-05-23T12:00:00.000Z","next_attempt_at":"2026-05-23T12:00:05.000Z")"sv;
constexpr auto attempt_json =
    R"({"number":1,"started_at":"2026-05-23T12:00:00.005Z","duration_ms":12.4,)"
    R"("phases_ms":{"dns":0.1,"connect":0.4,"tls":2,"first_byte":9.5},)"
    R"("outcome":"http_status","status":500,"error":"HTTP status 500","response_body":"down",)"
    R"("response_body_bytes":4,"response_truncated":false,)"
    R"("next_attempt_at":"2026-05-23T12:00:05.000Z"})"sv;

} // namespace

TEST_CASE("a connector is read and written with all its fields") {
  const auto settings = read(full_connector);
  CHECK(settings.id.value == "crm-prod");
  CHECK(settings.name == "CRM, production");
  CHECK(settings.url == "https://hooks.example.com/vicket");
  CHECK(settings.secret.value == "whsec_abc");
  CHECK(settings.headers == std::vector<std::pair<std::string, std::string>>{{"X-Team", "support"}});
  CHECK(settings.secret_headers ==
        std::vector<std::pair<std::string, secret_text>>{{"Authorization", {"***"}}});
  CHECK(settings.events == std::vector<std::string>{"ticket.*"});
  CHECK(settings.rate == rate_limit{100, 1'000, 10});
  CHECK(settings.retry == retry_policy{});
  CHECK(connector_to_json(settings, true) == full_connector);
}

TEST_CASE("a connector's absent fields have their defaults") {
  const auto settings = read(R"({"id":"a","url":"https://h.example"})");
  connector expected;
  expected.id = {"a"};
  expected.url = "https://h.example";
  CHECK(settings == expected);
  CHECK(read(R"({"id":"a","url":"u","rate":{"limit":5}})").rate == rate_limit{5, 1'000, 1});
  CHECK(read(R"({"id":"a","url":"u","retry":{"factor":3}})").retry.factor == 3.0);
  // A zero with digits, in front of something that a wrong length would reach.
  for (const std::string zero :
       {"0.0", "0.000", "-0.0000", "0.000000000000000000000000000000", "0e9", "0.000E-15", "0e+0"}) {
    CAPTURE(zero);
    const auto found = read(R"({"id":"a","url":"u","retry":{"factor":)" + zero + R"(,"cap_ms":20}})");
    CHECK(found.retry.factor == 0.0);
    CHECK(found.retry.cap_ms == 20);
  }
  CHECK(read(R"({"id":"a","url":"u","retry":{"factor":1.00000000000000000000000000001}})").retry.factor ==
        1.0);
  CHECK(read(R"({"id":"a","url":"u","retry":{"factor":1e0000}})").retry.factor == 1.0);
  CHECK(read(R"({"id":"a","url":"u","retry":{"factor":1.8446744073709551615}})").retry.factor ==
        1.8446744073709551615);
  CHECK(read(R"({"id":"a","url":"u","retry":{"factor":0.000184467440737095516158}})").retry.factor ==
        0.000184467440737095516158); // whose first twenty digits are the largest number of 64 bits
  CHECK(read(R"({"id":"a","url":"u","retry":{"factor":2.0e00000000000000000000000}})").retry.factor == 2.0);
  CHECK(read(R"({"id":"a","url":"u","retry":{"factor":18446744073709551615.8e-400}})").retry.factor == 0.0);
  CHECK(read(R"({"id":"a","url":"u","retry":{"factor":0.00000000000000000000000000002}})").retry.factor ==
        2e-29);
  CHECK(read(R"({"id":"a","url":"u","name":"\\\"0.0000 0e0000"})").name == "\\\"0.0000 0e0000");
}

TEST_CASE("a connector's filter is read as it is written, and shown on one line") {
  const auto with_filter = [](const std::string& filter) {
    return R"({"id":"a","url":"u","filter":)" + filter + R"(,"max_in_flight":3})";
  };
  const std::string huge = "1" + std::string(400, '0') + ".50e+1000000000";
  const auto filter = R"({"/n":{"in":[)" + huge + R"(,0e-30,18446744073709551615.8,9007199254740993]}})";
  const auto settings = read(with_filter(filter));
  CHECK(settings.filter_json == filter);
  CHECK(settings.max_in_flight == 3);
  CHECK(connector_to_json(settings, true)
            .find(R"(,"events":[],"filter":)" + filter + R"(,"max_in_flight":3,)") != std::string::npos);
  CHECK(read(connector_to_json(settings, true)) == settings);
  CHECK(read(with_filter("{\n \"ev\\u0065nt\" : { \"eq\" : \"\\/\" }\n}")).filter_json ==
        R"({"event":{"eq":"/"}})");
  CHECK(read(R"({"id":"a","url":"u","f\u0069lter":{"event":{"eq":"e"}}})").filter_json ==
        R"({"event":{"eq":"e"}})");
  CHECK(read(R"({"id":"filter","name":"\"filter\":5","url":"u","headers":{"filter":"5"}})")
            .filter_json.empty());
  CHECK(read(with_filter("null")).filter_json.empty());
  CHECK(read(with_filter("5")).filter_json == "5"); // what it says is for `connector_complaint` to judge
  auto blanks = settings;
  blanks.filter_json = "{ \"event\" :\n{ \"eq\" : \"e\" } }";
  CHECK(connector_to_json(blanks, true).find(R"("filter":{"event":{"eq":"e"}},)") != std::string::npos);
}

TEST_CASE("a secret is shown only when asked for") {
  auto settings = read(full_connector);
  const auto shown = connector_to_json(settings, false);
  CHECK(shown.find("whsec_abc") == std::string::npos);
  CHECK(shown.find(R"("secret":"***")") != std::string::npos);
  settings.secret_headers = {{"Authorization", {"Bearer hunter2"}}};
  for (const bool show : {true, false})
    CHECK(connector_to_json(settings, show).find("hunter2") == std::string::npos);
  // What was shown can be put again: what is hidden is the node's to keep.
  settings.secret = settings.secret_headers[0].second = {"***"};
  CHECK(read(shown) == settings);
  settings.secret = {};
  settings.secret_headers.clear();
  CHECK(connector_to_json(settings, false).find(R"("secret":"***")") != std::string::npos);
  CHECK(connector_to_json(settings, true).find("secret") == std::string::npos);
}

TEST_CASE("a connector that is being deleted is shown as that, and what was shown can be put again") {
  const auto settings = read(full_connector);
  const auto shown = connector_to_json(settings, true, true);
  CHECK(shown.ends_with(R"("enabled":true,"being_deleted":true})"));
  CHECK(read(shown) == settings);
}

TEST_CASE("a connector that is read wrongly is refused with the path or the place") {
  const std::vector<refused_text> table{
      {"", "line 1, column 1"},
      {"{\n  \"id\": \"a\",\n  \"url\" \"u\"\n}", "line 3, column 9"},
      {"{}x", "line 1, column 3"},
      {"{\"id\":\"a\",\"url\":\"u\"}\0x"s, "line 1, column 21: a zero byte"},
      {"{\"id\":\"\xff\",\"url\":\"u\"}", "not valid JSON"},
      {"{\"id\":\"a\",\n\"filter\":{\"event\" 1}}", "line 2, column 19"},
      {"{\"id\":\"a\",\"filter\":[}", "line 1, column 21"},
      {R"({"id":"a","url":"u","filter":{"/a":{"eq":1},"/a":{"eq":2}}})", "/filter/~1a: is there twice"},
      {R"({"id":"a","url":"u","filter":{"/a":{"eq":1}},"filter":{}})", "filter is there twice"},
      {R"({"id":"a","url":"u","filter":)" + std::string(300, '[') + std::string(300, ']') + "}",
       "/filter: is nested more than 256 deep"},
      {"[]", "the connector must be an object, not an array"},
      {"null", "the connector must be an object, not null"},
      {"{}", "id is missing"},
      {R"({"id":"a"})", "url is missing"},
      {R"({"url":"u"})", "id is missing"},
      {R"({"id":1,"url":"u"})", "id must be a string"},
      {R"({"id":null,"url":"u"})", "id is required, but it is null"},
      {R"({"id":"a","url":null})", "url is required, but it is null"},
      {R"({"id":"a","url":"u","secret":""})", "secret is empty; leave it out"},
      {R"({"id":"a","url":"u","secret":7})", "secret must be a string"},
      {R"({"id":"a","url":"u","rate":{"limit":null}})", "rate.limit is required, but it is null"},
      {R"({"id":"a","url":"u","name":null,"name":"b"})", "name is there twice"},
      {R"({"id":"a","url":"u","colour":null})", "colour is no field of a connector"},
      {R"({"id":"a","url":"u","retry":{"factor":000000000000000000002.5}})",
       "not valid JSON at line 1, column"},
      {R"({"id":"a","url":"u","retry":{"factor":2.e0}})", "not valid JSON at line 1, column"},
      {R"({"id":"a","url":"u","retry":{"factor":12345678901234567890.}})",
       "not valid JSON at line 1, column"},
      {R"({"id":"a","url":"u","retry":{"factor":0.000184467440737095516158.8}})",
       "not valid JSON at line 1, column 39"},
      {R"({"id":"a","url":"u","retry":{"factor":18446744073709551615.8e400}})", "is larger than any field"},
      {R"({"id":"a","url":"u","retry":{"factor":1e400}})",
       "the number at line 1, column 39 is larger than any field"},
      {"\xff\xfe{\0}\0"s, "the text is UTF-16"},
      {"{\0\"\0"s, "the text is UTF-16"},
      {"\0{\0\""s, "the text is UTF-16"},
      {"\xef\xbb\xbf", "line 1, column 1"},
      {R"({"id":"a","url":"u","secrets":"x"})", "secrets is no field of a connector"},
      {R"({"id":"a","url":"u","Enabled":true})", "Enabled is no field"},
      {R"({"id":"a","url":"u","id":"b"})", "id is there twice"},
      {R"({"id":"a","url":"u","enabled":1})", "enabled must be true or false"},
      {R"({"id":"a","url":"u","enabled":"true"})", "enabled must be true or false, not a string"},
      {R"({"id":"a","url":"u","timeout_ms":"10"})", "timeout_ms must be a whole number"},
      {R"({"id":"a","url":"u","timeout_ms":1.5})", "timeout_ms must be a whole number"},
      {R"({"id":"a","url":"u","timeout_ms":-1})", "timeout_ms must be a whole number from 0"},
      {R"({"id":"a","url":"u","timeout_ms":4294967296})", "timeout_ms must be a whole number from 0"},
      {R"({"id":"a","url":"u","headers":[]})", "headers must be an object, not an array"},
      {R"({"id":"a","url":"u","headers":{"X-A":1}})", "headers.X-A must be a string"},
      {R"({"id":"a","url":"u","secret_headers":"x"})", "secret_headers must be an object, not a string"},
      {R"({"id":"a","url":"u","secret_headers":{"X-A":1}})", "secret_headers.X-A must be a string"},
      {R"({"id":"a","url":"u","events":"*"})", "events must be an array of strings, not a string"},
      {R"({"id":"a","url":"u","events":["a",null]})", "events[1] must be a string, not null"},
      {R"({"id":"a","url":"u","rate":5})", "rate must be an object, not a number"},
      {R"({"id":"a","url":"u","rate":{}})", "rate.limit is missing"},
      {R"({"id":"a","url":"u","rate":{"limit":1,"per":5}})", "rate.per is no field"},
      {R"({"id":"a","url":"u","rate":{"limit":1,"limit":5}})", "rate.limit is there twice"},
      {R"({"id":"a","url":"u","retry":{"base_ms":"5"}})",
       "retry.base_ms must be a whole number, not a string"},
      {R"({"id":"a","url":"u","retry":{"factor":"2"}})", "retry.factor must be a number, not a string"},
      {R"({"id":"a","url":"u","retry":{"jitter":1}})", "retry.jitter is no field"},
      {std::string(1'048'577, ' '), "1048577 bytes"},
      {std::string(500'000, '['), "not valid JSON"},
  };
  for (const auto& [text, complaint] : table) {
    const auto result = connector_from_json(text);
    INFO(text.substr(0, 200) << ": " << (result.index() == 1 ? std::get<1>(result) : "read")
                             << "; expected: " << complaint);
    REQUIRE(std::holds_alternative<std::string>(result));
    CHECK(std::get<std::string>(result).find(complaint) != std::string::npos);
  }
}

TEST_CASE("header names that are there twice reach the check that refuses them") {
  CHECK(read(R"({"id":"a","url":"u","headers":{"X-A":"1","X-A":"2"}})").headers.size() == 2);
}

TEST_CASE("an event is read, and its data stays byte for byte as it was written") {
  const auto event = read_event(
      R"({"connector":"crm-prod","event":"ticket.status_changed","occurred_at":"2026-05-23T14:21:11.412Z",)"
      R"("data": { "n" : [1.50, 1E5, 12345678901234567890123, {"b":"}"}], "s":"\u00fc" } ,)"
      R"("message":"Ticket \"resolved\"","workflow":"wf-7","run":"run-42","id":"9F2C1B7E-0000-7000-8000-000000000001"})");
  CHECK(event.connector.value == "crm-prod");
  CHECK(event.event == "ticket.status_changed");
  CHECK(event.occurred_at == parse_rfc3339("2026-05-23T14:21:11.412Z"));
  CHECK(event.data_json == R"({ "n" : [1.50, 1E5, 12345678901234567890123, {"b":"}"}], "s":"\u00fc" })");
  CHECK(event.message == "Ticket \"resolved\"");
  CHECK(event.workflow == "wf-7");
  CHECK(event.run == "run-42");
  CHECK(event.id == some_id);

  const auto least =
      read_event(R"( {"data":{},"occurred_at":"2026-05-23T14:21:11Z","event":"e","connector":"c"} )"
                 "\r\n");
  CHECK(least.data_json == "{}");
  CHECK_FALSE(least.message.has_value());
  CHECK_FALSE(least.id.has_value());
  CHECK(least.workflow.empty());
  CHECK(least.run.empty());
}

TEST_CASE("null for an optional field counts as absent, in an event and in a connector, nested or not") {
  const auto least =
      read_event(R"({"connector":"c","event":"e","occurred_at":"2026-05-23T14:21:11Z","data":{"n":null}})");
  for (const auto* field : {"message", "workflow", "run", "id"}) {
    INFO(field);
    const auto event = read_event(
        R"({"connector":"c","event":"e","occurred_at":"2026-05-23T14:21:11Z","data":{"n":null},")" +
        std::string{field} + R"(":null})");
    CHECK(event.data_json == least.data_json); // in data null is a value
    CHECK_FALSE(event.message.has_value());
    CHECK(event.workflow.empty());
    CHECK(event.run.empty());
    CHECK_FALSE(event.id.has_value());
  }
  const auto plain = read(R"({"id":"a","url":"u"})");
  for (const auto* field : {"name", "secret", "headers", "secret_headers", "events", "filter", "rate",
                            "max_in_flight", "timeout_ms", "retry", "standard_webhooks", "enabled"}) {
    INFO(field);
    CHECK(read(R"({"id":"a","url":"u",")" + std::string{field} + R"(":null})") == plain);
  }
  for (const auto* field : {"base_ms", "factor", "cap_ms", "max_attempts", "max_age_ms"}) {
    INFO(field);
    CHECK(read(R"({"id":"a","url":"u","retry":{")" + std::string{field} + R"(":null}})") == plain);
  }
  CHECK(read(R"({"id":"a","url":"u","rate":{"limit":5,"per_ms":null,"burst":null}})").rate ==
        rate_limit{5, 1'000, 1});
  CHECK(read(R"({"id":"a","url":"u","headers":{"X-A":null,"X-B":"1"}})").headers ==
        std::vector<std::pair<std::string, std::string>>{{"X-B", "1"}});
  CHECK(read(R"({"id":"a","url":"u","secret_headers":{"X-A":null,"X-B":"1"}})").secret_headers ==
        std::vector<std::pair<std::string, secret_text>>{{"X-B", {"1"}}});
}

TEST_CASE("a byte order mark is passed over, and blanks and line ends around are none of the text") {
  for (const auto* before : {"", "\xef\xbb\xbf", "\xef\xbb\xbf \r\n", " \t"}) {
    CHECK(read(before + std::string{full_connector} + "\r\n") == read(full_connector));
    CHECK(
        read_event(before +
                   R"({"connector":"c","event":"e","occurred_at":"2026-05-23T14:21:11Z","data":{ "a":1 }})"s +
                   "\r")
            .data_json == R"({ "a":1 })");
  }
}

TEST_CASE("numbers of any size reach the event's data as they are written") {
  const auto data = R"({"a":1e400,"b":-0.0,"c":)" + std::string(400, '9') + "}";
  CHECK(
      read_event(R"({"connector":"c","event":"e","occurred_at":"2026-05-23T14:21:11Z","data":)" + data + "}")
          .data_json == data);
}

TEST_CASE("an event that is read wrongly is refused with the field or the place") {
  const auto with = [](std::string_view more) {
    return R"({"connector":"c","event":"e","occurred_at":"2026-05-23T14:21:11Z","data":{})" +
           std::string{more} + "}";
  };
  const std::vector<refused_text> table{
      {"", "at byte 0"},
      {"x", "at byte 0"},
      {"null", "an event must be a JSON object"},
      {"5", "an event must be a JSON object"},
      {"\"x\"", "an event must be a JSON object, not a string"},
      {"[]", "an event must be a JSON object, not an array"},
      {"{}", "connector is missing"},
      {R"({"connector":"c"})", "event is missing"},
      {R"({"connector":"c","event":"e"})", "occurred_at is missing"},
      {R"({"connector":"c","event":"e","occurred_at":"2026-05-23T14:21:11Z"})", "data is missing"},
      {R"({"connector":"c","data":[]})", "data must be an object, not an array"},
      {R"({"connector":"c","data":"{}"})", "data must be an object, not a string"},
      {R"({"connector":"c","data":null})", "data must be an object"},
      {R"({"connector":"c","data":5})", "data must be an object"},
      {R"({"connector":{}})", "connector must be a string, not an object"},
      {R"({"connector":7})", "connector must be a string"},
      {R"({"connector":null})", "connector must be a string, not null"},
      {R"({"event":null})", "event must be a string, not null"},
      {R"({"occurred_at":null})", "occurred_at must be a string, not null"},
      {with(R"(,"message":true)"), "message must be a string, not true"},
      {with(R"(,"extra":null)"), "\"extra\" is no field"},
      {with(R"(,"run":null,"run":"r")"), "run is there twice"},
      {with("") + "\r" + with(""), "(a carriage return alone ends no line)"},
      {"\xff\xfe{\0}\0"s, "the text is UTF-16"},
      {"\xfe\xff\0{"s, "the text is UTF-16"},
      {"{\0\"\0"s, "the text is UTF-16"},
      {"\0{\0\""s, "the text is UTF-16"},
      {R"({"id":"\ud800"})", "unpaired surrogate"},
      {with(R"(,"message":["a"])"), "message must be a string, not an array"},
      {with(R"(,"id":"5")"), "id must be a UUID"},
      {with(R"(,"extra":1)"), "\"extra\" is no field of an event (at byte"},
      {with(R"(,"event":"f")"), "event is there twice"},
      {with(R"(,"data":{})"), "data is there twice"},
      {R"({"occurred_at":"yesterday"})", "occurred_at must be an RFC 3339 time"},
      {R"({"occurred_at":1716475271})", "occurred_at must be a string"},
      {with("") + "{}", "not valid JSON at byte"},
      {with("") + "\0"s, "a zero byte"},
      {R"({"connector":"c","data":{"a":01}})", "not valid JSON at byte"},
      {"{\"connector\":\"\xff\"}", "not valid JSON at byte"},
      {R"({"data":)" + std::string(100'000, '{'), "not valid JSON"},
      {R"({"data":{"a":)" + std::string(128, '['), "data is nested more than 128 deep (at byte 140)"},
      {R"({"data":{"a":)" + std::string(127, '['), "it ends where a value is expected"},
      {R"({"data":{"a":)" + std::string(100'000, '['), "deep"},
  };
  for (const auto& [text, complaint] : table) {
    const auto result = event_from_json(text);
    INFO(text.substr(0, 200) << ": " << (result.index() == 1 ? std::get<1>(result) : "read")
                             << "; expected: " << complaint);
    REQUIRE(std::holds_alternative<std::string>(result));
    CHECK(std::get<std::string>(result).find(complaint) != std::string::npos);
  }
}

TEST_CASE("an event's history shows every attempt, with the raw response body") {
  CHECK(event_history_to_json({some_summary(), {some_attempt()}}) ==
        "{" + std::string{summary_json} + R"(,"attempts":[)" + std::string{attempt_json} + "]}");

  auto settled = some_summary();
  settled.state = event_state::failed;
  settled.next_attempt_at.reset();
  const auto text = event_history_to_json({settled, {}});
  CHECK(text.find(R"("state":"failed")") != std::string::npos);
  CHECK(text.ends_with(R"("next_attempt_at":null,"attempts":[]})"));

  event_history dropped{settled, {}};
  dropped.attempts_dropped = 12;
  CHECK(event_history_to_json(dropped).ends_with(
      R"("next_attempt_at":null,"attempts":[],"attempts_dropped":12})"));

  // given a piece of one that is spread over pages
  dropped.attempts_dropped = 0;
  dropped.goes_on = true;
  CHECK(event_history_to_json(dropped).ends_with(R"("attempts":[],"goes_on":true})"));
  dropped.continues = true;
  CHECK(event_history_to_json(dropped).ends_with(R"("attempts":[],"continues":true,"goes_on":true})"));
}

TEST_CASE("a history that is written in pieces is the same object, and one that breaks off says so") {
  auto second = some_attempt();
  second.number = 2;
  const event_history whole{some_summary(), {some_attempt(), second}};
  event_history_pieces pieces;
  auto written = pieces.begin(whole.summary);
  for (const auto& one : whole.attempts)
    written += pieces.attempt(one);
  CHECK(written + pieces.end() == event_history_to_json(whole));
  CHECK(written + pieces.break_off() == written + R"(],"incomplete":true})");
  CHECK(pieces.begin(whole.summary) + pieces.end() == event_history_to_json({some_summary(), {}}));
}

TEST_CASE("a gap of the feed says from where it goes on") {
  CHECK(feed_gap_to_json("v2-1.2.3") == R"({"gap":true,"cursor":"v2-1.2.3"})");
}

TEST_CASE("an attempt without an answer has nulls, and a body that is not UTF-8 comes as base64") {
  attempt value;
  value.number = 2;
  value.started_at = noon;
  value.duration_us = 10'000'001;
  value.phases.dns_us = 7;
  value.result = outcome::timeout;
  value.error = "no response within 10 s";
  const auto timeout = event_history_to_json({some_summary(), {value}});
  CHECK(timeout.ends_with(R"({"number":2,"started_at":"2026-05-23T12:00:00.000Z","duration_ms":10000.001,)"
                          R"("phases_ms":{"dns":0.007},"outcome":"timeout","status":null,)"
                          R"("error":"no response within 10 s","response_body":"","response_body_bytes":0,)"
                          R"("response_truncated":false,"next_attempt_at":null}]})"));

  value.response_body = "\xff\xfe"s;
  value.response_body_bytes = 70'000;
  value.response_truncated = true;
  value.result = outcome::delivered;
  value.error.clear();
  value.status = 200;
  const auto binary = event_history_to_json({some_summary(), {value}});
  CHECK(binary.find(
            R"("error":null,"response_body":null,"response_body_base64":"//4=","response_body_bytes":70000,)"
            R"("response_truncated":true)") != std::string::npos);
}

TEST_CASE(
    "an answer that was no 2xx is told with its header fields, and with what was made of its Retry-After") {
  auto value = some_attempt();
  value.response_headers = {{"Location", "https://h/\"x\""}, {"X-Request-Id", "\xe9"}, {"A", ""}};
  value.retry_after = retry_hint{"30.0", noon + 30'000, noon + 30'000};
  auto text = event_history_to_json({some_summary(), {value}});
  CHECK(text.find(R"("response_headers":[["Location","https://h/\"x\""],["X-Request-Id",")"
                  "\xef\xbf\xbd"
                  R"("],["A",""]],"response_body":)") != std::string::npos);
  CHECK(text.find(R"("retry_after":{"heard":"30.0","not_before":"2026-05-23T12:00:30.000Z",)"
                  R"("held_until":"2026-05-23T12:00:30.000Z"},"next_attempt_at":)") != std::string::npos);
  CHECK(text.find("response_headers_truncated") == std::string::npos);
  value.response_headers_truncated = true;
  CHECK(event_history_to_json({some_summary(), {value}})
            .find(R"(["A",""]],"response_headers_truncated":true,"response_body":)") != std::string::npos);
  value.retry_after = retry_hint{"soon", {}, {}};
  text = event_history_to_json({some_summary(), {value}});
  CHECK(text.find(R"("retry_after":{"heard":"soon","not_before":null,"held_until":null})") !=
        std::string::npos);
}

TEST_CASE("durations are milliseconds with at most three decimals") {
  struct row {
    std::int64_t us;
    std::string_view ms;
  };
  for (const auto& [us, ms] : std::vector<row>{{0, "0"},
                                               {1, "0.001"},
                                               {10, "0.01"},
                                               {100, "0.1"},
                                               {999, "0.999"},
                                               {1'000, "1"},
                                               {1'010, "1.01"},
                                               {12'400, "12.4"},
                                               {10'000'000, "10000"},
                                               {-1'500, "-1.5"}}) {
    attempt value;
    value.duration_us = us;
    CHECK(event_history_to_json({some_summary(), {value}}).find("\"duration_ms\":" + std::string{ms} + ",") !=
          std::string::npos);
  }
}

TEST_CASE("what came from outside cannot break the output's JSON") {
  auto value = some_attempt();
  value.error = "bad \"byte\" \xff\n";
  value.response_body = "line\n\"quote\" \0 end"s;
  const auto text = event_history_to_json({some_summary(), {value}});
  CHECK(text.find("\"error\":\"bad \\\"byte\\\" \xef\xbf\xbd\\n\"") != std::string::npos);
  CHECK(text.find(R"("response_body":"line\n\"quote\" \u0000 end")") != std::string::npos);
  CHECK(text.find('\n') == std::string::npos);
}

TEST_CASE("a line of the outcome feed carries its cursor, the event and the one attempt") {
  CHECK(outcome_entry_to_json({some_summary(), some_attempt(), "0.17"}) ==
        R"({"cursor":"0.17",)" + std::string{summary_json} + R"(,"attempt":)" + std::string{attempt_json} +
            "}");
}

TEST_CASE("a node's status shows its partitions and what waits for its connectors") {
  node_status status;
  status.version = "0.1.0";
  status.started_at = noon;
  status.now = noon + 60'000;
  status.connectors_configured = 3;
  status.partitions = {{1, 2, 30, 20, 5, 4, false, true, {}, {}, {}}};
  status.settings = {{3, 1, 4, 4, 0, 0, true, false, "b", {}, {}}, 2, 80};
  status.connectors = {{{"crm-prod"}, true, 5, 4, noon + 50'000, {}, noon + 90'000},
                       {{"idle"}, false, 0, 0, std::nullopt, "its URL is none", std::nullopt},
                       {{"old"}, false, 7, 0, noon, {}, std::nullopt, true}};
  CHECK(
      node_status_to_json(status) ==
      R"({"version":"0.1.0","started_at":"2026-05-23T12:00:00.000Z","now":"2026-05-23T12:01:00.000Z",)"
      R"("connectors_configured":3,"partitions":[{"number":1,"epoch":2,"next_sequence":30,"settled_below":20,)"
      R"("pending":5,"in_flight":4,"accepting":false,"counting":true}],)"
      R"("settings":{"records":2,"bytes":80,"epoch":1,"next_sequence":4,"settled_below":4,"pending":0,"in_flight":0,)"
      R"("accepting":true,"counting":false,"owner":"b"},"connectors":[{"id":"crm-prod","enabled":true,"pending":5,)"
      R"("in_flight":4,"oldest_pending_at":"2026-05-23T12:00:50.000Z","oldest_pending_age_ms":10000,)"
      R"("held_until":"2026-05-23T12:01:30.000Z"},)"
      R"({"id":"idle","enabled":false,"pending":0,"in_flight":0,"oldest_pending_at":null,)"
      R"("oldest_pending_age_ms":null,"held_until":null,"problem":"its URL is none"},)"
      R"({"id":"old","enabled":false,"pending":7,"in_flight":0,"oldest_pending_at":"2026-05-23T12:00:00.000Z",)"
      R"("oldest_pending_age_ms":60000,"held_until":null,"being_deleted":true}]})");
}

TEST_CASE("in a cluster a status says of each partition who has it, and why it can't be reached") {
  node_status status;
  partition_status one;
  one.number = 1;
  one.accepting = false;
  one.owner = "b";
  one.why = "partition 1 can't be reached";
  status.partitions = {one};
  CHECK(
      node_status_to_json(status).find(
          R"("accepting":false,"counting":false,"owner":"b","unreachable":"partition 1 can't be reached"}])") !=
      std::string::npos);
  status.partitions[0].owner.clear();
  status.partitions[0].halted = "record 7 is gone";
  CHECK(
      node_status_to_json(status).find(
          R"("counting":false,"halted":"record 7 is gone","unreachable":"partition 1 can't be reached"}])") !=
      std::string::npos);
}

TEST_CASE("a send's result is one line: the id, or the error") {
  CHECK(send_result_to_json(accepted{some_id, false}) ==
        R"({"id":"9f2c1b7e-0000-7000-8000-000000000001","duplicate":false})");
  CHECK(send_result_to_json(accepted{some_id, true}) ==
        R"({"id":"9f2c1b7e-0000-7000-8000-000000000001","duplicate":true})");
  CHECK(send_result_to_json(refusal{errc::too_large, "300 \"bytes\""}) ==
        R"({"error":"too_large","detail":"300 \"bytes\""})");
}

} // namespace vicket
