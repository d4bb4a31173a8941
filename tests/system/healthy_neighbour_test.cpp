// One endpoint is healthy, two hundred are not.

#include "tests/system/endpoints.hpp"
#include "tests/system/node_client.hpp"
#include "tests/system/real_node.hpp"
#include "tests/system/real_time.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <string>
#include <variant>

using namespace vicket;
using namespace vicket::testing;

namespace {

/// Of the connectors that hang, together.
std::uint64_t in_flight_of_hanging(node_client& client) {
  std::uint64_t sum = 0;
  for (const auto& one : client.status().connectors)
    sum += one.id.value.starts_with("hangs-") ? one.in_flight : 0;
  return sum;
}

} // namespace

TEST_CASE(
    "a healthy neighbour: while 200 connectors hang with events in flight, all events of a healthy one are "
    "delivered") {
  constexpr std::size_t hanging = 200;
  constexpr std::size_t events_each = 10; // at once, fewer than max_in_flight: 2,000 connections that hang
  constexpr std::size_t healthy_events = 2'000;
  const temporary_folder folder;
  const silent_port silent;
  const event_receiver receiver;
  real_node node{folder.path() + "/data"};
  node_client client{node.port()};
  for (std::size_t i = 0; i < hanging; ++i)
    client.put(connector_to("hangs-" + std::to_string(i), silent.url()));
  client.put(connector_to("healthy", receiver.url()));
  for (std::size_t i = 0; i < hanging; ++i)
    for (const auto& result : client.send(batch_for({"hangs-" + std::to_string(i)}, events_each)))
      REQUIRE(std::holds_alternative<accepted>(result));
  REQUIRE(eventually([&] { return in_flight_of_hanging(client) == hanging * events_each; }));

  for (std::size_t sent = 0; sent < healthy_events; sent += 100)
    for (const auto& result : client.send(batch_for({"healthy"}, 100)))
      REQUIRE(std::holds_alternative<accepted>(result));
  REQUIRE(receiver.wait_for_distinct(healthy_events));
  CHECK(eventually([&] { return client.pending({"healthy"}) == 0; }));
  CHECK(receiver.most_times() == 1);
  CHECK(in_flight_of_hanging(client) > 0); // all of it happened while they hung
}
