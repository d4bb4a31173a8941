#include "link/json_answers.hpp"
#include "link/json_request.hpp"
#include "policy/json_text.hpp"
#include "policy/utf8.hpp"

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>

#include <random>
#include <string>
#include <vector>

using namespace vicket;
using namespace vicket::internal;

namespace {

constexpr std::string_view event_json =
    R"({"connector":"crm","event":"ticket.opened","occurred_at":"2026-05-23T14:21:11.412Z","data":{"n":1.10}})";

json_request read(std::string_view text) {
  auto result = read_json_request(text);
  if (const auto* why = std::get_if<std::string>(&result))
    FAIL(*why << ": " << text.substr(0, 200));
  return std::get<json_request>(std::move(result));
}

template <class What>
What read_as(std::string_view text) {
  auto request = read(text);
  if (const auto* why = std::get_if<refusal>(&request.what))
    FAIL(why->detail << ": " << text.substr(0, 200));
  return std::get<What>(std::move(request.what));
}

std::string refused(std::string_view text) {
  const auto request = read(text);
  const auto* why = std::get_if<refusal>(&request.what);
  if (why == nullptr)
    return "not refused";
  CHECK(request.number == 1);
  CHECK(why->code == errc::invalid_event);
  return why->detail;
}

std::string no_answer_to(std::string_view text) {
  const auto result = read_json_request(text);
  const auto* why = std::get_if<std::string>(&result);
  return why == nullptr ? "can be answered" : *why;
}

std::string times(std::size_t count, const std::string& what, const std::string& between = ",") {
  std::string result;
  for (std::size_t i = 0; i < count; ++i)
    result += (i == 0 ? "" : between) + what;
  return result;
}

std::string send_of(const std::string& events) {
  return R"({"request":1,"send":[)" + events + "]}";
}

} // namespace

