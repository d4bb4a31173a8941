// Seed: "Failed deliveries are surfaced in the workflow's run history with the raw response body for debugging."

#include "tests/actors/node_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <set>

using namespace vicket;
using namespace vicket::testing;

namespace {

outcome_page read(node_fixture& node, const std::string& cursor, std::uint32_t limit) {
  auto answer = node.ask<outcome_page>(read_outcomes{cursor, limit, 0});
  REQUIRE(std::holds_alternative<outcome_page>(answer));
  return std::get<outcome_page>(answer);
}

} // namespace

TEST_CASE("the raw response body is kept byte for byte") {
  node_fixture node;
  node.put("crm");
  std::string raw;
  for (int i = 0; i < 256; ++i)
    raw.push_back(static_cast<char>(i));
  node.transport->on("crm.example.com",
                     [raw](const http_request&) { return scripted_transport::status(500, raw); });
  const auto id = node.send("crm").id;
  CHECK(node.event(id).attempts.at(0).response_body == raw);
  node.restart();
  CHECK(node.event(id).attempts.at(0).response_body == raw);
}

TEST_CASE("a run's history has its events of all partitions, in the order they were accepted, page by page") {
  node_fixture node{4};
  std::vector<std::string> sent;
  for (int i = 0; i < 25; ++i) {
    const auto connector = std::string(1, static_cast<char>(97 + i % 7));
    if (i < 7)
      node.put(connector);
    sent.push_back(node.send(node_fixture::event_for(connector, "run-42")).id.to_string());
    node.send(node_fixture::event_for(connector, "run-43"));
    node.clock.advance_ms(1);
  }
  std::vector<std::string> read_back;
  get_run request{"run-42", "", 4};
  for (;;) {
    const auto page = std::get<run_page>(node.ask<run_page>(request));
    REQUIRE_FALSE(page.events.empty());
    REQUIRE(read_back.size() < sent.size());
    for (const auto& event : page.events) {
      CHECK(event.summary.run == "run-42");
      CHECK(event.summary.workflow == "wf-7");
      CHECK(event.summary.state == event_state::delivered);
      CHECK(event.attempts.size() == 1);
      read_back.push_back(event.summary.id.to_string());
    }
    if (!page.more)
      break;
    request.cursor = page.cursor;
  }
  CHECK(read_back == sent);
}

TEST_CASE("an id that was sent to several connectors has a history with each of them, by connector") {
  node_fixture node{4};
  const auto id = event_id::parse("9f2c1b7e-0000-7000-8000-000000000001").value();
  std::vector<std::string> connectors;
  for (std::uint32_t partition = 4; partition-- > 0;)
    connectors.push_back(node_fixture::connector_in(partition, 4));
  for (const auto& connector : connectors) {
    node.put(connector);
    auto event = node_fixture::event_for(connector);
    event.id = id;
    CHECK_FALSE(node.send(event).duplicate);
  }
  const auto page = std::get<event_page>(node.ask<event_page>(get_event{id}));
  std::vector<std::string> found;
  for (const auto& event : page.events) {
    CHECK(event.summary.id == id);
    CHECK(event.attempts.size() == 1);
    found.push_back(event.summary.connector.value);
  }
  std::sort(connectors.begin(), connectors.end());
  CHECK(found == connectors);
}

TEST_CASE("what is not there is said to be not found") {
  node_fixture node{2};
  CHECK(std::get<refusal>(node.ask<event_page>(get_event{})).code == errc::not_found);
  CHECK(std::get<refusal>(node.ask<run_page>(get_run{"no such run", "", 10})).code == errc::not_found);
  CHECK(std::get<refusal>(node.ask<outcome_page>(read_outcomes{"nonsense", 1, 0})).code ==
        errc::invalid_event);
  CHECK(std::get<refusal>(node.ask<outcome_page>(read_outcomes{"v1-0", 1, 0})).code == errc::invalid_event);
}

