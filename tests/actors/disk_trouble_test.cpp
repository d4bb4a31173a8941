// Durability rules 4 and 5, with faults injected below RocksDB.

#include "tests/actors/node_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <stdexcept>

using namespace vicket;
using namespace vicket::testing;

TEST_CASE("after a failed sync nothing is accepted, the node asks to be ended, and nothing acknowledged is "
          "missing") {
  node_fixture node;
  node.put("crm");
  node.transport->hang("crm.example.com");
  const auto id = node.send("crm").id;
  node.disk.fail_log_syncs_from(1);
  auto answer = node.ask<accepted>(node_fixture::event_for("crm"));
  CHECK_FALSE(std::holds_alternative<accepted>(answer));
  REQUIRE(node.failures.size() == 1);
  CHECK(node.failures[0].starts_with("the next start recovers: partition ")); // which is not said of damage
  answer = node.ask<accepted>(node_fixture::event_for("crm"));
  CHECK_FALSE(std::holds_alternative<accepted>(answer));
  CHECK(node.failures.size() == 1);

  node.disk.crash();
  node.kill();
  node.disk.restart(1);
  node.transport->on("crm.example.com", [](const http_request&) { return scripted_transport::status(200); });
  node.start();
  CHECK(node.event(id).summary.state == event_state::delivered);
}

TEST_CASE(
    "with little room left new events are refused with storage_full, pending ones go on, and it recovers") {
  node_fixture node;
  node.put("crm");
  node.transport->hang("crm.example.com");
  const auto id = node.send("crm").id;
  node.disk.set_volume({.free_bytes = 1u << 20, .total_bytes = 1u << 30});
  auto answer = node.ask<accepted>(node_fixture::event_for("crm"));
  REQUIRE(std::holds_alternative<refusal>(answer));
  CHECK(std::get<refusal>(answer).code == errc::storage_full);
  CHECK_FALSE(node.status().partitions.at(0).accepting);
  node.transport->release(scripted_transport::status(200));
  node.run();
  CHECK(node.event(id).summary.state == event_state::delivered);
  node.disk.set_volume({.free_bytes = 1u << 29, .total_bytes = 1u << 30});
  CHECK_FALSE(node.send("crm").duplicate);
}

TEST_CASE("an idle node whose disk has room again accepts at once") {
  node_fixture node;
  node.put("crm");
  node.disk.set_volume({.free_bytes = 0, .total_bytes = 1u << 30});
  CHECK(std::holds_alternative<refusal>(node.ask<accepted>(node_fixture::event_for("crm"))));
  node.disk.set_volume({.free_bytes = 1u << 29, .total_bytes = 1u << 30});
  CHECK_FALSE(node.send("crm").duplicate);
}