TEST_CASE("requests are read as they are written, in any order of their fields", "[json]") {
  const auto sent =
      read_as<json_send>(R"( {"send": [)" + std::string{event_json} + R"(] , "request" : 7 } )");
  REQUIRE(sent.items.size() == 1);
  CHECK_FALSE(sent.items[0]);
  REQUIRE(sent.events.items.size() == 1);
  CHECK(sent.events.items[0].connector.value == "crm");
  CHECK(sent.events.items[0].data_json == R"({"n":1.10})"); // as it is written
  CHECK(read_as<json_send>(send_of("")).items.empty());

  const auto feed = read_as<read_outcomes>(R"({"request":1,"outcomes":{}})");
  CHECK(feed.cursor.empty());
  CHECK(feed.limit == 1'000);
  CHECK(feed.wait_ms == 0);
  const auto follow =
      read_as<read_outcomes>(R"({"request":1,"outcomes":{"wait_ms":30000,"limit":1,"from":"v3-a\u002db"}})");
  CHECK(follow.cursor == "v3-a-b");
  CHECK(follow.limit == 1);
  CHECK(follow.wait_ms == 30'000);
  CHECK(read_as<read_outcomes>(R"({"request":1,"outcomes":{"from":null,"limit":1000,"wait_ms":0}})").cursor ==
        "");

  CHECK(read_as<get_run>(R"({"request":1,"run":"run-42"})").run == "run-42");
  CHECK(read_as<get_run>(R"({"request":1,"run":"","from":null})").cursor == "");
  CHECK(read_as<get_run>(R"({"request":1,"from":"c","run":"r"})").cursor == "c");
  const auto id = event_id::parse("01970000-0000-7000-8000-000000000001");
  CHECK(read_as<get_event>(R"({"request":1,"event":"01970000-0000-7000-8000-000000000001","from":"c"})").id ==
        id);
}

TEST_CASE("a trigger is an event without a connector, and what is wrong with one of several is its own",
          "[json]") {
  const auto fired = read_as<json_trigger>(
      R"({"request":7,"trigger":[{"event":"x","occurred_at":"2026-05-23T14:21:11.412Z","data":{"n":1.10},"run":"r"},)"
      R"({"event":"x"},{"connector":"crm","event":"x","occurred_at":"2026-05-23T14:21:11.412Z","data":{}},1]})");
  REQUIRE(fired.items.size() == 4);
  CHECK_FALSE(fired.items[0]);
  REQUIRE(fired.triggers.items.size() == 1);
  CHECK(fired.triggers.items[0].data_json == R"({"n":1.10})");
  CHECK(fired.triggers.items[0].run == "r");
  CHECK_FALSE(fired.triggers.items[0].id);
  CHECK(fired.items[1]->detail == "trigger[1]: occurred_at is missing");
  CHECK(fired.items[2]->detail ==
        "trigger[2]: connector: a trigger goes where the rules say, and names none");
  CHECK(fired.items[3]->detail.starts_with("trigger[3]: an event must be a JSON object"));
  std::string many = "1";
  for (std::size_t i = 0; i < trigger_batch::max_items; ++i)
    many += ",1";
  CHECK(std::get<refusal>(read(R"({"request":1,"trigger":[)" + many + "]}").what).detail ==
        "trigger holds at most 1000 events");
}

TEST_CASE("a request's number is a whole one up to 2^53 - 1", "[json]") {
  const auto with = [](std::string_view number) {
    return R"({"request":)" + std::string{number} + R"(,"run":"r"})";
  };
  CHECK(read(with("0")).number == 0);
  CHECK(read(with("9007199254740991")).number == 9'007'199'254'740'991);
  for (const std::string_view wrong : {"9007199254740992", "-1", "1.0", "1e3", "01", "\"1\"", "null", "true",
                                       "[1]", "{}", "99999999999999999999999999"}) {
    CAPTURE(wrong);
    CHECK(no_answer_to(with(wrong)) == "\"request\" must be one whole number from 0 to 9007199254740991");
  }
  CHECK(no_answer_to(R"({"request":1,"request":1,"run":"r"})") ==
        "\"request\" must be one whole number from 0 to 9007199254740991");
  CHECK(no_answer_to(R"({"run":"r"})") == "a message has no number in \"request\"");
}

TEST_CASE("what is no JSON object can't be answered, and says where it is none", "[json]") {
  struct row {
    std::string_view text;
    std::string_view why;
  };
  for (const auto& [text, why] : {
           row{"", "an object is expected (at byte 0)"},
           row{"null", "an object is expected (at byte 0)"},
           row{R"([{"request":1,"run":"r"}])", "an object is expected (at byte 0)"},
           row{"\xef\xbb\xbf{\"request\":1,\"run\":\"r\"}", "an object is expected (at byte 0)"},
           row{R"({"request":1,"run":"r")", "a comma or } is expected (at byte 22)"},
           row{R"({"request":1,"run":"r"}{})", "something follows the value (at byte 23)"},
           row{R"({"request":1,"send":[})", "a bracket is not closed"},
           row{R"({"request":1,"run":"r)", "a string has no end (at byte 21)"},
       }) {
    CAPTURE(text);
    if (why == "a bracket is not closed") // brackets of either kind count: it is the object that has no end
      CHECK(no_answer_to(text).starts_with("a message is no JSON object: "));
    else
      CHECK(no_answer_to(text) == "a message is no JSON object: " + std::string{why});
  }
}

TEST_CASE("a request that can't be done is refused by its number, with what and where", "[json]") {
  const auto long_name = std::string(100, 'x');
  struct row {
    std::string text; ///< behind the number
    std::string why;
  };
  const std::vector<row> rows{
      {"", "a request has one of send, trigger, outcomes, run and event, not none of them"},
      {R"(,"run":"r","send":[])",
       "a request has one of send, trigger, outcomes, run and event, not several of them"},
      {R"(,"run":"r","limit":1)", "\"limit\" is no field of a request"},
      {R"(,"run":"r","":1)", "\"\" is no field of a request"},
      {R"(,"run":"r","é\u0000":1)", "\"é" + std::string{'\0'} + "\" is no field of a request"},
      {R"(,"run":"r",")" + long_name + R"(":1)",
       '"' + long_name.substr(0, 64) + "…\" is no field of a request"},
      {R"(,"run":"r","\ud800":1)", "a request has a name that is no JSON string"},
      {R"(,"run":"r","run":"r")", "run is there twice"},
      {R"(,"send":[],"from":null)", "from belongs to run and event; that of outcomes stands within it"},
      {R"(,"outcomes":{},"from":"c")", "from belongs to run and event; that of outcomes stands within it"},
      // send
      {R"(,"send":null)", "send must be an array of events"},
      {R"(,"send":{})", "send must be an array of events"},
      {R"(,"send":"x")", "send must be an array of events"},
      {R"(,"send":[1 2])", "send is no JSON array: a comma or ] is expected (at byte 3)"},
      {R"(,"send":[)" + times(1'001, "0") + "]", "send holds at most 1000 events"},
      // outcomes
      {R"(,"outcomes":null)", "outcomes must be an object"},
      {R"(,"outcomes":"x")", "outcomes must be an object"},
      {R"(,"outcomes":[])", "outcomes must be an object"},
      {R"(,"outcomes":{"from"})", "outcomes is no JSON object: a colon is expected (at byte 7)"},
      {R"(,"outcomes":{"cursor":"c"})", "\"cursor\" is no field of outcomes"},
      {R"(,"outcomes":{"limit":1,"limit":1})", "limit is there twice"},
      {R"(,"outcomes":{"from":1})", "outcomes.from must be a cursor of this node, or null"},
      {R"(,"outcomes":{"from":""})", "outcomes.from must be a cursor of this node, or null"},
      {R"(,"outcomes":{"from":"\ud800"})", "outcomes.from must be a cursor of this node, or null"},
      {R"(,"outcomes":{"from":"\xff"})", "outcomes.from must be a cursor of this node, or null"},
      {R"(,"outcomes":{"from":")" + std::string(16 * 1'024 - 1, 'c') + "\"}",
       "outcomes.from must be a cursor of this node, or null"},
      {R"(,"outcomes":{"limit":0})", "outcomes.limit must be a whole number from 1 to 1000"},
      {R"(,"outcomes":{"limit":1001})", "outcomes.limit must be a whole number from 1 to 1000"},
      {R"(,"outcomes":{"limit":"1"})", "outcomes.limit must be a whole number from 1 to 1000"},
      {R"(,"outcomes":{"limit":null})", "outcomes.limit must be a whole number from 1 to 1000"},
      {R"(,"outcomes":{"limit":1.5})", "outcomes.limit must be a whole number from 1 to 1000"},
      {R"(,"outcomes":{"wait_ms":30001})", "outcomes.wait_ms must be a whole number from 0 to 30000"},
      {R"(,"outcomes":{"wait_ms":-1})", "outcomes.wait_ms must be a whole number from 0 to 30000"},
      {R"(,"outcomes":{"wait_ms":[[[[]]]]})", "outcomes.wait_ms must be a whole number from 0 to 30000"},
      // run, event
      {R"(,"run":1)", "run must be a string of at most 256 bytes"},
      {R"(,"run":null)", "run must be a string of at most 256 bytes"},
      {R"(,"run":["r"])", "run must be a string of at most 256 bytes"},
      {R"(,"run":")" + std::string(257, 'r') + '"', "run must be a string of at most 256 bytes"},
      {R"(,"run":"\q")", "run must be a string of at most 256 bytes"},
      {R"(,"run":"r","from":1)", "from must be a cursor of this node, or null"},
      {R"(,"run":"r","from":{})", "from must be a cursor of this node, or null"},
      {R"(,"event":"x")", "event must be a UUID in its 36-character form"},
      {R"(,"event":1)", "event must be a UUID in its 36-character form"},
      {R"(,"event":{"connector":"crm"})", "event must be a UUID in its 36-character form"},
      {R"(,"event":")" + std::string(1'000, '0') + '"', "event must be a UUID in its 36-character form"},
  };
  for (const auto& [text, why] : rows) {
    CAPTURE(text.substr(0, 200));
    CHECK(refused(R"({"request":1)" + text + "}") == why);
  }
  // At the edges of the bounds.
  CHECK(read_as<json_send>(send_of(times(1'000, "0"))).items.size() == 1'000);
  CHECK(read_as<get_run>(R"({"request":1,"run":")" + std::string(256, 'r') + R"("})").run.size() == 256);
  CHECK(read_as<get_run>(R"({"request":1,"run":")" + times(256, "\\u0061", "") + R"("})").run ==
        std::string(256, 'a'));
  CHECK(read_as<read_outcomes>(R"({"request":1,"outcomes":{"from":")" + std::string(16 * 1'024 - 2, 'c') +
                               "\"}}")
            .cursor.size() == 16 * 1'024 - 2);
}

TEST_CASE("an event that is wrong is refused alone, whatever is wrong with it", "[json]") {
  const std::string good{event_json};
  struct row {
    std::string event;
    std::string why; ///< how its sentence goes on
  };
  const auto with_data = [&](const std::string& data) {
    return good.substr(0, good.find(R"({"n")")) + data + "}";
  };
  const std::vector<row> rows{
      {"1", "an event must be a JSON object, not a number"},
      {"null", "an event must be a JSON object, not null"},
      {"[]", "an event must be a JSON object, not an array"},
      {"{}", "connector is missing"},
      {"nul", "not valid JSON at byte 0: a value is expected"},
      {R"({"connector" 1})", "not valid JSON at byte 13: a colon is expected"},
      {R"({"connector":1})", "connector must be a string, not a number"},
      {R"({"Connector":"crm"})", "\"Connector\" is no field of an event"},
      {good.substr(0, good.size() - 1) + R"(,"id":"x"})", "id must be a UUID"},
      {with_data("[]"), "data must be an object, not an array"},
      {with_data(R"({"n":"\ud800"})"), "not valid JSON at byte 97: an unpaired surrogate is no character"},
      {with_data(R"({"n":01})"), "not valid JSON at byte"},
      {with_data("{\"n\":\"\xff\"}"), "not valid JSON at byte 97: it is not UTF-8 there"},
      {with_data(R"({"n":)" + std::string(300, '[') + std::string(300, ']') + "}"),
       "data is nested more than 128 deep (at byte "},
      {"{\"" + std::string(100'000, 'x') + "\":1}", "\"xxx"},
  };
  for (const auto& [event, why] : rows) {
    CAPTURE(event.substr(0, 200));
    const auto sent = read_as<json_send>(send_of(good + "," + event + "," + good));
    REQUIRE(sent.items.size() == 3);
    CHECK(sent.events.items.size() == 2);
    CHECK_FALSE(sent.items[0]);
    CHECK_FALSE(sent.items[2]);
    REQUIRE(sent.items[1]);
    CHECK(sent.items[1]->code == errc::invalid_event);
    INFO(sent.items[1]->detail);
    CHECK(sent.items[1]->detail.starts_with("send[1]: " + why));
    CHECK(sent.items[1]->detail.size() < 600);
  }
}

TEST_CASE("messages that are changed by chance are read or refused, and never more than that", "[json]") {
  const std::string good{event_json};
  const std::vector<std::string> valid{
      send_of(good + "," + good),
      R"({"request":1,"outcomes":{"from":"v3-1.2","limit":10,"wait_ms":20}})",
      R"({"request":1,"run":"r\u00e9\ud83d\ude00","from":"c"})",
      R"({"request":1,"event":"01970000-0000-7000-8000-000000000001","from":null})",
  };
  std::mt19937 random{Catch::getSeed()};
  constexpr std::string_view telling = R"({}[]",:\u0d81e-+.ntf)";
  std::size_t answered = 0;
  for (int round = 0; round < 60'000; ++round) {
    auto text = valid[random() % valid.size()];
    for (auto changes = 1 + random() % 4; changes > 0; --changes) {
      const auto at = random() % text.size();
      switch (random() % 4) {
      case 0:
        text[at] = static_cast<char>(random());
        break;
      case 1:
        text[at] = telling[random() % telling.size()];
        break;
      case 2:
        text.erase(at, random() % 4);
        break;
      default:
        text.insert(at, text.substr(random() % text.size(), random() % 40));
      }
      if (text.empty())
        text.assign(1, '{');
    }
    const auto result = read_json_request(text);
    if (const auto* why = std::get_if<std::string>(&result)) {
      REQUIRE_FALSE(why->empty());
      REQUIRE(std::all_of(why->begin(), why->end(), [](char c) { return c >= 0x20 && c < 0x7f; }));
      continue;
    }
    ++answered;
    const auto& request = std::get<json_request>(result);
    if (const auto* why = std::get_if<refusal>(&request.what)) {
      REQUIRE_FALSE(why->detail.empty());
      REQUIRE_FALSE(first_invalid_utf8(json_refusal(request.number, *why)));
    } else if (const auto* sent = std::get_if<json_send>(&request.what)) {
      const auto text_of = json_results(request.number, sent->items,
                                        std::vector<send_result>(sent->events.items.size(), accepted{}));
      REQUIRE(text_of);
      REQUIRE_FALSE(first_invalid_utf8(*text_of));
    }
  }
  CHECK(answered > 1'000);
}

TEST_CASE("answers have their request's number, and what the command line prints", "[json]") {
  CHECK(json_refusal(7, {errc::not_found, "no \"run\"\n"}) ==
        R"({"request":7,"error":"not_found","detail":"no \"run\"\n"})");

  const accepted good{*event_id::parse("01970000-0000-7000-8000-000000000001"), true};
  const refusal full{errc::storage_full, "no room"};
  const refusal wrong{errc::invalid_event, "send[1]: x"};
  CHECK(json_results(9'007'199'254'740'991, {std::nullopt, wrong, std::nullopt}, {good, full}) ==
        R"({"request":9007199254740991,"results":[)" + send_result_to_json(good) + "," +
            send_result_to_json(wrong) + "," + send_result_to_json(full) + "]}");
  CHECK(json_results(1, {}, std::vector<send_result>{}) == R"({"request":1,"results":[]})");
  CHECK_FALSE(json_results(1, {std::nullopt, wrong}, {good, good}));
  CHECK_FALSE(json_results(1, {std::nullopt, std::nullopt}, {good}));

  outcome_page page;
  page.cursor = "c3";
  CHECK(json_outcomes(1, page) == R"({"request":1,"outcomes":[],"next":"c3"})");
  page.unread = {"partition \"1\"", "and 2"};
  CHECK(json_outcomes(1, page) ==
        R"({"request":1,"outcomes":[],"next":"c3","unread":["partition \"1\"","and 2"]})");
  page.unread.clear();
  page.entries.resize(2);
  page.entries[0].cursor = "c2";
  page.entries[1].cursor = "c3";
  page.gap_cursor = "c1";
  CHECK(json_outcomes(1, page) == R"({"request":1,"outcomes":[{"gap":true,"cursor":"c1"},)" +
                                      outcome_entry_to_json(page.entries[0]) + "," +
                                      outcome_entry_to_json(page.entries[1]) + R"(],"next":"c3"})");

  run_page run;
  run.events.resize(2);
  run.cursor = "c";
  CHECK(json_history(1, run) == R"({"request":1,"events":[)" + event_history_to_json(run.events[0]) + "," +
                                    event_history_to_json(run.events[1]) + R"(],"next":null})");
  event_page event{{run.events[0]}, "c", true};
  event.events[0].continues = true;
  event.events[0].goes_on = true;
  CHECK(json_history(1, event).ends_with(R"("attempts":[],"continues":true,"goes_on":true}],"next":"c"})"));
}
