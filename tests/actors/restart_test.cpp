// Durability rules 1 to 3: what was accepted survives, retry state survives, nothing comes too early.

#include "tests/actors/node_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace vicket;
using namespace vicket::testing;

TEST_CASE("an event accepted and not yet answered when the node dies is delivered by the next start") {
  node_fixture node{2};
  node.put("crm");
  node.transport->hang("crm.example.com");
  const auto id = node.send("crm").id;
  CHECK(node.transport->count("crm.example.com") == 1);
  node.kill();
  node.transport->on("crm.example.com", [](const http_request&) { return scripted_transport::status(200); });
  node.start();
  const auto requests = node.transport->requests("crm.example.com");
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].body == requests[1].body);
  const auto history = node.event(id);
  CHECK(history.summary.state == event_state::delivered);
  REQUIRE(history.attempts.size() == 1);
  CHECK(history.attempts[0].number == 1);
}

TEST_CASE("after a restart no retry comes earlier than its stored due time, and no count starts over") {
  node_fixture node;
  node.put("crm", [](connector& c) { c.retry.base_ms = 20'000; });
  node.transport->on("crm.example.com", [](const http_request&) { return scripted_transport::status(500); });
  const auto id = node.send("crm").id;
  node.advance_ms(25'000);
  auto history = node.event(id);
  REQUIRE(history.attempts.size() == 2);
  const auto due = history.attempts[1].next_attempt_at.value();

  node.restart();
  history = node.event(id);
  CHECK(history.attempts.size() == 2);
  CHECK(history.summary.next_attempt_at == due);
  node.advance_ms(due - node.clock.wall_now() - 1, 50);
  CHECK(node.transport->count("crm.example.com") == 2);
  node.advance_ms(1'001);
  CHECK(node.transport->count("crm.example.com") == 3);
  CHECK(node.event(id).attempts.at(2).number == 3);
}

TEST_CASE("what is settled is not sent again after a restart") {
  node_fixture node{3};
  for (const auto* id : {"a", "b", "c", "d"}) {
    node.put(id);
    for (int i = 0; i < 20; ++i)
      node.send(id);
  }
  for (int i = 0; i < 3; ++i)
    node.restart();
  node.advance_ms(60'000, 1'000);
  for (const auto* id : {"a", "b", "c", "d"})
    CHECK(node.transport->count(node_fixture::host_of(id)) == 20);
}

TEST_CASE("a backlog beyond the window survives restarts whole") {
  node_fixture node;
  node.options.window.events = 8;
  node.restart();
  node.put("crm", [](connector& c) { c.max_in_flight = 2; });
  node.transport->hang("crm.example.com");
  for (int i = 0; i < 100; ++i)
    node.send("crm");
  node.restart();
  CHECK(node.status().connectors.at(0).pending == 100);
  node.kill();
  node.transport->on("crm.example.com", [](const http_request&) { return scripted_transport::status(200); });
  const auto before = node.transport->count("crm.example.com");
  node.start();
  CHECK(node.transport->count("crm.example.com") == before + 100);
  CHECK(node.status().connectors.empty());
}

TEST_CASE("connectors survive a restart, deleted ones stay deleted") {
  node_fixture node{2};
  node.put("keep", [](connector& c) {
    c.name = "CRM, production";
    c.headers = {{"X-Team", "support"}};
    c.rate = rate_limit{100, 1'000, 10};
    c.events = {"ticket.*"};
  });
  node.put("drop");
  (void)node.ask<std::monostate>(delete_connector{{"drop"}});
  const auto before = std::get<connector_view>(node.ask<connector_view>(get_connector{{"keep"}}));
  node.restart();
  const auto after = std::get<connector_view>(node.ask<connector_view>(get_connector{{"keep"}}));
  CHECK(after.value == before.value);
  CHECK(std::holds_alternative<refusal>(node.ask<connector_view>(get_connector{{"drop"}})));
}

TEST_CASE(
    "a supervisor that dies of a defect is replaced, and its successor goes on with what the store has") {
  node_fixture node;
  node.options.window.events = 4;
  node.restart();
  node.put("crm", [](connector& c) { c.max_in_flight = 2; });
  node.transport->hang("crm.example.com");
  std::vector<event_id> ids;
  for (int i = 0; i < 10; ++i)
    ids.push_back(node.send("crm").id);
  node.random.fail_once();
  node.transport->on("crm.example.com", [](const http_request&) { return scripted_transport::status(200); });
  node.transport->release(
      scripted_transport::status(500)); // deciding about a retry takes chance, which fails
  node.run();
  CHECK(node.warnings.size() == 1);
  for (const auto& id : ids)
    CHECK(node.event(id).summary.state == event_state::delivered);
  CHECK(node.status().connectors.empty());
}