TEST_CASE("the outcome feed has every attempt once, oldest first, and goes on after a cursor and a restart") {
  node_fixture node{3};
  for (const auto* id : {"a", "b", "c"}) {
    node.put(id, [](connector& c) { c.retry.base_ms = 1'000; });
    node.transport->on(node_fixture::host_of(id), [n = 0](const http_request&) mutable {
      ++n;
      return scripted_transport::status(n % 2 == 1 ? 500 : 200,
                                        std::string(static_cast<std::size_t>(n), 'b'));
    });
  }
  for (int i = 0; i < 10; ++i)
    for (const auto* id : {"a", "b", "c"})
      node.send(id);
  node.advance_ms(30'000);
  std::multiset<std::pair<std::string, std::uint32_t>> seen;
  std::string cursor;
  for (int pages = 0; pages < 100; ++pages) {
    const auto page = read(node, cursor, 7);
    if (page.entries.empty())
      break;
    for (const auto& entry : page.entries) {
      seen.emplace(entry.summary.id.to_string(), entry.value.number);
      cursor = entry.cursor; // every line can be gone on from
    }
    CHECK(page.cursor == cursor);
    if (pages == 2)
      node.restart();
  }
  std::size_t attempts = 0;
  for (const auto* id : {"a", "b", "c"})
    attempts += node.transport->count(node_fixture::host_of(id));
  CHECK(seen.size() == attempts);
  CHECK(std::set(seen.begin(), seen.end()).size() == attempts);
}

TEST_CASE(
    "a follower of the feed is answered when an attempt is committed, or when it has waited long enough") {
  node_fixture node{2};
  node.put("crm");
  node.send("crm");
  const auto end = read(node, "", 100).cursor;

  auto follower = node.ask_later<outcome_page>(read_outcomes{end, 100, 5'000});
  node.run();
  node.advance_ms(1'000);
  const auto id = node.send("crm").id;
  auto answer = follower();
  REQUIRE(std::holds_alternative<outcome_page>(answer));
  const auto page = std::get<outcome_page>(answer);
  REQUIRE(page.entries.size() == 1);
  CHECK(page.entries[0].summary.id == id);
  CHECK(page.entries[0].summary.state == event_state::delivered);

  auto patient = node.ask_later<outcome_page>(read_outcomes{page.cursor, 100, 5'000});
  node.run();
  node.advance_ms(4'800);
  CHECK(std::holds_alternative<refusal>(patient()));
  node.advance_ms(400);
  answer = patient();
  REQUIRE(std::holds_alternative<outcome_page>(answer));
  CHECK(std::get<outcome_page>(answer).entries.empty());
  CHECK(std::get<outcome_page>(answer).cursor == page.cursor);
}

TEST_CASE("history past the retention is forgotten, pending events and theirs are kept") {
  node_fixture node;
  node.options.retention_ms = 3'600'000;
  node.restart();
  node.put("crm");
  node.put("down", [](connector& c) { c.retry.max_age_ms = 30LL * 24 * 3'600'000; });
  node.transport->on("down.example.com", [](const http_request&) { return scripted_transport::status(500); });
  const auto old = node.send("crm").id;
  const auto pending = node.send("down").id;
  node.advance_ms(7'200'000, 60'000);
  const auto fresh = node.send("crm").id;
  node.advance_ms(1'200'000, 60'000);
  CHECK(std::holds_alternative<refusal>(node.ask<event_page>(get_event{old})));
  CHECK(node.event(pending).summary.state == event_state::pending);
  CHECK(node.event(pending).attempts.size() > 3);
  CHECK(node.event(fresh).summary.state == event_state::delivered);
}

TEST_CASE("the status tells what waits, since when, and what is in flight") {
  node_fixture node{2};
  node.put("crm");
  node.put("idle");
  node.transport->hang("crm.example.com");
  const auto since = node.clock.wall_now();
  node.send("crm");
  node.advance_ms(5'000);
  node.send("crm");
  const auto status = node.status();
  CHECK(status.connectors_configured == 2);
  CHECK(status.partitions.size() == 2);
  REQUIRE(status.connectors.size() == 1);
  CHECK(status.connectors[0].id.value == "crm");
  CHECK(status.connectors[0].pending == 2);
  CHECK(status.connectors[0].in_flight == 2);
  CHECK(status.connectors[0].oldest_pending_at == since);
  CHECK(status.now == node.clock.wall_now());
}
