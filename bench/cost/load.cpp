// The fixed load that callgrind counts: one node, its real actors and its real store, and as many deliveries
// as asked for, in one thread and always the same. No network is in it: neither the actor port, nor HTTP, nor
// TLS. With `--accept` the connectors are held, so that acceptance alone is counted; with `--rules` the events come as
// triggers.

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
constexpr std::size_t max_rules = 10'000;
constexpr std::size_t batch_events = 100;
constexpr std::int64_t batch_ms = 10; ///< 10,000 events/s

struct load {
  std::size_t deliveries = 1'000;
  std::size_t connectors = default_connectors;
  std::size_t rules = 0; ///< 0: events, not triggers
  bool only_accepted = false;
};

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

/// What rule `number` is for; as long as the name of an event that no rule is for.
std::string name_of(std::size_t number) {
  return std::to_string(100'000 + number) + ".status_changed";
}

/// The same size for every number: an envelope of 500 bytes.
send_to_connector event_of(std::size_t number, const load& wanted, timestamp_ms now) {
  const auto text = std::to_string(first_number + number);
  send_to_connector event;
  event.connector = connector_of(number, wanted.connectors);
  event.event = wanted.rules == 0 ? "ticket.status_changed" : name_of(number % wanted.rules);
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

void put_connectors(load_node& node, const load& wanted) {
  for (std::size_t i = 0; i < wanted.connectors; ++i) {
    connector made;
    made.id = connector_of(i, wanted.connectors);
    made.url = "https://" + made.id.value + ".example.com/hook";
    if (wanted.only_accepted)
      made.rate = rate_limit{1, 3'600'000, 1};
    (void)node.ask<connector_view>(put_connector{made});
  }
}

/// Each for another name, with a filter that holds, to the connectors in turn.
void put_rules(load_node& node, const load& wanted) {
  for (std::size_t i = 0; i < wanted.rules; ++i) {
    rule made;
    made.id = {"rule-" + std::to_string(i)};
    made.events = {name_of(i)};
    made.filter_json = R"({"/ticket/status/category":{"eq":"resolved"}})";
    made.actions = {{connector_of(i, wanted.connectors), std::nullopt, ""}};
    (void)node.ask<rule>(put_rule{made});
  }
}

void expect_accepted(const send_result& result) {
  if (const auto* no = std::get_if<refusal>(&result))
    throw std::runtime_error{"an event was refused: " + no->detail};
  if (std::get<accepted>(result).duplicate)
    throw std::runtime_error{"a new event was taken for a duplicate"};
}

void send_events(load_node& node, const load& wanted, std::size_t from, std::size_t to) {
  send_batch batch;
  batch.items.reserve(to - from);
  for (auto number = from; number < to; ++number)
    batch.items.push_back(event_of(number, wanted, node.now()));
  const auto answer = node.ask<batch_result>(std::move(batch));
  for (const auto& result : answer.results)
    expect_accepted(result);
  if (answer.results.size() != to - from)
    throw std::runtime_error{"a batch was not answered event by event"};
}

void send_triggers(load_node& node, const load& wanted, std::size_t from, std::size_t to) {
  trigger_batch batch;
  batch.items.reserve(to - from);
  for (auto number = from; number < to; ++number) {
    auto event = event_of(number, wanted, node.now());
    batch.items.push_back({std::move(event.event), event.occurred_at, std::move(event.data_json),
                           std::move(event.message), std::move(event.workflow), std::move(event.run),
                           event.id});
  }
  const auto answer = node.ask<trigger_batch_result>(std::move(batch));
  for (const auto& result : answer.results) {
    if (const auto* no = std::get_if<refusal>(&result))
      throw std::runtime_error{"a trigger was refused: " + no->detail};
    const auto& events = std::get<trigger_result>(result).events;
    if (events.size() != 1)
      throw std::runtime_error{"a trigger became " + std::to_string(events.size()) + " events"};
    expect_accepted(events.front().result);
  }
  if (answer.results.size() != to - from)
    throw std::runtime_error{"a batch was not answered trigger by trigger"};
}

void expect(std::size_t found, std::size_t wanted, const std::string& what) {
  if (found != wanted)
    throw std::runtime_error{what + ": " + std::to_string(found) + " instead of " + std::to_string(wanted)};
}

void check(load_node& node, const load& wanted) {
  // Of connectors that are held, each has sent its first one.
  const auto requests =
      wanted.only_accepted ? std::min(wanted.deliveries, wanted.connectors) : wanted.deliveries;
  expect(node.transport().requests(), requests, "requests posted");
  expect(node.transport().with_signature(), requests, "requests with a signature");
  if (wanted.rules == 0) // else their ids are others
    expect(node.transport().events(), requests, "different events posted");
  const auto status = node.ask<node_status>(get_status{});
  expect(status.connectors_configured, wanted.connectors, "connectors in the status");
  std::size_t pending = 0;
  for (const auto& partition : status.partitions)
    pending += partition.pending + partition.in_flight;
  expect(pending, wanted.deliveries - requests, "events pending or in flight");
}

void run(const load& wanted) {
  const scratch_folder folder;
  load_node node{folder.path(), wanted.deliveries};
  put_connectors(node, wanted);
  put_rules(node, wanted);
  for (std::size_t sent = 0; sent < wanted.deliveries; sent += batch_events) {
    node.advance_ms(batch_ms);
    const auto until = std::min(sent + batch_events, wanted.deliveries);
    if (wanted.rules == 0)
      send_events(node, wanted, sent, until);
    else
      send_triggers(node, wanted, sent, until);
  }
  check(node, wanted);
  std::printf("%zu deliveries, %zu bytes of body each\n", node.transport().requests(),
              node.transport().body_bytes() / node.transport().requests());
}

} // namespace

int main(int count, char** arguments) {
  load wanted;
  CLI::App app{
      "Delivers events through a node without a network, always in the same way: a load for callgrind."};
  app.add_option("--deliveries", wanted.deliveries, "how many")
      ->check(CLI::Range(std::size_t{1}, max_deliveries))
      ->capture_default_str();
  app.add_option("--connectors", wanted.connectors, "to how many of them in turn")
      ->check(CLI::Range(std::size_t{1}, max_connectors))
      ->capture_default_str();
  app.add_option("--rules", wanted.rules,
                 "send triggers, each of which matches one of so many rules; 0: send events")
      ->check(CLI::Range(std::size_t{0}, max_rules))
      ->capture_default_str();
  app.add_flag("--accept", wanted.only_accepted,
               "hold the connectors: of each only the first event is delivered");
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? EXIT_SUCCESS : exit_usage;
  }
  try {
    stay_on_one_core();
    register_all_types();
    run(wanted);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "vicket-bench-load: %s\n", problem.what());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
