// A node at a glance: paged, from counters.

#include "actors/gateway.hpp"
#include "actors/pending_counter.hpp"
#include "tests/actors/node_fixture.hpp"
#include "tests/actors/scripted_partition.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

using namespace vicket;
using namespace vicket::testing;

namespace {

node_status page_of(node_fixture& node, const std::string& after, std::uint32_t limit) {
  auto answer = node.ask<node_status>(get_status{{after}, limit});
  REQUIRE(std::holds_alternative<node_status>(answer));
  return std::get<node_status>(answer);
}

std::uint64_t pending_in(const node_status& status) {
  std::uint64_t sum = 0;
  for (const auto& part : status.partitions)
    sum += part.pending;
  return sum;
}

std::uint64_t in_flight_in(const node_status& status) {
  std::uint64_t sum = 0;
  for (const auto& part : status.partitions)
    sum += part.in_flight;
  return sum;
}

/// Connectors that hang, each with a place in flight and one event that waits for it.
std::vector<std::string> make_busy(node_fixture& node, std::size_t count) {
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < count; ++i) {
    ids.push_back("busy-" + std::to_string(i));
    node.put(ids.back(), [](connector& c) { c.max_in_flight = 1; });
    node.transport->hang(node_fixture::host_of(ids.back()));
    node.send(ids.back());
    node.send(ids.back());
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

} // namespace

TEST_CASE("a status is paged by id over all partitions, with whole totals on each page") {
  node_fixture node{3};
  node.put("idle");
  const auto ids = make_busy(node, 12);
  for (const std::uint32_t limit : {1u, 5u, 11u, 12u, 13u}) {
    CAPTURE(limit);
    std::vector<std::string> seen;
    std::string after;
    for (bool more = true; more;) {
      const auto page = page_of(node, after, limit);
      REQUIRE(page.connectors.size() <= limit);
      REQUIRE_FALSE(page.connectors.empty());
      CHECK(page.connectors_configured == 13);
      CHECK(page.partitions.size() == 3);
      CHECK(pending_in(page) == 24);
      CHECK(in_flight_in(page) == 12);
      for (const auto& one : page.connectors) {
        seen.push_back(one.id.value);
        CHECK(one.pending == 2);
        CHECK(one.in_flight == 1);
      }
      after = seen.back();
      more = page.more;
      CHECK(more == (seen.size() < ids.size()));
    }
    CHECK(seen == ids);
  }
  CHECK(page_of(node, ids.back(), 1).connectors.empty());
  CHECK(page_of(node, "busy-5x", 1).connectors.at(0).id.value == "busy-6"); // after one that is not there
}

TEST_CASE("a page of the status has at least one connector and at most a thousand, whatever is asked for") {
  node_fixture node;
  make_busy(node, get_status::max_limit + 1);
  CHECK(page_of(node, {}, 0).connectors.size() == 1);
  CHECK(page_of(node, {}, 0).more);
  const auto most = page_of(node, {}, ~0u);
  CHECK(most.connectors.size() == get_status::max_limit);
  CHECK(most.more);
  const auto last = page_of(node, most.connectors.back().id.value, ~0u);
  CHECK(last.connectors.size() == 1);
  CHECK_FALSE(last.more);
}

TEST_CASE("what is in flight is counted through a change of its connector, until its answer") {
  node_fixture node;
  node.put("crm");
  node.transport->hang("crm.example.com");
  node.send("crm");
  node.put("crm", [](connector& c) { c.max_in_flight = 2; });
  node.send("crm");
  node.send("crm");
  auto status = node.status();
  CHECK(status.connectors.at(0).in_flight == 2);
  CHECK(status.connectors[0].pending == 3);
  CHECK(status.partitions.at(0).in_flight == 2);
  node.advance_ms(11'000); // time-outs
  status = node.status();
  CHECK(status.connectors.at(0).pending == 3);
}

TEST_CASE("after a start the status says that it is still counting, and then has all that was there") {
  node_fixture node;
  const auto since = node.clock.wall_now();
  const auto ids = make_busy(node, 3);
  node.kill();
  node.clock.advance_ms(60'000);
  node.start(0);
  bool saw_counting = false;
  for (auto answer = node.ask_later<node_status>(get_status{}); node.run(1) > 0;)
    if (const auto early = answer(); std::holds_alternative<node_status>(early)) {
      const auto& status = std::get<node_status>(early);
      saw_counting = status.partitions.at(0).counting;
      CHECK(pending_in(status) == 0);
      break;
    }
  CHECK(saw_counting);
  node.run();
  const auto status = node.status();
  CHECK_FALSE(status.partitions.at(0).counting);
  CHECK(pending_in(status) == 6);
  REQUIRE(status.connectors.size() == 3);
  for (const auto& one : status.connectors) {
    CHECK(one.pending == 2);
    CHECK(one.oldest_pending_at == since);
  }
}

TEST_CASE("a node that starts with nothing pending counts nothing") {
  node_fixture node;
  node.put("crm");
  node.send("crm");
  node.kill();
  node.start(0);
  auto answer = node.ask_later<node_status>(get_status{});
  std::variant<node_status, refusal> first = refusal{};
  while (!std::holds_alternative<node_status>(first) && node.run(1) > 0)
    first = answer();
  REQUIRE(std::holds_alternative<node_status>(first));
  CHECK_FALSE(std::get<node_status>(first).partitions.at(0).counting);
}

TEST_CASE("a disk that is full while a start counts is looked at again when it has counted") {
  node_fixture node;
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < 3 * pending_counter::max_connectors; ++i) { // three pages
    ids.push_back("busy-" + std::to_string(i));
    node.put(ids.back());
    node.transport->hang(node_fixture::host_of(ids.back()));
    node.send(ids.back());
  }
  node.kill();
  node.start(0);
  node.disk.fill_disk_unseen_after(0); // a round is tried
  const auto refused = node.ask_later<accepted>(node_fixture::event_for(ids.front()));
  while (node.warnings.empty() && node.run(1) > 0)
    continue;
  REQUIRE_FALSE(node.warnings.empty()); // the round did not fit
  node.disk.free_disk();
  node.pass_ms(1'000); // it would be tried again now
  const auto early = node.ask_later<node_status>(get_status{});
  std::variant<node_status, refusal> status = refusal{};
  while (!std::holds_alternative<node_status>(status) && node.run(1) > 0)
    status = early();
  REQUIRE(std::holds_alternative<node_status>(status));
  CHECK(std::get<node_status>(status).partitions.at(0).counting);
  CHECK_FALSE(std::get<node_status>(status).partitions.at(0).accepting);
  node.advance_ms(2'000);
  CHECK(std::holds_alternative<refusal>(refused()));
  CHECK(pending_in(node.status()) == ids.size());
  CHECK_FALSE(node.send(ids.front()).duplicate);
}

TEST_CASE("a status is asked for before what a partition has to do, and a list of connectors after it") {
  scripted_system world;
  manual_clock time;
  const schedule_clock clock{time};
  const auto busy = std::make_shared<scripted_partition>();
  const auto settings = std::make_shared<scripted_partition>();
  gateway::setup setup;
  setup.partitions = {world.head(busy)};
  setup.settings = world.head(settings);
  setup.clock = &clock;
  const node_gateway_actor asked = world.system().spawn<actor_of<gateway>>(std::move(setup));
  const auto status = world.ask<node_status>(asked, get_status{});
  for (const auto& each : {busy, settings}) {
    auto one = each->overviews.take();
    CHECK(one.is_urgent);
    one.promise.deliver(partition_overview{});
  }
  world.run();
  CHECK(value(status).partitions.size() == 1);
  const auto listed = world.ask<connector_page>(asked, list_connectors{});
  CHECK_FALSE(busy->lists.take().is_urgent);
  caf::anon_send_exit(asked, caf::exit_reason::user_shutdown);
  world.run();
}
