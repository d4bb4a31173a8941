// What a workflow engine may rely on when it sends.

#include "actors/connector_pages.hpp"
#include "tests/actors/node_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <set>

using namespace vicket;
using namespace vicket::testing;

namespace {

errc code_of(const send_result& result) {
  REQUIRE(std::holds_alternative<refusal>(result));
  return std::get<refusal>(result).code;
}

refusal refused(node_fixture& node, const send_to_connector& event) {
  const auto answer = node.ask<accepted>(event);
  REQUIRE(std::holds_alternative<refusal>(answer));
  return std::get<refusal>(answer);
}

constexpr auto some_id = "0198f2a0-1111-7222-8333-444455556666";

} // namespace

TEST_CASE("an accepted event is POSTed once, signed, with the envelope in its order") {
  node_fixture node;
  node.put("crm",
           [](connector& c) { c.secret.value = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="; });
  const auto done = node.send("crm");
  CHECK_FALSE(done.duplicate);
  const auto requests = node.transport->requests("crm.example.com");
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].body ==
        R"({"id":")" + done.id.to_string() +
            R"(","event":"ticket.status_changed","occurred_at":"2026-05-23T14:20:11.000Z",)"
            R"("data":{"ticket":{"id":"T-1","status":{"category":"resolved"}},)"
            R"("message":"Ticket resolved by the on-call agent."}})");
  CHECK(header(requests[0], "X-Vicket-Signature").value_or("").starts_with("hmac-sha256, t=1779546071, v1="));
  CHECK(header(requests[0], "webhook-id") == done.id.to_string());
  CHECK(header(requests[0], "webhook-timestamp") == "1779546071");
  CHECK(header(requests[0], "Content-Length") == std::to_string(requests[0].body.size()));
  CHECK(requests[0].timeout_ms == 10'000);
}

TEST_CASE("nothing is accepted before its commit is on disk") {
  node_fixture node;
  node.put("crm");
  const auto syncs_before = node.disk.log_syncs();
  const auto answer = node.ask<accepted>(node_fixture::event_for("crm"));
  REQUIRE(std::holds_alternative<accepted>(answer));
  CHECK(node.disk.log_syncs() > syncs_before);

  node.disk.fail_log_syncs_from(1);
  const auto refused = node.ask<accepted>(node_fixture::event_for("crm"));
  CHECK_FALSE(std::holds_alternative<accepted>(refused));
  CHECK(node.transport->count("crm.example.com") == 1);
}

TEST_CASE("many events that wait together share a commit") {
  node_fixture node;
  node.put("crm");
  node.transport->hang("crm.example.com");
  const auto syncs_before = node.disk.log_syncs();
  for (int i = 0; i < 50; ++i)
    (void)node.ask_later<accepted>(node_fixture::event_for("crm"));
  node.run();
  CHECK(node.disk.log_syncs() - syncs_before <= 5);
  CHECK(node.status().connectors.at(0).pending == 50);
}

