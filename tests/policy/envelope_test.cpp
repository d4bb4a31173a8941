#include "policy/envelope.hpp"

#include "policy/rfc3339.hpp"

#include <catch2/catch_test_macros.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

using namespace std::literals;

namespace vicket {

namespace {

constexpr std::size_t max_bytes = 256 * 1024;

const event_id some_id = event_id::parse("9f2c1b7e-0000-7000-8000-000000000001").value();

send_to_connector some_event(std::string data = "{}", std::optional<std::string> message = std::nullopt) {
  send_to_connector event;
  event.connector = {"crm-prod"};
  event.event = "ticket.status_changed";
  event.occurred_at = parse_rfc3339("2026-05-23T14:21:11.412Z").value();
  event.data_json = std::move(data);
  event.message = std::move(message);
  return event;
}

std::string compose(const send_to_connector& event, std::size_t most = max_bytes) {
  const auto result = compose_envelope(event, some_id, most);
  INFO((result.index() == 1 ? std::get<refusal>(result).detail : "composed"s));
  REQUIRE(std::holds_alternative<std::string>(result));
  return std::get<std::string>(result);
}

refusal refused(const send_to_connector& event, std::size_t most = max_bytes) {
  const auto result = compose_envelope(event, some_id, most);
  INFO((result.index() == 0 ? std::get<std::string>(result) : "refused"s));
  REQUIRE(std::holds_alternative<refusal>(result));
  return std::get<refusal>(result);
}

/// What became of `data`.
std::string data_of(std::string data, std::optional<std::string> message = std::nullopt) {
  constexpr auto head = R"({"id":"9f2c1b7e-0000-7000-8000-000000000001","event":"ticket.status_changed",)"
                        R"("occurred_at":"2026-05-23T14:21:11.412Z","data":)"sv;
  const auto envelope = compose(some_event(std::move(data), std::move(message)));
  REQUIRE(envelope.starts_with(head));
  REQUIRE(envelope.ends_with('}'));
  return envelope.substr(head.size(), envelope.size() - head.size() - 1);
}

} // namespace

TEST_CASE("every webhook POST has the same envelope: id, event, occurred_at and data, in this order") {
  const auto event = some_event(R"({ "ticket": { "id": "T-1", "status": { "category": "resolved" } } })",
                                "Ticket resolved by the on-call agent.");
  CHECK(compose(event) == R"({"id":"9f2c1b7e-0000-7000-8000-000000000001","event":"ticket.status_changed",)"
                          R"("occurred_at":"2026-05-23T14:21:11.412Z",)"
                          R"("data":{"ticket":{"id":"T-1","status":{"category":"resolved"}},)"
                          R"("message":"Ticket resolved by the on-call agent."}})");
}

TEST_CASE("data is written compactly, in its order, numbers byte for byte") {
  struct row {
    std::string_view data;
    std::string_view written;
  };
  const std::vector<row> table{
      {"{}", "{}"},
      {" \t\r\n{ } \n", "{}"},
      {R"({"a":[],"b":{},"c":null,"d":true,"e":false})", R"({"a":[],"b":{},"c":null,"d":true,"e":false})"},
      {R"({ "b" : 1 , "a" : [ 1 , [ 2 ] , { "x" : 3 } ] })", R"({"b":1,"a":[1,[2],{"x":3}]})"},
      {R"({"n":[0,-0,0.0,-0.0,1.50,1E5,1e+05,1e-7,10000000000000000000000000000001,0.1000000000000000055511151231257827,)"
       R"(-9223372036854775809,18446744073709551616,1e308,123456789.123456789e-300]})",
       R"({"n":[0,-0,0.0,-0.0,1.50,1E5,1e+05,1e-7,10000000000000000000000000000001,0.1000000000000000055511151231257827,)"
       R"(-9223372036854775809,18446744073709551616,1e308,123456789.123456789e-300]})"},
      {R"({"n":1e400})", R"({"n":1e400})"},
      {R"({"n":[-1E+99999999999999999999,1e-400,0e999,1.5e309,-0e+0]})",
       R"({"n":[-1E+99999999999999999999,1e-400,0e999,1.5e309,-0e+0]})"},
      {"\xef\xbb\xbf{\"a\":1}", R"({"a":1})"}, // a byte order mark
      {R"({"s":"\ud83d\ude00\uFFFF\u0000"})", "{\"s\":\"\xf0\x9f\x98\x80\xef\xbf\xbf\\u0000\"}"},
      {R"({"s":"\u2028","\u0022":"\u005c"})", "{\"s\":\"\xe2\x80\xa8\",\"\\\"\":\"\\\\\"}"},
      {R"({"a":{"b":1,"b":2},"a":null,"a":[]})", R"({"a":{"b":1,"b":2},"a":null,"a":[]})"},
      {R"({"s":"\u0041\/\"\\\b\f\n\r\t\u0000\u001f\u007f"})",
       "{\"s\":\"A/\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f\x7f\"}"},
      {R"({"s":"\u00fc\ud83d\ude00"})", "{\"s\":\"\xc3\xbc\xf0\x9f\x98\x80\"}"},
      {"{\"\xc3\xbc\":\"\xf0\x9f\x98\x80\xed\x9f\xbf\"}", "{\"\xc3\xbc\":\"\xf0\x9f\x98\x80\xed\x9f\xbf\"}"},
      {R"({"":""})", R"({"":""})"},
      {R"({"a":1,"a":2})", R"({"a":1,"a":2})"},
      {R"({"a\"b":"c,{["})", R"({"a\"b":"c,{["})"},
      {R"({"a":"{","b":"[","c":":"})", R"({"a":"{","b":"[","c":":"})"},
  };
  for (const auto& [data, written] : table) {
    INFO(data);
    CHECK(data_of(std::string{data}) == written);
  }
}

TEST_CASE("numbers of hundreds of digits are JSON and are written as they are") {
  const std::string digits(400, '7');
  for (const auto& number : {digits, "-" + digits, "0." + digits, digits + "." + digits,
                             digits + "e" + digits, "1E-" + digits, "-0." + std::string(400, '0') + "1"}) {
    const auto data = "{\"n\":" + number + ",\"all\":[" + number + "," + number + "]}";
    INFO(data);
    CHECK(data_of(data) == data);
    CHECK(data_of("{\"message\":" + number + "}", "m") ==
          R"({"message":"m"})"); // also where it is passed over
  }
}

TEST_CASE("the action's message is put in as data's field message") {
  struct row {
    std::string_view data;
    std::optional<std::string> message;
    std::string_view written;
  };
  const std::vector<row> table{
      {"{}", "m", R"({"message":"m"})"},
      {R"({"a":1})", "m", R"({"a":1,"message":"m"})"},
      {R"({"a":1})", "", R"({"a":1,"message":""})"},
      {R"({"a":1})", "say \"hi\"\n\0"s, R"({"a":1,"message":"say \"hi\"\n\u0000"})"},
      // one that data brings is replaced where it stands
      {R"({"message":"old","a":1})", "m", R"({"message":"m","a":1})"},
      {R"({"a":1,"message":{"x":[1,{"message":2}]},"b":2})", "m", R"({"a":1,"message":"m","b":2})"},
      {R"({"message":[[],[[]]],"b":2})", "m", R"({"message":"m","b":2})"},
      {R"({"message":null})", "m", R"({"message":"m"})"},
      {R"({"m\u0065ssage":1,"b":2})", "m", R"({"message":"m","b":2})"},
      {R"({"message":1,"b":2,"message":{"c":3},"d":4})", "m", R"({"message":"m","b":2,"d":4})"},
      // deeper ones are data's own
      {R"({"a":{"message":"deep"}})", "m", R"({"a":{"message":"deep"},"message":"m"})"},
      {R"({"a":[{"message":"deep"}]})", "m", R"({"a":[{"message":"deep"}],"message":"m"})"},
      // without one nothing changes
      {R"({"message":"own","message":2})", std::nullopt, R"({"message":"own","message":2})"},
  };
  for (const auto& [data, message, written] : table) {
    INFO(data);
    CHECK(data_of(std::string{data}, message) == written);
  }
}

TEST_CASE("data that is not one JSON object is refused with what and where") {
  struct row {
    std::string data;
    std::string_view reason;
  };
  const std::vector<row> table{
      {"", "at byte 0"},
      {"  ", "at byte 2"},
      {"null", "not a JSON object"},
      {"1", "not a JSON object"},
      {"\"x\"", "not a JSON object"},
      {"[]", "not a JSON object"},
      {"[{}]", "not a JSON object"},
      {"{", "at byte 1"},
      {"{}}", "at byte 2"},
      {"{} {}", "at byte 3"},
      {"{}\0{}"s, "at byte 2: a zero byte follows"},
      {"{}\0"s, "zero byte"},
      {"{\"a\":1\0}"s, "not valid JSON"},
      {"{\"a\":\"x\0y\"}"s, "not valid JSON"},
      {"{a:1}", "at byte 1"},
      {"{'a':1}", "at byte 1"},
      {R"({"a"})", "at byte 4"},
      {R"({"a":})", "at byte 5"},
      {R"({"a":1,})", "at byte 7"},
      {R"({"a":[1,]})", "not valid JSON"},
      {R"({"a":01})", "not valid JSON"},
      {R"({"a":+1})", "not valid JSON"},
      {R"({"a":.5})", "not valid JSON"},
      {R"({"a":1.})", "not valid JSON"},
      {R"({"a":1e})", "not valid JSON"},
      {R"({"a":-})", "not valid JSON"},
      {R"({"a":0x10})", "not valid JSON"},
      {R"({"a":NaN})", "not valid JSON"},
      {R"({"a":Infinity})", "not valid JSON"},
      {R"({"a":tru})", "not valid JSON"},
      {R"({"a":True})", "not valid JSON"},
      {R"({"a":1} // c)", "at byte 8"},
      {R"({/* c */"a":1})", "at byte 1"},
      {"{\"a\":\"line\nbreak\"}", "not valid JSON"},
      {"{\"a\":\"tab\t\"}", "not valid JSON"},
      {R"({"a":"\x41"})", "not valid JSON"},
      {R"({"a":"\u12g4"})", "not valid JSON"},
      {R"({"a":"open)", "not valid JSON"},
      {R"({"a":"\ud800"})", "urrogate"},
      {R"({"a":"\ud800x"})", "urrogate"},
      {R"({"a":"\ud800\ud800"})", "urrogate"},
      {R"({"a":"\udc00"})", "urrogate"},
      {R"({"\udc00":1})", "urrogate"},
      {R"({"a":"\udc00\ud800"})", "urrogate"},
      {"{\"a\":\"\xff\"}", "not UTF-8"},
      {"{\"a\":\"\xc3\"}", "not UTF-8"},
      {"{\"\xc3\":1}", "not UTF-8"},
      {"{\"a\":\"\xc0\xaf\"}", "not UTF-8"},
      {"{\"a\":\"\xed\xa0\x80\"}", ""},
      {"{\"a\":\"\xf4\x90\x80\x80\"}", "not UTF-8"},
      {"\xef\xbb\xbf", "at byte 3"},
      {"\xef\xbb\xbf\xef\xbb\xbf{}", "at byte 3"},
      {"\xff\xfe{\0}\0"s, "the text is UTF-16"},
      {"{\0}\0"s, "the text is UTF-16"},
      {R"({"a":1e400e})", "at byte 10"},
      {R"({"a":1e4.5})", "at byte 8"},
      {R"({"a":00})", "at byte 6: a number has no leading zeros"},
      {R"({"a":- 1})", "at byte 6: a digit is expected"},
      {R"({"a":1_000})", "at byte 6"},
      {R"({"a":1e+})", "at byte 8"},
      {R"({"a":"b\ud800"})", "at byte 7: an unpaired surrogate"},
      {R"({"a":"\ud83d\u0041"})", "urrogate"},
      {R"({"a":"\ud83d\n"})", "urrogate"},
      {"{\"a\":\"x\0\"}"s, "at byte 7: a string has a control character"},
      {R"({"message":nul})", "not valid JSON"}, // replaced or not, it is read
      {R"({"message":"\ud800"})", "urrogate"},
  };
  for (const auto& [data, reason] : table) {
    for (const auto& message : {std::optional<std::string>{}, std::optional<std::string>{"m"}}) {
      INFO(data);
      const auto why = refused(some_event(data, message));
      INFO(why.detail);
      CHECK(why.code == errc::invalid_event);
      CHECK(why.detail.starts_with("data "));
      CHECK(why.detail.find(reason) != std::string::npos);
    }
  }
}

TEST_CASE("data may be 128 deep and no deeper, and a nesting bomb does not exhaust the stack") {
  const auto nested = [](std::size_t depth) {
    return "{\"a\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  CHECK(data_of(nested(128)) == nested(128));
  CHECK(refused(some_event(nested(129))).detail.find("128 deep") != std::string::npos);
  CHECK(refused(some_event(nested(100'000))).code == errc::invalid_event);
  std::string objects;
  for (int i = 0; i < 100'000; ++i)
    objects += "{\"a\":";
  CHECK(refused(some_event(objects)).detail.find("128 deep") != std::string::npos);
  // Also where the message takes its place.
  CHECK(refused(some_event("{\"message\":" + std::string(100'000, '['), "m")).detail.find("128 deep") !=
        std::string::npos);
}

TEST_CASE("the other fields are checked, and the refusal names the field") {
  const auto detail = [](auto change) {
    auto event = some_event();
    change(event);
    const auto why = refused(event);
    CHECK(why.code == errc::invalid_event);
    return why.detail;
  };
  CHECK(detail([](auto& e) { e.event = ""; }).starts_with("event is empty"));
  CHECK(detail([](auto& e) { e.event = std::string(257, 'x'); }).starts_with("event has 257 bytes"));
  CHECK(detail([](auto& e) { e.event = "a\nb"; }) == "event has a control character at byte 1");
  CHECK(detail([](auto& e) { e.event = "a\0b"s; }) == "event has a control character at byte 1");
  CHECK(detail([](auto& e) { e.event = "ab\x7f"; }) == "event has a control character at byte 2");
  CHECK(detail([](auto& e) { e.event = "\xc2\x85"; }) == "event has a control character at byte 0");
  CHECK(detail([](auto& e) { e.event = "ab\xff"; }) == "event is not UTF-8 at byte 2");
  CHECK(detail([](auto& e) { e.workflow = std::string(257, 'x'); }).starts_with("workflow has 257 bytes"));
  CHECK(detail([](auto& e) { e.workflow = "\xff"; }) == "workflow is not UTF-8 at byte 0");
  CHECK(detail([](auto& e) { e.run = std::string(257, 'x'); }).starts_with("run has 257 bytes"));
  CHECK(detail([](auto& e) { e.run = "r\xc3"; }) == "run is not UTF-8 at byte 1");
  CHECK(detail([](auto& e) { e.message = "m\xed\xa0\x80"; }) == "message is not UTF-8 at byte 1");
  CHECK(detail([](auto& e) { e.occurred_at = min_rfc3339 - 1; }).starts_with("occurred_at is outside"));
  CHECK(detail([](auto& e) { e.occurred_at = max_rfc3339 + 1; }).starts_with("occurred_at is outside"));

  auto event = some_event();
  event.event = std::string(256, 'x');
  event.workflow = std::string(256, 'x');
  event.run = std::string(256, 'x');
  event.occurred_at = min_rfc3339;
  CHECK_NOTHROW(compose(event));
  event.event = "Ticket \"geöffnet\"";
  CHECK(compose(event).find(R"("event":"Ticket \"geöffnet\"")") != std::string::npos);
}

TEST_CASE("an envelope may be as long as the node allows and no longer") {
  const auto event = some_event(R"({"a":")" + std::string(1'000, 'x') + R"("})", "message");
  const auto length = compose(event).size();
  CHECK(compose(event, length).size() == length);
  const auto why = refused(event, length - 1);
  CHECK(why.code == errc::too_large);
  CHECK(why.detail.find(std::to_string(length - 1) + " bytes, its data") != std::string::npos);
  CHECK(why.detail.find("1008 bytes") != std::string::npos);

  // What counts is the envelope, not how widely data was written.
  auto wide = event;
  wide.data_json = std::string(3'000, ' ') + event.data_json;
  CHECK(compose(wide, length) == compose(event));
  // Up to a point: eight times what an envelope may have, to the byte.
  wide.data_json = std::string(length * max_data_expansion - event.data_json.size(), ' ') + event.data_json;
  REQUIRE(wide.data_json.size() == 8 * length);
  CHECK(compose(wide, length) == compose(event));
  wide.data_json += ' ';
  CHECK(refused(wide, length).code == errc::too_large);
  CHECK(refused(some_event("{}", std::string(2'000, 'm')), 1'000).code == errc::too_large);
  CHECK(refused(some_event(R"({"message":1})", std::string(900, '\n')), 1'000).code == errc::too_large);
}

TEST_CASE("what an envelope comes to at most is known from the event's fields") {
  const auto controls = std::string(300, '\x01');
  std::vector<send_to_connector> events{
      some_event(),
      some_event("{}", ""),
      some_event("{}", controls),
      some_event(R"({"message":1})", controls),
      some_event(R"({"a":"\u0001\u001f\n\/\u00e4\ud83d\ude00"})", "\"\\"),
      some_event("[1]"),
      some_event(R"({"a":[1,2,{"b":"c"},1e5,true]})", std::string(5'000, 'x')),
  };
  events.push_back(some_event());
  events.back().event = std::string(256, '"');
  events.back().occurred_at = max_rfc3339;
  for (const auto& event : events) {
    INFO(event.data_json);
    const auto most = most_envelope_bytes(event, max_bytes);
    const auto made = compose_envelope(event, some_id, max_bytes);
    if (const auto* envelope = std::get_if<std::string>(&made))
      CHECK(envelope->size() <= most);
  }
  CHECK(most_envelope_bytes(some_event("{}", std::string(2'000, 'm')), 1'000) == 1'000);
}

TEST_CASE("the data in an envelope is found, and in what is none nothing") {
  CHECK(data_in_envelope(R"({"id":"1","event":"data\":{}","occurred_at":"t","data":{"data":{"a":[{}]}}})") ==
        R"({"data":{"a":[{}]}})");
  CHECK(data_in_envelope(R"({"data":{}})") == "{}");
  for (const auto* none : {"", "[]", "[{\"data\":{}}]", "{}", R"({"data":[]})", R"({"data":5})",
                           R"({"data":{})", R"({"x":{"data":{}}})", R"({"data":{}}x)", "5"}) {
    INFO(none);
    CHECK_FALSE(data_in_envelope(none));
  }
}

TEST_CASE("an envelope is composed again from the data of another one, without reading it") {
  const std::vector<std::string> datas{
      "{}",
      "{ }",
      R"({"a":1})",
      R"( {"a" : [1, {"b":"c"}] , "a":2} )",
      R"({"message":"its own"})",
      R"({"a":{"message":1},"message":[{}],"message":2})",
      R"({"\u006dessage":"in other letters"})",
      R"({"a":{"messag\u0065":1}})",
      R"({"a":"\"message\":"})",
      R"({"a":"\",\"data\":{","data":{"data":{}}})",
      "{\"a\":\"" + std::string(500, 'x') + "\"}",
  };
  const std::vector<std::optional<std::string>> messages{
      std::nullopt,           "", "Ticket resolved", "\"\\\n\x01", std::string(100, '\x02'), "\xff",
      std::string(2'000, 'm')};
  const auto other_id = event_id::parse("9f2c1b7e-0000-7000-8000-000000000002").value();
  std::size_t made_without_reading = 0;
  for (const auto& data : datas)
    for (const auto& message : messages) {
      INFO(data << " with " << message.value_or("no message"));
      auto event = some_event(data);
      event.event = R"(odd ","data":{ name)";
      event.message.reset();
      const auto first = compose(event);
      const auto found = data_in_own_envelope(first);
      CHECK(found == data_in_envelope(first));
      event.data_json = std::string{found};
      event.message = message;
      const auto whole = compose_envelope(event, other_id, max_bytes);
      const auto length =
          std::holds_alternative<std::string>(whole) ? std::get<std::string>(whole).size() : 0;
      for (const auto bound :
           {max_bytes, length, length - std::min<std::size_t>(length, 1), std::size_t{1'000}})
        if (const auto made = envelope_under_id(first, other_id, message ? &*message : nullptr, bound)) {
          CHECK(*made == std::get<std::string>(compose_envelope(event, other_id, bound)));
          ++made_without_reading;
        }
      if (message)
        CHECK(length <= first.size() + most_message_bytes(*message));
    }
  CHECK(made_without_reading > 50);
}

TEST_CASE("whether a text may be an envelope shows from outside") {
  auto event = some_event(R"({"text":"a\nb"})", "Ticket resolved");
  const auto good = compose(event);
  CHECK(looks_like_envelope(good, some_id));
  CHECK(looks_like_envelope(compose(some_event()), some_id));
  CHECK_FALSE(looks_like_envelope("", some_id));
  CHECK_FALSE(looks_like_envelope(good, event_id::parse("9f2c1b7e-0000-7000-8000-000000000002").value()));
  for (std::size_t cut = 1; cut < good.size(); ++cut)
    if (!std::string_view{good}.substr(0, cut).ends_with("}}"))
      CHECK_FALSE(looks_like_envelope(good.substr(0, cut), some_id));
  for (std::size_t at = 0; at < good.size(); ++at)
    for (const auto control : {'\0', '\n', '\r', '\x1f'}) {
      auto changed = good;
      changed[at] = control;
      CHECK_FALSE(looks_like_envelope(changed, some_id));
    }
  CHECK_FALSE(looks_like_envelope(good + "\n", some_id));
}

} // namespace vicket
