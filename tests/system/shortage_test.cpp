// A node that runs out of descriptors while it delivers.

#include "tests/system/endpoints.hpp"
#include "tests/system/node_client.hpp"
#include "tests/system/real_node.hpp"
#include "tests/system/real_time.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

using namespace vicket;
using namespace vicket::testing;

TEST_CASE(
    "a node with descriptors for 40 connections delivers to 300 slow endpoints, each at the first attempt") {
  constexpr std::size_t connectors = 300;
  constexpr std::size_t descriptors = 40;
  const temporary_folder folder;
  event_receiver receiver;
  real_node node{folder.path() + "/data", {"--max-in-flight", "2000", "--partitions", "1"}};
  node_client client{node.port()};
  std::vector<connector_id> ids;
  for (std::size_t i = 0; i < connectors; ++i) {
    auto one = connector_to("slow-" + std::to_string(i), receiver.url());
    one.timeout_ms = 10'000;
    client.put(one);
    ids.push_back(one.id);
  }
  node.let_open_only(descriptors);
  receiver.answer_after(std::chrono::milliseconds{300});
  send_batch all; // at once
  for (const auto& id : ids)
    all.items.push_back(event_for(id));
  std::vector<event_id> events;
  for (const auto& result : client.send(all)) {
    REQUIRE(std::holds_alternative<accepted>(result));
    events.push_back(std::get<accepted>(result).id);
  }
  REQUIRE(receiver.wait_for_distinct(connectors));
  REQUIRE(eventually([&] { return client.status().connectors.empty(); }));

  CHECK(receiver.requests() == connectors);
  for (const auto& id : events) {
    const auto history = client.history(id);
    REQUIRE(history);
    REQUIRE(history->attempts.size() == 1);
    CHECK(history->attempts[0].number == 1);
    CHECK(history->attempts[0].result == outcome::delivered);
  }
  CHECK_THAT(node.log(), Catch::Matchers::ContainsSubstring("this node is short of file descriptors"));
  node.terminate();
  CHECK(node.wait() == 0);
}
