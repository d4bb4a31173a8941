// What the node itself is short of: descriptors, memory, ports. It costs no attempt.

#include "tests/actors/node_fixture.hpp"

#include "policy/shortage_pause.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <algorithm>
#include <cstddef>
#include <new>
#include <optional>
#include <string>
#include <vector>

using namespace vicket;
using namespace vicket::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

/// A machine on which so many requests may be under way at once; whatever is under way hangs until it is released.
struct supply {
  node_fixture& node;
  std::size_t room;
  std::size_t in_vain = 0; ///< requests that did not leave the node

  void of(const std::string& id) {
    node.transport->on(node_fixture::host_of(id), [this](const http_request&) -> std::optional<http_result> {
      if (node.transport->hanging() < room)
        return std::nullopt;
      ++in_vain;
      return scripted_transport::shortage("file descriptors (Too many open files)");
    });
  }
};

void check_first_attempt_only(node_fixture& node, const std::vector<event_id>& ids) {
  for (const auto& id : ids) {
    const auto history = node.event(id);
    REQUIRE(history.attempts.size() == 1);
    CHECK(history.attempts[0].number == 1);
    CHECK(history.attempts[0].result == outcome::delivered);
  }
}

std::uint64_t in_flight(node_fixture& node) {
  std::uint64_t sum = 0;
  for (const auto& one : node.status().connectors)
    sum += one.in_flight;
  return sum;
}

} // namespace

TEST_CASE("a delivery that the node could not send is no attempt, and its event goes later with number 1") {
  node_fixture node;
  node.put("crm");
  supply room{node, 0};
  room.of("crm");
  const auto id = node.send("crm").id;
  CHECK(room.in_vain == 1);
  auto history = node.event(id);
  CHECK(history.attempts.empty());
  CHECK(history.summary.state == event_state::pending);
  CHECK(in_flight(node) == 0);

  room.room = 10;
  node.advance_ms(200);
  CHECK(node.transport->hanging() == 0); // not before a moment has passed
  node.advance_ms(100);
  CHECK(node.transport->hanging() == 1);
  node.transport->release(scripted_transport::status(200));
  node.run();
  check_first_attempt_only(node, {id});
}

