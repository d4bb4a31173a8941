// Seed: "Failed deliveries are surfaced in the workflow's run history with the raw response body for debugging."

#include "policy/partitioning.hpp"
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

/// All pages of a history, joined; what each of them weighed is in `weights`.
template <class Page, class Request>
std::vector<event_history> read_all(node_fixture& node, Request request, std::vector<std::size_t>& weights) {
  std::vector<event_history> all;
  for (bool more = true; more;) {
    auto page = std::get<Page>(node.ask<Page>(request));
    std::size_t bytes = 0;
    for (const auto& event : page.events)
      bytes += page_bytes_of(event);
    REQUIRE(weights.size() < 10'000);
    weights.push_back(bytes);
    append_page(all, std::move(page.events));
    request.cursor = page.cursor;
    more = page.more;
  }
  return all;
}

/// A connector whose endpoint always answers 500 and another 64 KiB, and is tried each second.
void put_failing(node_fixture& node, const std::string& id,
                 std::size_t body_bytes = attempt::max_body_bytes) {
  node.put(id, [](connector& c) {
    c.retry.base_ms = 1'000;
    c.retry.cap_ms = 1'000;
  });
  node.transport->on(node_fixture::host_of(id), [n = 0, body_bytes](const http_request&) mutable {
    auto body = std::to_string(++n);
    body.resize(body_bytes, 'x');
    return scripted_transport::status(500, body);
  });
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

TEST_CASE("an event with many attempts comes in pages that are bounded in bytes, and is whole when they are "
          "joined") {
  node_fixture node{2};
  put_failing(node, "down");
  const auto id = node.send("down").id;
  node.advance_ms(200'000, 1'000);
  const auto made = node.transport->count(node_fixture::host_of("down"));
  REQUIRE(made * attempt::max_body_bytes > 2 * event_page::max_bytes);
  const auto check = [&](const std::vector<event_history>& events, const std::vector<std::size_t>& weights) {
    CHECK(weights.size() > 2);
    CHECK(*std::max_element(weights.begin(), weights.end()) <= event_page::max_bytes);
    // A page is as full as it can be.
    CHECK(weights.front() > event_page::max_bytes - 2 * attempt::max_body_bytes);
    REQUIRE(events.size() == 1);
    CHECK_FALSE(events[0].goes_on);
    REQUIRE(events[0].attempts.size() == made);
    for (std::size_t i = 0; i < made; ++i) {
      CHECK(events[0].attempts[i].number == i + 1);
      CHECK(events[0].attempts[i].response_body.starts_with(std::to_string(i + 1) + "x"));
      CHECK(events[0].attempts[i].response_body.size() == attempt::max_body_bytes);
    }
  };
  std::vector<std::size_t> weights;
  check(read_all<event_page>(node, get_event{id}, weights), weights);
  weights.clear();
  check(read_all<run_page>(node, get_run{"run-1", ""}, weights), weights);
  node.restart();
  weights.clear();
  check(read_all<event_page>(node, get_event{id}, weights), weights);
}

TEST_CASE("pages that hold one attempt at most have all events of all partitions, in the same order") {
  node_fixture node{3};
  node.options.history.page_bytes = 1;
  node.restart();
  const auto id = event_id::parse("9f2c1b7e-0000-7000-8000-000000000001").value();
  std::vector<std::string> connectors;
  for (std::uint32_t partition = 0; partition < 3; ++partition)
    for (int i = 0; i < 2; ++i) {
      auto name = node_fixture::connector_in(partition, 3) + std::string(static_cast<std::size_t>(i), 'x');
      while (partition_of({name}, 3) != partition)
        name += 'x';
      connectors.push_back(name);
    }
  for (const auto& connector : connectors) {
    put_failing(node, connector, 10);
    auto event = node_fixture::event_for(connector);
    event.id = id;
    node.send(event);
    node.clock.advance_ms(1);
  }
  node.put("quiet", [](connector& c) { c.enabled = true; });
  node.transport->hang("quiet.example.com");
  node.send("quiet");
  node.advance_ms(5'000, 1'000);

  const auto names_of = [](const std::vector<event_history>& events) {
    std::vector<std::string> names;
    for (const auto& event : events)
      names.push_back(event.summary.connector.value);
    return names;
  };
  const auto pages_of = [&](const std::vector<event_history>& events) {
    std::size_t pages = 0;
    for (const auto& event : events) {
      CHECK(event.summary.state == event_state::pending);
      if (event.summary.connector.value != "quiet")
        CHECK(event.attempts.size() >= 3);
      for (std::size_t i = 0; i < event.attempts.size(); ++i)
        CHECK(event.attempts[i].number == i + 1);
      pages += std::max<std::size_t>(event.attempts.size(), 1);
    }
    return pages;
  };
  std::vector<std::size_t> weights;
  auto run = read_all<run_page>(node, get_run{"run-1", ""}, weights);
  CHECK(weights.size() == pages_of(run));
  auto in_order = connectors;
  in_order.push_back("quiet");
  CHECK(names_of(run) == in_order);

  weights.clear();
  const auto same_id = read_all<event_page>(node, get_event{id}, weights);
  CHECK(weights.size() == pages_of(same_id));
  std::sort(connectors.begin(), connectors.end());
  CHECK(names_of(same_id) == connectors);
}

TEST_CASE("an event that is spread over pages stays as it was when the first of them was read") {
  node_fixture node;
  node.options.history.page_bytes = 1;
  node.restart();
  put_failing(node, "down", 10);
  const auto id = node.send("down").id;
  node.advance_ms(3'000);
  const auto before = node.event(id);
  REQUIRE(before.attempts.size() >= 3);

  auto page = std::get<event_page>(node.ask<event_page>(get_event{id}));
  REQUIRE(page.more);
  CHECK(page.events.at(0).goes_on);
  CHECK_FALSE(page.events.at(0).continues);
  node.transport->on("down.example.com", [](const http_request&) { return scripted_transport::status(200); });
  node.advance_ms(5'000);
  REQUIRE(node.event(id).summary.state == event_state::delivered);
  std::vector<event_history> read;
  append_page(read, page.events);
  while (page.more) {
    page = std::get<event_page>(node.ask<event_page>(get_event{id, page.cursor}));
    REQUIRE(page.events.size() == 1);
    CHECK(page.events[0].continues);
    CHECK(page.events[0].summary.state == event_state::pending);
    CHECK(page.events[0].summary.next_attempt_at == before.summary.next_attempt_at);
    append_page(read, page.events);
  }
  CHECK(read.at(0).attempts == before.attempts);
}

TEST_CASE("an event that is forgotten while its pages are read ends where it is, and the next one follows") {
  node_fixture node;
  node.options.history.page_bytes = 1;
  node.options.retention_ms = 3'600'000;
  node.restart();
  put_failing(node, "down", 10);
  node.put("up");
  const auto old = node.send("down").id;
  node.advance_ms(3'000);
  node.transport->on("down.example.com", [](const http_request&) { return scripted_transport::status(200); });
  node.advance_ms(3'000);
  auto page = std::get<run_page>(node.ask<run_page>(get_run{"run-1", ""}));
  REQUIRE(page.events.at(0).goes_on);
  const auto within_event = std::get<event_page>(node.ask<event_page>(get_event{old})).cursor;
  node.advance_ms(7'200'000, 60'000);
  const auto fresh = node.send("up").id;
  node.advance_ms(1'200'000, 60'000);
  page = std::get<run_page>(node.ask<run_page>(get_run{"run-1", page.cursor}));
  REQUIRE(page.events.size() == 1);
  CHECK(page.events[0].summary.id == fresh);
  CHECK_FALSE(page.events[0].continues);
  const auto rest = std::get<event_page>(node.ask<event_page>(get_event{old, within_event}));
  CHECK(rest.events.empty());
  CHECK_FALSE(rest.more);
}

TEST_CASE("cursors of histories that the node can't have given are refused") {
  node_fixture node{2};
  node.put("crm");
  const auto id = node.send("crm").id;
  for (const auto* wrong : {"nonsense", "run1-1-2", "event1-", "event1+1.0.1-crm"})
    CHECK(std::get<refusal>(node.ask<event_page>(get_event{id, wrong})).code == errc::invalid_event);
  for (const auto* wrong : {"nonsense", "event1-crm", "run1-1-2+2.1.1"})
    CHECK(std::get<refusal>(node.ask<run_page>(get_run{"run-1", wrong})).code == errc::invalid_event);
}

TEST_CASE(
    "so many pages of history are read at the same time, others wait, and what comes beyond is overloaded") {
  node_fixture node;
  node.options.history.reads = 1;
  node.options.history.waiting = 2;
  node.restart();
  node.put("crm");
  const auto id = node.send("crm").id;
  std::vector<std::function<std::variant<event_page, refusal>()>> asked;
  for (int i = 0; i < 5; ++i)
    asked.push_back(node.ask_later<event_page>(get_event{id}));
  auto feed = node.ask_later<outcome_page>(read_outcomes{"", 10, 0});
  node.run();
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(std::holds_alternative<event_page>(asked[i]()));
  for (std::size_t i = 3; i < 5; ++i)
    CHECK(std::get<refusal>(asked[i]()).code == errc::overloaded);
  CHECK(std::holds_alternative<outcome_page>(feed())); // it has places of its own
  CHECK(std::holds_alternative<event_page>(node.ask<event_page>(get_event{id})));
}

TEST_CASE("a page of the feed is bounded in bytes over all partitions, and the feed stays in order") {
  node_fixture node{3};
  node.options.history.page_bytes = 3 * 70'000;
  node.restart();
  for (std::uint32_t partition = 0; partition < 3; ++partition)
    put_failing(node, node_fixture::connector_in(partition, 3),
                partition == 0 ? attempt::max_body_bytes : 100);
  for (std::uint32_t partition = 0; partition < 3; ++partition)
    node.send(node_fixture::connector_in(partition, 3));
  node.advance_ms(20'000, 1'000);
  std::size_t sent = 0;
  for (std::uint32_t partition = 0; partition < 3; ++partition)
    sent += node.transport->count(node_fixture::host_of(node_fixture::connector_in(partition, 3)));
  std::string cursor;
  std::size_t seen = 0;
  timestamp_ms last;
  for (int pages = 0; pages < 1'000; ++pages) {
    const auto page = read(node, cursor, 1'000);
    if (page.entries.empty())
      break;
    std::size_t bytes = 0;
    for (const auto& entry : page.entries) {
      bytes += page_bytes_of(entry.summary) + page_bytes_of(entry.value) + entry.cursor.size();
      const auto ended_at = entry.value.started_at + entry.value.duration_us / 1'000;
      CHECK(ended_at >= last);
      last = ended_at;
    }
    CHECK(bytes <= node.options.history.page_bytes);
    seen += page.entries.size();
    cursor = page.cursor;
  }
  CHECK(seen == sent);
}
