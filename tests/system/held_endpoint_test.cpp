// An endpoint that asks to be left alone is, with real sockets and clocks, and over a kill of the node.

#include "tests/system/endpoints.hpp"
#include "tests/system/node_client.hpp"
#include "tests/system/real_node.hpp"
#include "tests/system/real_time.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <string>

using namespace vicket;
using namespace vicket::testing;

TEST_CASE("a held endpoint: 429 with Retry-After keeps all events of its connector from it until then, also "
          "when the "
          "node is killed meanwhile, and no other connector waits") {
  using clock = std::chrono::steady_clock;
  constexpr std::chrono::seconds hold{6};
  std::atomic<int> requests{0};
  std::atomic<clock::rep> asked_at{0};
  std::atomic<clock::rep> came_again_at{0};
  const http_peer peer{[&](http_peer::connection& c) {
    while (c.read_request()) {
      const auto now = clock::now().time_since_epoch().count();
      const auto number = ++requests;
      if (number == 1)
        asked_at = now;
      else if (number == 2)
        came_again_at = now;
      if (!c.send(number == 1 ? answer(429, "slower", "Retry-After: " + std::to_string(hold.count()) + "\r\n")
                              : answer(200)))
        return;
    }
  }};
  const event_receiver neighbour;
  const temporary_folder folder;
  constexpr std::size_t held_events = 20;
  {
    real_node node{folder.path() + "/data"};
    node_client client{node.port()};
    client.put(connector_to("held", "http://127.0.0.1:" + std::to_string(peer.port()) + "/"));
    client.put(connector_to("neighbour", neighbour.url()));
    const auto first = client.send(event_for({"held"}));
    REQUIRE(eventually([&] {
      const auto history = client.history(first);
      return history && !history->attempts.empty() && history->attempts[0].status == 429;
    }));
    static_cast<void>(client.send(batch_for({"held"}, held_events - 1)));
    node.kill();
  }
  real_node node{folder.path() + "/data"};
  node_client client{node.port()};
  static_cast<void>(client.send(batch_for({"neighbour"}, 50)));
  REQUIRE(neighbour.wait_for_distinct(50));
  REQUIRE(eventually([&] { return client.pending({"held"}) == 0; }));
  CHECK(requests == static_cast<int>(held_events) + 1);
  // The date that it means is cut to milliseconds.
  CHECK(clock::duration{came_again_at - asked_at} >= hold - std::chrono::milliseconds{10});
}