TEST_CASE("while it lasts tries come seldom, one at a time, and all are delivered in the end") {
  node_fixture node;
  supply room{node, 0};
  std::vector<event_id> ids;
  for (int i = 0; i < 50; ++i) {
    const auto name = std::string{"crm-"}.append(std::to_string(i));
    node.put(name);
    room.of(name);
    ids.push_back(node.send(name).id);
  }
  const auto at_first = room.in_vain;
  CHECK(at_first == 1); // those behind the first one did not even try
  node.advance_ms(60'000);
  CHECK(room.in_vain - at_first >= 10); // every 4 s
  CHECK(room.in_vain - at_first <= 20);
  room.room = 1'000;
  node.advance_ms(10'000);
  CHECK(node.transport->hanging() == 50);
  node.transport->release(scripted_transport::status(200));
  node.run();
  check_first_attempt_only(node, ids);
}

TEST_CASE("another delivery starts as soon as one ends, and all connectors have their turn") {
  node_fixture node;
  supply room{node, 4};
  std::vector<event_id> ids;
  for (int i = 0; i < 20; ++i) {
    const auto name = std::string{"crm-"}.append(std::to_string(i));
    node.put(name);
    room.of(name);
    for (int k = 0; k < 3; ++k)
      ids.push_back(node.send(name).id);
  }
  CHECK(node.transport->hanging() == 4);
  CHECK(in_flight(node) == 4);
  std::size_t rounds = 0;
  while (!node.status().connectors.empty() && rounds < 30) {
    node.transport->release(scripted_transport::status(200));
    node.run(); // no time goes by
    ++rounds;
  }
  CHECK(rounds <= 20);
  check_first_attempt_only(node, ids);
}

TEST_CASE("a short node says so once a minute, and when it is over") {
  node_fixture node{2};
  supply room{node, 0};
  for (std::uint32_t partition : {0U, 1U}) {
    const auto name = node_fixture::connector_in(partition, 2);
    node.put(name);
    room.of(name);
    node.send(name);
    node.send(name);
  }
  REQUIRE(node.warnings.size() == 1);
  CHECK_THAT(node.warnings[0], ContainsSubstring("short of file descriptors (Too many open files)"));
  node.advance_ms(59'000);
  CHECK(node.warnings.size() == 1);
  node.advance_ms(5'000);
  REQUIRE(node.warnings.size() == 2);
  CHECK_THAT(node.warnings[1], ContainsSubstring("4 deliveries wait"));
  room.room = 10;
  node.advance_ms(30'000);
  REQUIRE(node.warnings.size() == 3);
  CHECK_THAT(node.warnings[2], ContainsSubstring("no longer short of file descriptors"));
  node.advance_ms(300'000);
  CHECK(node.warnings.size() == 3);
}

TEST_CASE("that a shortage is over is told by the first look that finds nobody held back") {
  node_fixture node{2};
  supply room{node, 0};
  std::vector<event_id> ids;
  for (std::uint32_t partition : {0U, 1U}) {
    const auto name = node_fixture::connector_in(partition, 2);
    node.put(name);
    room.of(name);
    ids.push_back(node.send(name).id);
    ids.push_back(node.send(name).id);
  }
  REQUIRE(node.warnings.size() == 1);
  node.advance_ms(5'000);
  room.room = 10;
  for (int step = 0; step < 100 && node.transport->hanging() < ids.size(); ++step)
    node.advance_ms(50);
  REQUIRE(node.transport->hanging() == ids.size());
  CHECK(node.warnings.size() == 1); // the next look may yet find that this was the last that there was
  node.advance_ms(retry_moment::first_ms);
  REQUIRE(node.warnings.size() == 2);
  CHECK_THAT(node.warnings[1], ContainsSubstring("no longer short of file descriptors"));
  node.advance_ms(60'000);
  CHECK(node.warnings.size() == 2);
}

TEST_CASE("a stop does not wait for those that can't start, and they are delivered after the next start") {
  node_fixture node;
  node.put("crm");
  supply room{node, 1};
  room.of("crm");
  std::vector<event_id> ids;
  for (int i = 0; i < 5; ++i)
    ids.push_back(node.send("crm").id);
  CHECK(node.transport->hanging() == 1);
  std::optional<bool> clean;
  node.begin_stop(10'000, [&](bool was_clean) { clean = was_clean; });
  node.run();
  CHECK_FALSE(clean); // one is in flight
  node.transport->release(scripted_transport::status(200));
  node.run();
  CHECK(clean == true);
  CHECK(node.transport->hanging() == 0);

  room.room = 100;
  node.restart();
  CHECK(node.transport->hanging() == 4);
  node.transport->release(scripted_transport::status(200));
  node.run();
  check_first_attempt_only(node, ids);
}

TEST_CASE("what waits for a shortage heeds what happens meanwhile: a hold, a pause, another URL") {
  node_fixture node;
  node.put("crm");
  supply room{node, 1};
  room.of("crm");
  node.send("crm");
  const auto second = node.send("crm").id;
  REQUIRE(node.transport->hanging() == 1);
  REQUIRE(room.in_vain == 1);

  SECTION("a hold") {
    node.transport->release(scripted_transport::status(429, "", "60"));
    node.run();
    room.room = 10;
    node.advance_ms(59'000);
    CHECK(node.transport->hanging() == 0);
    node.advance_ms(3'000);
    CHECK(node.transport->hanging() == 1);
  }
  SECTION("a pause") {
    node.put("crm", [](connector& c) { c.enabled = false; });
    room.room = 10;
    node.advance_ms(30'000);
    CHECK(node.transport->hanging() == 1); // the first one
    node.put("crm");
    CHECK(node.transport->hanging() == 2);
  }
  SECTION("another URL") {
    node.put("crm", [](connector& c) { c.url = "https://elsewhere.example.com/"; });
    room.room = 10;
    node.advance_ms(10'000);
    CHECK(node.transport->count("elsewhere.example.com") == 1);
    check_first_attempt_only(node, {second});
  }
}

TEST_CASE("a rate is kept also by what waited for a shortage") {
  node_fixture node;
  node.put("crm", [](connector& c) { c.rate = rate_limit{1, 1'000, 1}; });
  supply room{node, 0};
  room.of("crm");
  for (int i = 0; i < 10; ++i)
    node.send("crm");
  node.advance_ms(60'000);
  room.room = 100;
  node.advance_ms(6'000);
  CHECK(node.transport->hanging() <= 7);
  CHECK(node.transport->hanging() >= 2);
}

TEST_CASE("ports that are short towards one endpoint delay nobody else") {
  node_fixture node;
  node.put("crm");
  node.put("fine");
  std::size_t in_vain = 0;
  bool short_of_ports = true;
  node.transport->on("crm.example.com", [&](const http_request&) -> std::optional<http_result> {
    if (!short_of_ports)
      return scripted_transport::status(200);
    ++in_vain;
    return scripted_transport::shortage("local ports towards crm.example.com", true);
  });
  std::vector<event_id> ids;
  for (int i = 0; i < 10; ++i)
    ids.push_back(node.send("crm").id);
  CHECK(in_vain == 1); // those behind it did not even try
  for (int i = 0; i < 10; ++i)
    ids.push_back(node.send("fine").id);
  CHECK(node.transport->count("fine.example.com") == 10);
  node.advance_ms(65'000);
  CHECK(node.transport->count("crm.example.com") == in_vain);
  CHECK(in_vain <= 16U * 20);
  REQUIRE(node.warnings.size() == 2);
  CHECK_THAT(node.warnings[0], ContainsSubstring("short of local ports towards crm.example.com"));
  short_of_ports = false;
  node.advance_ms(5'000);
  check_first_attempt_only(node, ids);
  node.advance_ms(20'000);
  REQUIRE(node.warnings.size() == 3);
  CHECK_THAT(node.warnings[2], ContainsSubstring("no longer short of local ports towards crm.example.com"));
}

TEST_CASE("the places of the node and a shortage at once lose nothing") {
  node_fixture node;
  node.options.max_in_flight = 5;
  node.restart();
  supply room{node, 3};
  std::vector<event_id> ids;
  for (const auto* name : {"a", "b", "c"}) {
    node.put(name);
    room.of(name);
    for (int i = 0; i < 8; ++i)
      ids.push_back(node.send(name).id);
  }
  CHECK(node.transport->hanging() == 3);
  room.room = 100;
  for (int i = 0; i < 30; ++i) {
    node.advance_ms(500);
    CHECK(node.transport->hanging() <= 5);
    node.transport->release(scripted_transport::status(200));
    node.run();
  }
  check_first_attempt_only(node, ids);
}