TEST_CASE("a disk that is full to the last byte keeps the attempts until there is room, and loses none") {
  node_fixture node;
  node.put("crm");
  node.transport->hang("crm.example.com");
  const auto id = node.send("crm").id;
  node.disk.fill_disk_after(0);
  auto answer = node.ask<accepted>(node_fixture::event_for("crm"));
  REQUIRE(std::holds_alternative<refusal>(answer));
  CHECK(std::get<refusal>(answer).code == errc::storage_full);
  node.transport->release(scripted_transport::status(200));
  node.advance_ms(3'000);
  CHECK(node.event(id).summary.state == event_state::pending);
  CHECK(node.failures.empty());
  CHECK_FALSE(node.warnings.empty());

  node.disk.free_disk();
  node.advance_ms(3'000);
  CHECK(node.event(id).summary.state == event_state::delivered);
  CHECK_FALSE(node.send("crm").duplicate);
  node.restart();
  CHECK(node.event(id).summary.state == event_state::delivered);
}

TEST_CASE(
    "while the store could not be opened again nothing passes for missing, and then everything is there") {
  node_fixture node;
  node.put("crm");
  node.transport->hang("crm.example.com");
  auto known = node_fixture::event_for("crm");
  known.id = event_id{};
  known.id->bytes[6] = 0x40;
  known.id->bytes[8] = 0x80;
  known.id->bytes[15] = 1;
  const auto id = node.send(known).id;

  // given a full disk, on which there seems to be room
  node.disk.fill_disk_unseen_after(0);
  CHECK(std::holds_alternative<refusal>(node.ask<accepted>(node_fixture::event_for("crm"))));
  node.advance_ms(3'000);
  CHECK(node.failures.empty());

  // then what is there is not said to be missing, and what is known is not accepted again
  const auto history = node.ask<event_page>(get_event{id});
  REQUIRE(std::holds_alternative<refusal>(history));
  CHECK(std::get<refusal>(history).code == errc::unavailable);
  CHECK(std::get<refusal>(history).detail.find("disk is full") != std::string::npos);
  const auto run = node.ask<run_page>(get_run{"run-1", {}, 10});
  REQUIRE(std::holds_alternative<refusal>(run));
  CHECK(std::get<refusal>(run).code == errc::unavailable);
  const auto again = node.ask<accepted>(known);
  REQUIRE(std::holds_alternative<refusal>(again));
  CHECK(std::get<refusal>(again).code == errc::storage_full);
  const auto gone = node.ask<std::monostate>(delete_connector{{"crm"}});
  REQUIRE(std::holds_alternative<refusal>(gone));

  // and it recovers by itself
  node.disk.free_disk();
  node.transport->release(scripted_transport::status(200));
  node.advance_ms(3'000);
  CHECK(node.event(id).summary.state == event_state::delivered);
  CHECK(node.send(known).duplicate);
  CHECK(node.failures.empty());
}

TEST_CASE("what waits in the store is delivered after a reopening that found no room") {
  node_fixture node;
  node.put("crm");
  node.transport->on("crm.example.com", [](const http_request&) { return scripted_transport::status(500); });
  const auto id = node.send("crm").id; // its retry waits in the store
  node.disk.fill_disk_unseen_after(0);
  CHECK(std::holds_alternative<refusal>(node.ask<accepted>(node_fixture::event_for("crm"))));
  node.advance_ms(60'000, 500); // it is due, and can't be read
  CHECK(std::holds_alternative<refusal>(node.ask<event_page>(get_event{id})));
  node.transport->on("crm.example.com", [](const http_request&) { return scripted_transport::status(200); });
  node.disk.free_disk();
  node.advance_ms(3'000);
  CHECK(node.event(id).summary.state == event_state::delivered);
}

namespace {

/// Damages the one table file of partition 0 that has something in it.
void damage_first_partition(node_fixture& node) {
  int damaged = 0;
  for (int number = 1; number < 100; ++number) {
    const auto digits = std::to_string(number);
    const auto path =
        node.options.data_dir / "partition-0" / (std::string(6 - digits.size(), '0') + digits + ".sst");
    std::string bytes;
    try {
      bytes = node.disk.read_file(path);
    } catch (const std::runtime_error&) { // no table has this number
    }
    if (bytes.size() < 8'000)
      continue;
    bytes.replace(1'000, 7, "damaged");
    node.disk.write_file(path, bytes);
    ++damaged;
  }
  REQUIRE(damaged == 1);
}

/// An event that does not compress: its table file has bytes to damage.
send_to_connector large_event(node_fixture& node, const std::string& connector) {
  auto event = node_fixture::event_for(connector);
  event.message = std::string{};
  while (event.message->size() < 20'000)
    *event.message += std::to_string(node.random.next());
  return event;
}

} // namespace

TEST_CASE("history that is damaged on disk is said to be unreadable, not to be missing") {
  // given an event in a table file (a restart flushes the log into one)
  node_fixture node;
  node.put("crm");
  const auto id = node.send(large_event(node, "crm")).id;
  node.restart();
  node.restart();
  node.kill();

  // when its bytes are damaged
  damage_first_partition(node);
  node.start();

  // then nobody is told that it is not there
  const auto answer = node.ask<event_page>(get_event{id});
  REQUIRE(std::holds_alternative<refusal>(answer));
  CHECK(std::get<refusal>(answer).code == errc::unavailable);
  CHECK(std::get<refusal>(answer).detail.find("partition-0") != std::string::npos);
}

TEST_CASE("when one partition can't be read, what another has of an id is not given for all of it") {
  // given one id that was sent to a connector in each of two partitions
  node_fixture node{2};
  const auto id = event_id::parse("9f2c1b7e-0000-7000-8000-000000000001").value();
  for (std::uint32_t partition = 0; partition < 2; ++partition) {
    const auto connector = node_fixture::connector_in(partition, 2);
    node.put(connector);
    auto event = large_event(node, connector);
    event.id = id;
    node.send(event);
  }
  node.restart();
  node.restart();
  node.kill();

  // when one of them is damaged
  damage_first_partition(node);
  node.start();

  // then the answer is an error
  const auto answer = node.ask<event_page>(get_event{id});
  REQUIRE(std::holds_alternative<refusal>(answer));
  CHECK(std::get<refusal>(answer).code == errc::unavailable);
}
