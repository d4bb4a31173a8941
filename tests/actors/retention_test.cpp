// What is kept, and for how long, of a whole node.

#include "tests/actors/node_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <vector>

using namespace vicket;
using namespace vicket::testing;

namespace {

constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t hour_ms = 60 * minute_ms;

struct retention_fixture : node_fixture {
  retention_fixture() {
    options.retention_ms = 8 * hour_ms;
    restart();
    put("well");
    put("down", [](connector& c) {
      c.retry.base_ms = hour_ms;
      c.retry.factor = 1;
      c.retry.cap_ms = hour_ms;
    });
    transport->on("down.example.com", [](const http_request&) {
      return scripted_transport::status(503, std::string(2'000, 'm')); // the same maintenance page each time
    });
  }

  bool is_known(const event_id& id) {
    return std::holds_alternative<event_page>(ask<event_page>(get_event{id}));
  }

  std::vector<outcome_entry> feed(std::string cursor = {}) {
    std::vector<outcome_entry> all;
    for (;;) {
      auto answer = ask<outcome_page>(read_outcomes{cursor, 1'000, 0});
      auto page = std::get<outcome_page>(std::move(answer));
      if (page.entries.empty())
        return all;
      cursor = page.cursor;
      for (auto& each : page.entries)
        all.push_back(std::move(each));
    }
  }
};

} // namespace

TEST_CASE("one event that stays pending keeps its own history, and holds up the dropping of nothing else") {
  retention_fixture node;
  const auto pending = node.send("down").id;
  const auto settled = node.send("well").id;
  node.advance_ms(7 * hour_ms, minute_ms);
  CHECK(node.is_known(settled)); // kept for the retention at least,
  node.advance_ms(4 * hour_ms, minute_ms);
  CHECK_FALSE(node.is_known(settled)); // and no longer than a quarter more
  for (int restarts = 0; restarts < 2; ++restarts) {
    const auto history = node.event(pending);
    CHECK(history.summary.state == event_state::pending);
    REQUIRE(history.attempts.size() >= 11);
    for (std::size_t i = 0; i < history.attempts.size(); ++i) {
      CHECK(history.attempts[i].number == i + 1);
      CHECK(history.attempts[i].response_body == std::string(2'000, 'm'));
    }
    // The feed has each outcome for the retention after it happened, bodies included.
    const auto entries = node.feed();
    REQUIRE(entries.size() >= 8);
    for (const auto& entry : entries)
      CHECK(entry.value.response_body == std::string(2'000, 'm'));
    CHECK(entries.back().value.number == history.attempts.back().number);
    node.restart();
  }
  CHECK(node.failures.empty());
}

TEST_CASE(
    "an event is kept, and its id known, for the retention after it was settled, however old it is by then") {
  retention_fixture node;
  auto event = node_fixture::event_for("down");
  event.id = event_id{{1, 2, 3}};
  node.send(event);
  node.advance_ms(12 * hour_ms, minute_ms);
  node.transport->on("down.example.com", [](const http_request&) { return scripted_transport::status(200); });
  node.advance_ms(2 * hour_ms, minute_ms);
  REQUIRE(node.event(*event.id).summary.state == event_state::delivered);
  node.advance_ms(6 * hour_ms, minute_ms);
  CHECK(node.send(event).duplicate);
  node.restart();
  CHECK(node.send(event).duplicate);
  CHECK(node.event(*event.id).attempts.size() >= 13);
  node.advance_ms(5 * hour_ms, minute_ms);
  CHECK_FALSE(node.is_known(*event.id));
  CHECK_FALSE(node.send(event).duplicate);
}

TEST_CASE(
    "below the disk's reserve what is known can be paused, sent elsewhere and deleted; what is new waits") {
  node_fixture node;
  node.put("crm");
  node.put("idle");
  node.disk.set_volume({.free_bytes = 1u << 20, .total_bytes = 1u << 30});
  CHECK(std::get<refusal>(node.ask<accepted>(node_fixture::event_for("crm"))).code == errc::storage_full);
  node.put("crm", [](connector& c) { c.enabled = false; });
  CHECK(std::holds_alternative<std::monostate>(node.ask<std::monostate>(delete_connector{{"idle"}})));
  connector another;
  another.id = {"another"};
  another.url = "https://another.example.com/";
  CHECK(std::get<refusal>(node.ask<connector_view>(put_connector{another})).code == errc::storage_full);
}
