// Connectors with nothing to do by now sleep: without a supervisor, whatever waits for later.

#include "tests/actors/node_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

using namespace vicket;
using namespace vicket::testing;

namespace {

constexpr std::int64_t hour_ms = 3'600'000;
constexpr std::int64_t idle_ms = 32'000; ///< after which a supervisor has gone, and a little
const std::string crm = "crm.example.com";

scripted_transport::script answering(std::uint16_t status, std::string retry_after = "") {
  return [=](const http_request&) { return scripted_transport::status(status, "", retry_after); };
}

/// Retries between half an hour and an hour later.
void retry_after_an_hour(connector& c) {
  c.retry.base_ms = hour_ms;
  c.retry.cap_ms = hour_ms;
}

/// One event that failed, and a connector that sleeps until its retry, whose time comes back.
timestamp_ms sleeping(node_fixture& node, event_id* id = nullptr) {
  node.put("crm", retry_after_an_hour);
  node.transport->on(crm, answering(500));
  const auto sent = node.send("crm").id;
  if (id != nullptr)
    *id = sent;
  node.transport->on(crm, answering(200));
  const auto due = node.event(sent).summary.next_attempt_at.value();
  CHECK(node.supervisors() == 1);
  node.advance_ms(idle_ms, 1'000);
  CHECK(node.supervisors() == 0);
  CHECK(node.transport->count(crm) == 1);
  return due;
}

std::string numbered(int number) {
  std::string id{"c"};
  id += std::to_string(number);
  return id;
}

void advance_to(node_fixture& node, timestamp_ms then) {
  node.advance_ms(then - node.clock.wall_now(), 10'000);
}

} // namespace

TEST_CASE("a connector with a retry an hour ahead has no supervisor, and its retry comes in time") {
  node_fixture node;
  event_id id;
  const auto due = sleeping(node, &id);
  CHECK(node.status().connectors.at(0).pending == 1);
  advance_to(node, due - 1);
  CHECK(node.transport->count(crm) == 1);
  CHECK(node.supervisors() == 0);
  node.advance_ms(1'100);
  CHECK(node.transport->count(crm) == 2);
  CHECK(node.event(id).summary.state == event_state::delivered);
  CHECK(node.event(id).attempts.size() == 2);
  node.advance_ms(idle_ms, 1'000);
  CHECK(node.supervisors() == 0);
}

TEST_CASE("after a restart nobody is spawned for what is due later, and it comes in time") {
  node_fixture node;
  const auto due = sleeping(node);
  for (int i = 0; i < 3; ++i) {
    node.restart();
    CHECK(node.supervisors() == 0);
  }
  advance_to(node, due - 1);
  CHECK(node.transport->count(crm) == 1);
  node.advance_ms(1'100);
  CHECK(node.transport->count(crm) == 2);
}

TEST_CASE("a wall clock that is set forward wakes those whose time has come by it; one that is set back "
          "freezes nobody") {
  node_fixture node;
  const auto due = sleeping(node);
  node.clock.set_wall_forward_ms(due - node.clock.wall_now() - 1);
  node.advance_ms(1, 1);
  CHECK(node.transport->count(crm) == 1);
  node.advance_ms(2'000);
  CHECK(node.transport->count(crm) == 2);

  node_fixture other;
  const auto later = sleeping(other);
  const auto left_ms = later - other.clock.wall_now();
  other.clock.set_wall_forward_ms(-2 * hour_ms);
  other.advance_ms(2 * left_ms + 2'000, 10'000); // at half speed
  CHECK(other.transport->count(crm) == 2);
}

TEST_CASE("a new event wakes a connector, which forgets nothing of what waits for later") {
  node_fixture node;
  const auto due = sleeping(node);
  node.send("crm");
  CHECK(node.transport->count(crm) == 2);
  CHECK(node.supervisors() == 1);
  node.advance_ms(idle_ms, 1'000);
  CHECK(node.supervisors() == 0);
  advance_to(node, due - 1);
  CHECK(node.transport->count(crm) == 2);
  node.advance_ms(1'100);
  CHECK(node.transport->count(crm) == 3);
}

TEST_CASE("a disabled connector needs no supervisor for what waits, and goes on when it is enabled") {
  node_fixture node;
  const auto due = sleeping(node);
  node.put("crm", [](connector& c) {
    retry_after_an_hour(c);
    c.enabled = false;
  });
  node.advance_ms(idle_ms, 1'000);
  CHECK(node.supervisors() == 0);
  node.restart();
  CHECK(node.supervisors() == 0);
  advance_to(node, due + hour_ms);
  CHECK(node.supervisors() == 0);
  CHECK(node.transport->count(crm) == 1);
  CHECK(node.status().connectors.at(0).pending == 1);
  node.put("crm", retry_after_an_hour);
  CHECK(node.transport->count(crm) == 2);
}

TEST_CASE("a connector that is disabled with events in its supervisor's hands sleeps, too, and loses none") {
  node_fixture node;
  node.put("crm", [](connector& c) { c.max_in_flight = 1; });
  node.transport->hang(crm);
  std::set<std::string> sent;
  for (int i = 0; i < 5; ++i)
    sent.insert(node.send("crm").id.to_string());
  node.put("crm", [](connector& c) { c.enabled = false; });
  node.transport->on(crm, answering(200));
  node.transport->release(scripted_transport::status(200));
  node.advance_ms(idle_ms, 1'000);
  CHECK(node.supervisors() == 0);
  CHECK(node.status().connectors.at(0).pending == 4);
  node.put("crm");
  std::multiset<std::string> delivered;
  for (const auto& request : node.transport->requests(crm))
    delivered.insert(header(request, "webhook-id").value());
  CHECK(delivered == std::multiset<std::string>(sent.begin(), sent.end()));
  CHECK(node.status().connectors.empty());
}

TEST_CASE("a held endpoint needs no supervisor while it is held, whatever comes, and its hold goes on") {
  node_fixture node;
  node.put("crm");
  node.transport->on(crm, answering(503, "300"));
  node.send("crm");
  const auto until = node.clock.wall_now() + 300'000;
  node.transport->on(crm, answering(200));
  for (int i = 0; i < 5; ++i)
    node.send("crm");
  CHECK(node.transport->count(crm) == 1);
  node.advance_ms(idle_ms, 1'000);
  CHECK(node.supervisors() == 0);
  for (int i = 0; i < 5; ++i)
    node.send("crm");
  CHECK(node.supervisors() == 0); // they go to the index
  CHECK(node.status().connectors.at(0).pending == 11);
  CHECK(node.status().connectors.at(0).held_until == until);
  advance_to(node, until - 1'200);
  CHECK(node.transport->count(crm) == 1);
  node.advance_ms(2'500);
  CHECK(node.transport->count(crm) == 12);
  CHECK(node.status().connectors.empty());
}

TEST_CASE("a hold is shown though nothing is pending, asleep or after a restart, while the address is the "
          "held one") {
  node_fixture node;
  const auto only_once = [](connector& c) { c.retry.max_attempts = 1; };
  const auto elsewhere = [](connector& c) { c.url = "https://elsewhere.example.com/hook"; };
  node.put("crm", only_once);
  node.transport->on(crm, answering(503, "300"));
  node.send("crm");
  const auto until = node.clock.wall_now() + 300'000;
  const auto shown = [&] {
    const auto status = node.status();
    return status.connectors.size() == 1 && status.connectors[0].pending == 0 &&
           status.connectors[0].held_until == until;
  };
  CHECK(shown());
  node.advance_ms(idle_ms, 1'000);
  CHECK(node.supervisors() == 0);
  CHECK(shown());
  node.put("crm", elsewhere);
  CHECK(node.status().connectors.empty());
  node.put("crm", only_once);
  CHECK(shown());
  node.restart();
  CHECK(shown());
  advance_to(node, until);
  CHECK(node.status().connectors.empty());
}

TEST_CASE("connectors that sleep are listed, after a restart, too, with what is pending and since when") {
  node_fixture node{2};
  const auto since = node.clock.wall_now();
  constexpr int many = 7;
  for (int i = 0; i < many; ++i) {
    node.put(numbered(i), retry_after_an_hour);
    node.transport->on(node_fixture::host_of(numbered(i)), answering(500));
    node.send(numbered(i));
  }
  node.advance_ms(idle_ms, 1'000);
  for (const bool again : {false, true}) {
    if (again)
      node.restart();
    CHECK(node.supervisors() == 0);
    const auto status = node.status();
    REQUIRE(status.connectors.size() == many);
    for (int i = 0; i < many; ++i) {
      CHECK(status.connectors[static_cast<std::size_t>(i)].id.value == numbered(i));
      CHECK(status.connectors[static_cast<std::size_t>(i)].pending == 1);
      CHECK(status.connectors[static_cast<std::size_t>(i)].oldest_pending_at == since);
    }
  }
}

TEST_CASE("a held connector that sleeps goes on at once at another address") {
  node_fixture node;
  node.put("crm");
  node.transport->on(crm, answering(503, "300"));
  node.send("crm");
  node.send("crm");
  node.advance_ms(idle_ms, 1'000);
  CHECK(node.supervisors() == 0);
  node.put("crm", [](connector& c) { c.url = "https://elsewhere.example.com/hook"; });
  CHECK(node.transport->count("elsewhere.example.com") == 1);
}

TEST_CASE("a rate outlives the rest: after it there is no new burst") {
  node_fixture node;
  node.put("crm", [](connector& c) { c.rate = rate_limit{1, 90'000, 1}; });
  for (int i = 0; i < 3; ++i)
    node.send("crm");
  CHECK(node.transport->count(crm) == 1);
  node.advance_ms(idle_ms, 1'000);
  CHECK(node.supervisors() == 0);
  node.advance_ms(90'000 - idle_ms - 1'000, 1'000);
  CHECK(node.transport->count(crm) == 1);
  node.advance_ms(2'500, 100);
  CHECK(node.transport->count(crm) == 2);
  node.restart();
  node.advance_ms(60'000, 1'000);
  CHECK(node.transport->count(crm) == 2);
  node.advance_ms(32'000, 1'000);
  CHECK(node.transport->count(crm) == 3);
}

TEST_CASE("a cap that is lowered while a connector sleeps makes no retry come early") {
  node_fixture node;
  const auto due = sleeping(node);
  node.put("crm", [](connector& c) { c.retry.base_ms = c.retry.cap_ms = 1'000; });
  node.advance_ms(2 * idle_ms, 1'000);
  CHECK(node.transport->count(crm) == 1);
  advance_to(node, due + 1'100);
  CHECK(node.transport->count(crm) == 2);
}

TEST_CASE("what operators ask and do of a connector that sleeps") {
  node_fixture node;
  const auto due = sleeping(node);
  node.put("other");
  const auto busy = node.ask<std::monostate>(delete_connector{{"crm"}});
  REQUIRE(std::holds_alternative<refusal>(busy));
  CHECK(std::get<refusal>(busy).code == errc::connector_busy);
  const auto page = std::get<connector_page>(node.ask<connector_page>(list_connectors{}));
  REQUIRE(page.connectors.size() == 2);
  CHECK(page.connectors[0].value.id.value == "crm");
  CHECK(page.connectors[0].value.retry.cap_ms == hour_ms);
  CHECK(std::get<connector_view>(node.ask<connector_view>(get_connector{{"crm"}})).value.url ==
        "https://crm.example.com/hook");

  // A put without a secret keeps the one that it has.
  const auto before = node.transport->requests(crm).at(0);
  node.put("crm", [](connector& c) {
    retry_after_an_hour(c);
    c.url = "https://elsewhere.example.com/hook";
  });
  advance_to(node, due + 1'100);
  REQUIRE(node.transport->count("elsewhere.example.com") == 1);
  node.advance_ms(idle_ms, 1'000);
  CHECK(node.supervisors() == 0);
  CHECK(std::holds_alternative<std::monostate>(node.ask<std::monostate>(delete_connector{{"crm"}})));
  CHECK(node.status().connectors_configured == 1);
}

TEST_CASE("many that are due at once are all woken, none twice") {
  node_fixture node;
  constexpr int connectors = 600; // more than are woken at a time
  for (int i = 0; i < connectors; ++i) {
    const auto id = numbered(i);
    node.put(id, retry_after_an_hour);
    node.transport->on(node_fixture::host_of(id), answering(500));
    node.send(id);
  }
  for (int i = 0; i < connectors; ++i)
    node.transport->on(node_fixture::host_of(numbered(i)), answering(200));
  node.kill();
  node.clock.advance_ms(2 * hour_ms);
  node.start();
  for (int i = 0; i < connectors; ++i)
    CHECK(node.transport->count(node_fixture::host_of(numbered(i))) == 2);
  CHECK(node.supervisors() == connectors);
  node.advance_ms(idle_ms, 1'000);
  CHECK(node.supervisors() == 0);
  CHECK(node.status().connectors.empty());
}

TEST_CASE("a crowd that is due at once is woken in turn, and goes again soon") {
  node_fixture node;
  constexpr int connectors = 900;
  for (int i = 0; i < connectors; ++i) {
    const auto id = numbered(i);
    node.put(id, retry_after_an_hour);
    node.transport->on(node_fixture::host_of(id), answering(500));
    node.send(id);
  }
  for (int i = 0; i < connectors; ++i)
    node.transport->on(node_fixture::host_of(numbered(i)), answering(200));
  const auto delivered = [&] {
    std::size_t sum = 0;
    for (int i = 0; i < connectors; ++i)
      sum += node.transport->count(node_fixture::host_of(numbered(i))) - 1;
    return sum;
  };
  node.options.crowd_of_supervisors = 255;
  node.kill();
  node.clock.advance_ms(2 * hour_ms);
  node.start();
  CHECK(node.supervisors() == 256); // one more than makes no crowd
  CHECK(delivered() == 256);
  node.advance_ms(25, 25);
  CHECK(delivered() == 512);
  node.advance_ms(50, 25);
  CHECK(delivered() == 900);
  node.advance_ms(3'000);
  CHECK(node.supervisors() == 256); // those that came before it was one
  node.advance_ms(idle_ms, 1'000);
  CHECK(node.supervisors() == 0);
}

TEST_CASE("who comes for something new stays as long as always while they are no more than 16 crowds") {
  node_fixture node;
  node.options.crowd_of_supervisors = 10;
  node.restart();
  constexpr int connectors = 200;
  for (int i = 0; i < connectors; ++i) {
    node.put(numbered(i));
    node.send(numbered(i));
  }
  CHECK(node.supervisors() == connectors);
  node.advance_ms(3'000);
  CHECK(node.supervisors() == 161); // the last ones came when there were more than 160
  for (int i = 0; i < connectors; ++i)
    CHECK(node.transport->count(node_fixture::host_of(numbered(i))) == 1);
  node.advance_ms(idle_ms, 1'000);
  CHECK(node.supervisors() == 0);
}

TEST_CASE("what an earlier life stored for a time that can't be is found behind what can, without waiting "
          "for that") {
  node_fixture node;
  node.put("crm", [](connector& c) {
    c.retry.base_ms = c.retry.cap_ms = hour_ms;
    c.max_in_flight = 64;
  });
  node.transport->on(crm, answering(500));
  for (int i = 0; i < 60; ++i) // more than are looked at one by one
    node.send("crm");

  // given a life under a clock that is forty minutes ahead, in which some of them are due and tried again
  constexpr auto lead_ms = 40 * 60'000;
  node.kill();
  node.clock.set_wall_forward_ms(lead_ms);
  node.start();
  node.advance_ms(1'000);
  const auto tried = node.transport->count(crm) - 60;
  REQUIRE(tried > 0);
  REQUIRE(tried < 40);

  // when it is set right, so that those are due later than can be, and behind the others
  node.kill();
  node.clock.set_wall_forward_ms(-lead_ms);
  node.transport->on(crm, answering(200));
  node.start();
  node.advance_ms(1'000);
  CHECK(node.transport->count(crm) == 60 + 2 * tried);
  CHECK(node.status().connectors.at(0).pending == 60 - tried);
}