TEST_CASE("each item of a batch is answered in its place, with the documented code") {
  node_fixture node{3};
  node.options.max_envelope_bytes = 2'000;
  node.restart();
  node.put("crm", [](connector& c) { c.events = {"ticket.*"}; });
  node.put("off", [](connector& c) { c.enabled = false; });
  node.put("other");
  send_batch batch;
  auto add = [&](send_to_connector event) -> send_to_connector& {
    batch.items.push_back(std::move(event));
    return batch.items.back();
  };
  add(node_fixture::event_for("crm"));
  add(node_fixture::event_for("nobody"));
  add(node_fixture::event_for("off"));
  add(node_fixture::event_for("crm")).event = "user.created";
  add(node_fixture::event_for("crm")).data_json = R"({"a":)";
  add(node_fixture::event_for("crm")).data_json = R"([1,2])";
  add(node_fixture::event_for("crm")).message = std::string(3'000, 'x');
  add(node_fixture::event_for("no spaces allowed"));
  add(node_fixture::event_for("other"));
  const auto answer = node.ask<batch_result>(batch);
  REQUIRE(std::holds_alternative<batch_result>(answer));
  const auto& results = std::get<batch_result>(answer).results;
  REQUIRE(results.size() == batch.items.size());
  CHECK(std::holds_alternative<accepted>(results[0]));
  CHECK(code_of(results[1]) == errc::unknown_connector);
  CHECK(code_of(results[2]) == errc::connector_disabled);
  CHECK(code_of(results[3]) == errc::filtered);
  CHECK(code_of(results[4]) == errc::invalid_event);
  CHECK(code_of(results[5]) == errc::invalid_event);
  CHECK(code_of(results[6]) == errc::too_large);
  CHECK(code_of(results[7]) == errc::invalid_event);
  CHECK(std::holds_alternative<accepted>(results[8]));
  CHECK(node.transport->count("crm.example.com") == 1);
  CHECK(node.transport->count("other.example.com") == 1);
}

TEST_CASE("an event that a connector's filter does not match is refused with the condition") {
  node_fixture node;
  node.put("crm", [](connector& c) {
    c.events = {"ticket.*"};
    c.filter_json = R"({"/ticket/priority":{"in":["high","urgent"]},"/message":{"exists":true}})";
  });
  auto event = node_fixture::event_for("crm");
  event.event = "ticket.created";
  event.data_json = R"({ "ticket" : { "priority" : "\u0068igh" } })";
  event.message = "as it is delivered";
  CHECK_FALSE(node.send(event).duplicate);
  CHECK(node.transport->count("crm.example.com") == 1);

  event.message.reset();
  CHECK(refused(node, event) ==
        refusal{errc::filtered, "the filter of connector 'crm' does not match: /filter/~1message/exists: "
                                "/message is missing"});
  event.message = "as it is delivered";
  event.data_json = R"({"ticket":{"priority":"low"}})";
  CHECK(refused(node, event) ==
        refusal{errc::filtered,
                "the filter of connector 'crm' does not match: /filter/~1ticket~1priority/in: "
                "/ticket/priority is \"low\", which is not in [\"high\",\"urgent\"]"});
  event.event = "user.created"; // patterns are looked at first
  CHECK(refused(node, event).detail.starts_with("none of the events patterns"));
  CHECK(node.transport->count("crm.example.com") == 1);
}

TEST_CASE("a known id is a duplicate also when a filter would refuse the event by now") {
  node_fixture node;
  node.put("crm");
  auto event = node_fixture::event_for("crm");
  event.id = event_id::parse(some_id);
  CHECK_FALSE(node.send(event).duplicate);
  node.put("crm", [](connector& c) { c.filter_json = R"({"/no/such":{"exists":true}})"; });
  CHECK(node.send(event).duplicate);
  event.id = event_id::parse("9f2c1b7e-0102-4304-8506-0708090a0b0d");
  CHECK(refused(node, event).code == errc::filtered);
}

TEST_CASE("a filter takes effect with its put, and after a restart") {
  node_fixture node;
  const auto only = [](const char* name) {
    return [name](connector& c) { c.filter_json = R"({"event":{"eq":")" + std::string{name} + "\"}}"; };
  };
  auto a = node_fixture::event_for("crm");
  a.event = "a";
  auto b = a;
  b.event = "b";
  node.put("crm", only("a"));
  CHECK_FALSE(node.send(a).duplicate);
  CHECK(refused(node, b).code == errc::filtered);
  node.put("crm", only("b"));
  CHECK(refused(node, a).code == errc::filtered);
  CHECK_FALSE(node.send(b).duplicate);
  node.restart();
  CHECK(refused(node, a).code == errc::filtered);
  CHECK_FALSE(node.send(b).duplicate);
  const auto shown = node.ask<connector_view>(get_connector{{"crm"}});
  REQUIRE(std::holds_alternative<connector_view>(shown));
  CHECK(std::get<connector_view>(shown).value.filter_json == R"({"event":{"eq":"b"}})");
  node.put("crm");
  CHECK_FALSE(node.send(a).duplicate);
}

