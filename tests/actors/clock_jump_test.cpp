// "A clock that jumps an hour back or forth neither floods nor freezes."

#include "policy/schedule_clock.hpp"
#include "tests/actors/node_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace vicket;
using namespace vicket::testing;

namespace {

constexpr std::int64_t hour_ms = 3'600'000;

} // namespace

TEST_CASE(
    "the schedule follows a wall clock set forward at once, and one set back at half speed until it agrees") {
  manual_clock wall;
  schedule_clock schedule{wall};
  const auto start = wall.wall_now();
  CHECK(schedule.now() == start);
  wall.advance_ms(1'000);
  CHECK(schedule.now() == start + 1'000);
  wall.set_wall_forward_ms(hour_ms);
  CHECK(schedule.now() == start + 1'000 + hour_ms);
  wall.set_wall_forward_ms(-hour_ms);
  CHECK(schedule.now() == start + 1'000 + hour_ms);
  wall.advance_ms(10'000);
  CHECK(schedule.now() == start + 6'000 + hour_ms);
  CHECK(schedule.unix_seconds() == (start + 11'000).value / 1'000);
  wall.advance_ms(2 * hour_ms);
  CHECK(schedule.now() == wall.wall_now());
}

TEST_CASE("after a jump back new events go out at once, and retries wait twice their time at most") {
  node_fixture node;
  node.put("crm");
  node.transport->on("crm.example.com", [](const http_request&) { return scripted_transport::status(500); });
  const auto id = node.send("crm").id;
  node.clock.set_wall_forward_ms(-hour_ms);
  node.transport->on("crm.example.com", [](const http_request&) { return scripted_transport::status(200); });
  node.send("crm");
  CHECK(node.transport->count("crm.example.com") == 2);
  node.advance_ms(12'000);
  CHECK(node.event(id).summary.state == event_state::delivered);
  const auto t = header(node.transport->requests("crm.example.com").back(), "webhook-timestamp");
  CHECK(std::stoll(t.value()) <=
        node.clock.wall_now().value / 1'000); // receivers compare it with their own clocks
}

TEST_CASE("a jump forth makes what is due by then due, each connector within its own limits") {
  node_fixture node;
  node.put("crm", [](connector& c) {
    c.retry.base_ms = 600'000;
    c.max_in_flight = 4;
  });
  node.transport->on("crm.example.com", [](const http_request&) { return scripted_transport::status(500); });
  for (int i = 0; i < 30; ++i)
    node.send("crm");
  node.transport->hang("crm.example.com");
  node.clock.set_wall_forward_ms(hour_ms);
  node.advance_ms(1'500);
  CHECK(node.transport->hanging() == 4);
  for (int i = 0; i < 8; ++i) {
    node.transport->release(scripted_transport::status(200));
    node.run();
  }
  CHECK(node.status().connectors.empty());
}

TEST_CASE("a clock that was days behind and is set right makes no event too old to be tried again") {
  node_fixture node;
  node.clock.set_wall_forward_ms(-100 * hour_ms);
  node.restart();
  node.put("crm", [](connector& c) { c.retry.cap_ms = 10'000; }); // given up after 72 hours
  node.transport->on("crm.example.com", [](const http_request&) { return scripted_transport::status(500); });
  const auto id = node.send("crm").id;
  node.advance_ms(60'000);
  const auto attempts_before = node.event(id).attempts.size();
  REQUIRE(attempts_before > 1);

  node.clock.set_wall_forward_ms(100 * hour_ms);
  const auto younger = node.send("crm").id;
  node.advance_ms(60'000);
  for (const auto& one : {id, younger})
    CHECK(node.event(one).summary.state == event_state::pending);
  CHECK(node.event(id).attempts.size() > attempts_before + 1);

  // Time that goes by counts as ever.
  node.advance_ms(72 * hour_ms, 60'000);
  for (const auto& one : {id, younger})
    CHECK(node.event(one).summary.state == event_state::failed);
}

TEST_CASE("a rate-limited connector goes on at its rate after a jump either way") {
  for (const auto jump_ms : {-hour_ms, hour_ms}) {
    node_fixture node;
    node.put("crm", [](connector& c) { c.rate = rate_limit{10, 1'000, 1}; });
    for (int i = 0; i < 200; ++i)
      node.send("crm");
    node.advance_ms(1'000, 10);
    const auto before = node.transport->count("crm.example.com");
    node.clock.set_wall_forward_ms(jump_ms);
    node.advance_ms(4'000, 10);
    const auto more = node.transport->count("crm.example.com") - before;
    INFO("jump of " << jump_ms);
    CHECK(more >= 19); // half speed at worst
    CHECK(more <= 43); // no flood
  }
}

// -- due times that were stored under a clock that was days ahead -----------------------------------------------------

namespace {

constexpr std::int64_t lead_ms = 100 * hour_ms;

/// A node under a clock that is ahead by `lead_ms`; `set_right` is a restart after the clock was put right.
class early_node : public node_fixture {
public:
  early_node() {
    clock.set_wall_forward_ms(lead_ms);
    restart();
  }
  void set_right(std::int64_t by_ms = lead_ms) {
    kill();
    clock.set_wall_forward_ms(-by_ms);
    start();
  }
  void answer(const std::string& host, std::uint16_t status) {
    transport->on(host, [status](const http_request&) { return scripted_transport::status(status); });
  }
};

} // namespace

TEST_CASE("what was accepted under a clock that was ahead, and never tried, is due at the next start") {
  for (const auto wrong_by_ms : {lead_ms, hour_ms}) { // later than any retry, and among them
    INFO(wrong_by_ms);
    node_fixture node;
    node.options.window.events = 8; // so that most wait in the store
    node.clock.set_wall_forward_ms(wrong_by_ms);
    node.restart();
    node.put("crm", [](connector& c) { c.max_in_flight = 2; });
    node.transport->hang("crm.example.com");
    std::vector<event_id> ids;
    for (int i = 0; i < 40; ++i)
      ids.push_back(node.send("crm").id);
    node.kill();
    node.clock.set_wall_forward_ms(-wrong_by_ms);
    node.transport->on("crm.example.com",
                       [](const http_request&) { return scripted_transport::status(200); });
    node.start();
    for (const auto& id : ids)
      CHECK(node.event(id).summary.state == event_state::delivered);
    CHECK(node.status().connectors.empty());
  }
}

TEST_CASE(
    "a retry that was stored under a clock that was ahead is due at the next start, its attempts count on") {
  early_node node;
  node.put("crm");
  node.answer("crm.example.com", 500);
  std::vector<event_id> ids;
  for (int i = 0; i < 5; ++i)
    ids.push_back(node.send("crm").id);
  REQUIRE(node.transport->count("crm.example.com") == 5);
  node.answer("crm.example.com", 200);
  node.set_right();
  for (const auto& id : ids) {
    const auto history = node.event(id);
    CHECK(history.summary.state == event_state::delivered);
    CHECK(history.attempts.size() == 2);
    CHECK(history.attempts.back().number == 2);
  }
}

TEST_CASE(
    "of a backlog with impossible and possible due times the possible ones are kept to the millisecond") {
  // given a retry that is due in its time, and behind it one that a clock was ahead of
  early_node node;
  node.put("crm", [](connector& c) { c.retry.base_ms = 4 * hour_ms; });
  node.answer("crm.example.com", 500);
  const auto impossible = node.send("crm").id;
  node.transport->hang("crm.example.com");
  node.set_right(); // it is tried at once, and the answer never comes
  CHECK(node.transport->count("crm.example.com") == 2);
  node.answer("crm.example.com", 500);
  const auto possible = node.send("crm").id;
  const auto due = node.event(possible).summary.next_attempt_at.value();
  REQUIRE(due - node.clock.wall_now() >= 2 * hour_ms);

  // when it starts again
  const auto before = node.transport->count("crm.example.com");
  node.answer("crm.example.com", 200);
  node.restart();

  // then the one is sent at once, the other when it is due
  CHECK(node.event(impossible).summary.state == event_state::delivered);
  CHECK(node.transport->count("crm.example.com") == before + 1);
  node.advance_ms(due - node.clock.wall_now() - 1, 10'000);
  CHECK(node.transport->count("crm.example.com") == before + 1);
  node.advance_ms(1'001);
  CHECK(node.event(possible).summary.state == event_state::delivered);
}

TEST_CASE("due times of a paused connector are judged when it goes on") {
  early_node node;
  node.put("crm");
  node.answer("crm.example.com", 500);
  const auto id = node.send("crm").id;
  node.put("crm", [](connector& c) { c.enabled = false; });
  node.answer("crm.example.com", 200);
  node.set_right();
  CHECK(node.event(id).summary.state == event_state::pending);
  node.put("crm");
  node.run();
  CHECK(node.event(id).summary.state == event_state::delivered);
}
