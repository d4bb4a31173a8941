// The fixed load that callgrind counts: one node, its real actors and its real store, and as many deliveries
// as asked for, in one thread and always the same. No network is in it: neither the actor port, nor HTTP, nor
// TLS.

#include "bench/cost/load_node.hpp"
#include "bench/cost/scratch_folder.hpp"

#include <CLI/CLI.hpp>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <variant>

namespace {

using namespace vicket;
using namespace vicket::bench;

constexpr int exit_usage = 2;
constexpr std::size_t max_deliveries = 1'000'000;
constexpr std::size_t first_number = 10'000'000; ///< in the events' text: all have 8 digits
constexpr std::size_t default_connectors = 64;
constexpr std::size_t max_connectors = 100'000;
constexpr std::size_t batch_events = 100;
constexpr std::int64_t batch_ms = 10; ///< 10,000 events/s

connector_id connector_of(std::size_t number, std::size_t connectors) {
  return {"connector-" + std::to_string(number % connectors)};
}

/// A UUID in no order, as senders' ids are, that ends in its number: what the transport knows events by. The
/// mixing is splitmix64's.
event_id id_of(std::size_t number) {
  auto mixed = (number + 1) * std::uint64_t{0x9e3779b97f4a7c15};
  mixed = (mixed ^ (mixed >> 30)) * std::uint64_t{0xbf58476d1ce4e5b9};
  mixed = (mixed ^ (mixed >> 27)) * std::uint64_t{0x94d049bb133111eb};
  event_id id;
  for (std::size_t i = 0; i < 8; ++i)
    id.bytes[i] = static_cast<std::uint8_t>(mixed >> (8 * i));
  id.bytes[6] = static_cast<std::uint8_t>(0x40 | (id.bytes[6] & 0x0f)); // version 4
  id.bytes[8] = 0x80;                                                   // its variant
  for (std::size_t i = 0; i < 4; ++i)
    id.bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return id;
}

/// The same size for every number: an envelope of 500 bytes.
send_to_connector event_of(std::size_t number, std::size_t connectors, timestamp_ms now) {
  const auto text = std::to_string(first_number + number);
  send_to_connector event;
  event.connector = connector_of(number, connectors);
  event.event = "ticket.status_changed";
  event.occurred_at = now - 250;
  event.data_json =
      R"({"ticket":{"id":"T-)" + text +
      R"(","subject":"The invoice of March shows the wrong amount, once more","priority":2,)"
      R"("tags":["billing","vip"],"status":{"category":"resolved","name":"Solved by the team"},)"
      R"("requester":{"id":48151623,"name":"Zo\u00eb Example","email":"zoe.example@example.com"},)"
      R"("escalated":false,"sla":null,"hours":100.75}})";
  event.message = "Ticket resolved by the on-call agent.";
  event.workflow = "wf-7";
  event.run = "run-" + text;
  event.id = id_of(number);
  return event;
}

/// RocksDB opens its files on threads. On one core they get their turns in the same order every time, so that
/// the heap, and with it the order of whatever is hashed by its address, is the same too; otherwise counts
/// differ by 0.5 %.
void stay_on_one_core() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(static_cast<std::size_t>(std::max(0, ::sched_getcpu())), &cores);
  if (::sched_setaffinity(0, sizeof cores, &cores) != 0)
    throw std::runtime_error{std::string{"can't stay on one core: "} + std::strerror(errno)};
}

void put_connectors(load_node& node, std::size_t connectors) {
  for (std::size_t i = 0; i < connectors; ++i) {
    connector wanted;
    wanted.id = connector_of(i, connectors);
    wanted.url = "https://" + wanted.id.value + ".example.com/hook";
    (void)node.ask<connector_view>(put_connector{wanted});
  }
}

void send(load_node& node, std::size_t connectors, std::size_t from, std::size_t to) {
  send_batch batch;
  batch.items.reserve(to - from);
  for (auto number = from; number < to; ++number)
    batch.items.push_back(event_of(number, connectors, node.now()));
  const auto answer = node.ask<batch_result>(std::move(batch));
  for (const auto& result : answer.results) {
    if (const auto* no = std::get_if<refusal>(&result))
      throw std::runtime_error{"an event was refused: " + no->detail};
    if (std::get<accepted>(result).duplicate)
      throw std::runtime_error{"a new event was taken for a duplicate"};
  }
  if (answer.results.size() != to - from)
    throw std::runtime_error{"a batch was not answered event by event"};
}

void expect(std::size_t found, std::size_t wanted, const std::string& what) {
  if (found != wanted)
    throw std::runtime_error{what + ": " + std::to_string(found) + " instead of " + std::to_string(wanted)};
}

void check(load_node& node, std::size_t deliveries, std::size_t connectors) {
  expect(node.transport().requests(), deliveries, "requests posted");
  expect(node.transport().with_signature(), deliveries, "requests with a signature");
  expect(node.transport().events(), deliveries, "different events posted");
  const auto status = node.ask<node_status>(get_status{});
  expect(status.connectors_configured, connectors, "connectors in the status");
  expect(status.connectors.size(), 0, "connectors with events pending");
  for (const auto& partition : status.partitions)
    expect(partition.pending + partition.in_flight, 0, "events pending or in flight");
}

void run(std::size_t deliveries, std::size_t connectors) {
  const scratch_folder folder;
  load_node node{folder.path(), deliveries};
  put_connectors(node, connectors);
  for (std::size_t sent = 0; sent < deliveries; sent += batch_events) {
    node.advance_ms(batch_ms);
    send(node, connectors, sent, std::min(sent + batch_events, deliveries));
  }
  check(node, deliveries, connectors);
  std::printf("%zu deliveries, %zu bytes of body each\n", deliveries,
              node.transport().body_bytes() / deliveries);
}

} // namespace

int main(int count, char** arguments) {
  std::size_t deliveries = 1'000;
  std::size_t connectors = default_connectors;
  CLI::App app{
      "Delivers events through a node without a network, always in the same way: a load for callgrind."};
  app.add_option("--deliveries", deliveries, "how many")
      ->check(CLI::Range(std::size_t{1}, max_deliveries))
      ->capture_default_str();
  app.add_option("--connectors", connectors, "to how many of them in turn")
      ->check(CLI::Range(std::size_t{1}, max_connectors))
      ->capture_default_str();
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? EXIT_SUCCESS : exit_usage;
  }
  try {
    stay_on_one_core();
    register_all_types();
    run(deliveries, connectors);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "vicket-bench-load: %s\n", problem.what());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