TEST_CASE("a filter that does not compile is refused at the put with its place") {
  node_fixture node;
  connector settings;
  settings.id = {"crm"};
  settings.url = "https://crm.example.com/hook";
  settings.filter_json = R"({"any":[{"/a":{"matches":"("}}]})";
  const auto answer = node.ask<connector_view>(put_connector{settings});
  REQUIRE(std::holds_alternative<refusal>(answer));
  CHECK(std::get<refusal>(answer) ==
        refusal{errc::invalid_connector,
                "/filter/any/0/~1a/matches: is no regular expression that RE2 takes: missing ): ("});
}

TEST_CASE("an empty batch is answered, a batch past the bound is refused whole") {
  node_fixture node;
  const auto empty = node.ask<batch_result>(send_batch{});
  REQUIRE(std::holds_alternative<batch_result>(empty));
  CHECK(std::get<batch_result>(empty).results.empty());
  send_batch long_one;
  long_one.items.resize(send_batch::max_items + 1, node_fixture::event_for("crm"));
  const auto refused = node.ask<batch_result>(long_one);
  REQUIRE(std::holds_alternative<refusal>(refused));
  CHECK(std::get<refusal>(refused).code == errc::invalid_event);
}

TEST_CASE("the same id again answers duplicate and delivers nothing new") {
  node_fixture node;
  node.put("crm");
  auto event = node_fixture::event_for("crm");
  event.id = event_id::parse(some_id);

  SECTION("later") {
    CHECK_FALSE(node.send(event).duplicate);
    CHECK(node.send(event).duplicate);
  }
  SECTION("in the same batch") {
    const auto answer = node.ask<batch_result>(send_batch{{event, event}});
    const auto& results = std::get<batch_result>(answer).results;
    CHECK(std::get<accepted>(results.at(0)) == accepted{*event.id, false});
    CHECK(std::get<accepted>(results.at(1)) == accepted{*event.id, true});
  }
  SECTION("in two messages of one commit") {
    auto first = node.ask_later<accepted>(event);
    auto second = node.ask_later<accepted>(event);
    node.run();
    CHECK(std::get<accepted>(first()) == accepted{*event.id, false});
    CHECK(std::get<accepted>(second()) == accepted{*event.id, true});
  }
  SECTION("after a restart") {
    CHECK_FALSE(node.send(event).duplicate);
    node.restart();
    CHECK(node.send(event).duplicate);
  }
  CHECK(node.transport->count("crm.example.com") == 1);
}

TEST_CASE("ids that the node makes are unique and rise with time") {
  node_fixture node;
  node.put("crm");
  std::set<event_id> ids;
  event_id last;
  for (int i = 0; i < 100; ++i) {
    const auto id = node.send("crm").id;
    CHECK(last < id);
    last = id;
    ids.insert(id);
  }
  CHECK(ids.size() == 100);
}

TEST_CASE(
    "past the bound of uncommitted bytes events are refused with overloaded, later ones are taken again") {
  node_fixture node;
  node.options.max_uncommitted_bytes = 3'000;
  node.restart();
  node.put("crm");
  std::vector<std::function<std::variant<accepted, refusal>()>> answers;
  for (int i = 0; i < 20; ++i)
    answers.push_back(node.ask_later<accepted>(node_fixture::event_for("crm")));
  node.run();
  int taken = 0;
  int overloaded = 0;
  for (auto& answer : answers) {
    const auto result = answer();
    if (std::holds_alternative<accepted>(result))
      ++taken;
    else if (std::get<refusal>(result).code == errc::overloaded)
      ++overloaded;
  }
  CHECK(taken > 0);
  CHECK(overloaded > 0);
  CHECK(taken + overloaded == 20);
  CHECK_FALSE(node.send("crm").duplicate);
}

TEST_CASE("nothing is composed of what is refused with overloaded, in one batch too") {
  node_fixture node;
  node.options.max_uncommitted_bytes = 3'000;
  node.restart();
  node.put("crm");
  node.transport->hang("crm.example.com"); // so that nothing but ids takes chance
  const auto draws_before = node.random.draws();
  std::uint64_t taken = 0;
  const auto count = [&](const send_result& result) {
    if (std::holds_alternative<accepted>(result))
      ++taken;
    else
      CHECK(code_of(result) == errc::overloaded);
  };
  SECTION("a batch") {
    const auto answer = node.ask<batch_result>(send_batch{{500, node_fixture::event_for("crm")}});
    for (const auto& result : std::get<batch_result>(answer).results)
      count(result);
  }
  SECTION("one by one") {
    std::vector<std::function<std::variant<accepted, refusal>()>> answers;
    for (int i = 0; i < 500; ++i)
      answers.push_back(node.ask_later<accepted>(node_fixture::event_for("crm")));
    node.run();
    for (const auto& answer : answers)
      std::visit([&](const auto& result) { count(result); }, answer());
  }
  CHECK(taken > 1);
  CHECK(taken < 100);
  CHECK(node.random.draws() - draws_before <= taken + 1); // the first id takes two
}

TEST_CASE("an event that may weigh more than the bound is taken while nothing else is on its way") {
  node_fixture node;
  node.options.max_uncommitted_bytes = 100;
  node.restart();
  node.put("crm");
  CHECK_FALSE(node.send("crm").duplicate);
  CHECK_FALSE(node.send("crm").duplicate);
}

TEST_CASE("a connector without a secret gets one, and keeps it when it is replaced without one") {
  node_fixture node;
  connector config;
  config.id = {"crm"};
  config.url = "https://crm.example.com/hook";
  auto first = std::get<connector_view>(node.ask<connector_view>(put_connector{config}));
  CHECK(first.secret_generated);
  CHECK(first.value.secret.value.starts_with("whsec_"));
  config.name = "CRM";
  auto second = std::get<connector_view>(node.ask<connector_view>(put_connector{config}));
  CHECK_FALSE(second.secret_generated);
  CHECK(second.value.secret.value.empty());
  node.send("crm");
  const auto request = node.transport->requests("crm.example.com").at(0);
  const auto key = signing_key{first.value.secret.value};
  CHECK(header(request, "X-Vicket-Signature") == vicket_signature(key, 1779546071, request.body));
}

TEST_CASE("an unsafe connector is refused when it is put") {
  node_fixture node;
  connector config;
  config.id = {"bad"};
  for (const auto* url :
       {"http://example.com/", "https://127.0.0.1/", "https://2130706433/", "https://localhost/"}) {
    config.url = url;
    const auto answer = node.ask<connector_view>(put_connector{config});
    INFO(url);
    REQUIRE(std::holds_alternative<refusal>(answer));
    CHECK(std::get<refusal>(answer).code == errc::invalid_connector);
  }
}

TEST_CASE("connectors are listed by id in pages, over all partitions, without their secrets") {
  node_fixture node{4};
  for (const auto* id : {"d", "a", "c", "e", "b"})
    node.put(id);
  auto first = std::get<connector_page>(node.ask<connector_page>(list_connectors{{""}, 3}));
  REQUIRE(first.connectors.size() == 3);
  CHECK(first.more);
  CHECK(first.connectors[0].value.id.value == "a");
  CHECK(first.connectors[2].value.id.value == "c");
  CHECK(first.connectors[0].value.secret.value.empty());
  auto second = std::get<connector_page>(node.ask<connector_page>(list_connectors{{"c"}, 3}));
  REQUIRE(second.connectors.size() == 2);
  CHECK_FALSE(second.more);
  CHECK(second.connectors[1].value.id.value == "e");
}

TEST_CASE("pages of large connectors are bounded in bytes, and have each of them once") {
  constexpr int connectors = 200;
  node_fixture node{3};
  connector config;
  config.url = "https://crm.example.com/";
  for (int i = 0; i < 30; ++i)
    config.headers.emplace_back(std::string{"X-"}.append(std::to_string(i)), std::string(1'000, 'v'));
  std::string all;
  for (int i = 0; i < connectors; ++i) {
    config.id.value = std::to_string(1'000 + i);
    REQUIRE(std::holds_alternative<connector_view>(node.ask<connector_view>(put_connector{config})));
    all.append(config.id.value).append(1, ' ');
  }
  std::string listed;
  int pages = 0;
  for (connector_id after;;) {
    const auto page = std::get<connector_page>(node.ask<connector_page>(list_connectors{after, 1'000}));
    ++pages;
    std::size_t bytes = 0;
    for (const auto& each : page.connectors) {
      bytes += page_bytes_of(each.value);
      listed.append(each.value.id.value).append(1, ' ');
    }
    CHECK(bytes <= max_connector_page_bytes);
    if (!page.more)
      break;
    REQUIRE_FALSE(page.connectors.empty());
    after = page.connectors.back().value.id;
  }
  CHECK(listed == all);
  CHECK(pages >= 2);
}

TEST_CASE("a connector is deleted when nothing waits for it, and not while something does") {
  node_fixture node;
  node.put("crm");
  node.transport->hang("crm.example.com");
  node.send("crm");
  const auto busy = node.ask<std::monostate>(delete_connector{{"crm"}});
  REQUIRE(std::holds_alternative<refusal>(busy));
  CHECK(std::get<refusal>(busy).code == errc::connector_busy);
  node.transport->release(scripted_transport::status(200));
  node.run();
  CHECK(std::holds_alternative<std::monostate>(node.ask<std::monostate>(delete_connector{{"crm"}})));
  const auto gone = node.ask<connector_view>(get_connector{{"crm"}});
  CHECK(std::get<refusal>(gone).code == errc::not_found);
  const auto again = node.ask<std::monostate>(delete_connector{{"crm"}});
  CHECK(std::get<refusal>(again).code == errc::not_found);
  CHECK(std::get<refusal>(node.ask<accepted>(node_fixture::event_for("crm"))).code ==
        errc::unknown_connector);
}
