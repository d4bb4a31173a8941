// Places in flight: dealt over connectors, so that none takes what another one needs, and never more than there are.

#include "tests/actors/node_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace vicket;
using namespace vicket::testing;

namespace {

/// A node with so many places, whose connectors' endpoints hang from the start.
struct crowded_node : node_fixture {
  explicit crowded_node(std::size_t places, std::uint32_t partitions = 1) : node_fixture{partitions} {
    options.max_in_flight = places;
    restart();
  }

  void hang(const std::string& id, const std::function<void(connector&)>& change = {}) {
    put(id, change);
    transport->hang(host_of(id));
  }
  void send_many(const std::string& id, int count) {
    for (int i = 0; i < count; ++i)
      send(id);
  }
  /// What hangs is answered, and whatever comes next hangs again.
  void answer_all() {
    transport->release(scripted_transport::status(200));
    run();
  }
  [[nodiscard]] std::size_t requests_to(const std::string& id) const { return transport->count(host_of(id)); }
};

} // namespace

TEST_CASE(
    "four connectors whose endpoints hang fill the node's places, and a healthy one still starts at once") {
  crowded_node node{32};
  for (const auto* id : {"a", "b", "c", "d"}) {
    node.hang(id);
    node.send_many(id, 40);
  }
  node.put("fine");
  CHECK(node.transport->hanging() >= 28);
  CHECK(node.transport->hanging() <= 31);
  for (std::size_t i = 1; i <= 20; ++i) {
    node.send("fine");
    CHECK(node.requests_to("fine") == i);
  }
  CHECK(node.transport->hanging() <= 31);
}

TEST_CASE(
    "places that come free go round: the one event of a connector does not wait for the crowd of another") {
  crowded_node node{2};
  node.hang("crowd");
  node.hang("single");
  node.send_many("crowd", 300);
  node.send("single");
  CHECK(node.requests_to("single") == 0);
  node.answer_all();
  CHECK(node.requests_to("single") == 1);
  for (int i = 0; i < 160; ++i)
    node.answer_all();
  CHECK(node.requests_to("crowd") == 300);
  CHECK(node.status().connectors.empty());
}

TEST_CASE("first attempts go before the retries of others") {
  crowded_node node{1};
  const auto quick_retries = [](connector& c) { c.retry.base_ms = c.retry.cap_ms = 1'000; };
  node.hang("failing", quick_retries);
  node.hang("fine");
  node.hang("blocker");
  node.send("failing");
  node.transport->release(scripted_transport::status(500));
  node.run();
  node.send("blocker");
  node.advance_ms(2'000); // the retry is due, and waits in line
  node.send("fine");
  CHECK(node.requests_to("failing") == 1);
  node.answer_all();
  CHECK(node.requests_to("fine") == 1);
  CHECK(node.requests_to("failing") == 1);
  node.answer_all();
  CHECK(node.requests_to("failing") == 2);
}

TEST_CASE(
    "what waits for a place is not started when its endpoint asks for peace, and its place goes to others") {
  crowded_node node{2};
  node.hang("busy");
  node.hang("fine");
  node.send_many("busy", 10);
  node.send_many("fine", 3);
  CHECK(node.requests_to("busy") == 2);
  node.transport->release(scripted_transport::status(429, "", "30"));
  node.run();
  CHECK(node.requests_to("busy") == 2);
  CHECK(node.requests_to("fine") == 2);
  node.answer_all();
  CHECK(node.requests_to("busy") == 2);
  CHECK(node.requests_to("fine") == 3);
  node.answer_all();
  CHECK(node.status().connectors.at(0).in_flight == 0);
  node.advance_ms(31'000);
  CHECK(node.requests_to("busy") > 2);
}

TEST_CASE(
    "what waits for a place is not started when its connector is disabled, and goes where it goes by then") {
  crowded_node node{1};
  node.hang("blocker");
  node.put("crm");
  node.send("blocker");
  node.send_many("crm", 5);
  node.put("crm", [](connector& c) { c.enabled = false; });
  node.answer_all();
  CHECK(node.requests_to("crm") == 0);
  node.send("blocker");
  node.put("crm", [](connector& c) { c.url = "https://elsewhere.example.com/hook"; });
  CHECK(node.requests_to("elsewhere") == 0);
  node.answer_all();
  CHECK(node.requests_to("crm") == 0);
  CHECK(node.requests_to("elsewhere") == 5);
}

TEST_CASE("a connector that has waited for a place long keeps to its rate when there is one") {
  crowded_node node{1};
  node.hang("blocker");
  node.put("crm", [](connector& c) { c.rate = rate_limit{1, 1'000, 1}; });
  node.send("blocker");
  node.send_many("crm", 20);
  node.advance_ms(10'000, 1'000); // a rate's worth of ten
  CHECK(node.requests_to("crm") == 0);
  node.answer_all();
  CHECK(node.requests_to("crm") >= 1);
  CHECK(node.requests_to("crm") <= 2);
  node.advance_ms(5'000);
  CHECK(node.requests_to("crm") <= 7);
  node.advance_ms(20'000);
  CHECK(node.requests_to("crm") == 20);
}

TEST_CASE("a node that stops starts nothing that waits for a place, and finds it at the next start") {
  crowded_node node{2};
  node.hang("crm");
  node.send_many("crm", 6);
  CHECK(node.requests_to("crm") == 2);
  bool clean = false;
  node.begin_stop(60'000, [&clean](bool all) { clean = all; });
  node.run();
  CHECK_FALSE(clean);
  node.answer_all();
  CHECK(clean);
  CHECK(node.requests_to("crm") == 2);
  node.restart();
  CHECK(node.requests_to("crm") == 4);
}

TEST_CASE("a supervisor that dies in line, or of what it is told with an offer, takes no place with it") {
  crowded_node node{1};
  node.hang("dying");
  node.hang("fine");
  node.send_many("dying", 3);
  node.send_many("fine", 2);
  node.random.fail_once(); // it dies of the answer, in line, with what it had started
  node.answer_all();
  REQUIRE(node.warnings.size() == 1);
  for (int i = 0; i < 8; ++i)
    node.answer_all();
  CHECK(node.requests_to("fine") == 2);
  CHECK(node.requests_to("dying") >= 3);
  CHECK(node.status().connectors.empty());
}

TEST_CASE("a node with fewer places than partitions uses no more than that, and serves all of them") {
  for (const std::size_t places : {1u, 2u, 3u, 5u, 8u, 16u, 17u}) {
    INFO(places << " places");
    crowded_node node{places, 3};
    std::vector<std::string> ids;
    for (std::uint32_t i = 0; i < 3; ++i) {
      ids.push_back(node_fixture::connector_in(i, 3));
      node.hang(ids.back());
    }
    for (int i = 0; i < 12; ++i)
      for (const auto& id : ids)
        node.send(id);
    CHECK(node.transport->hanging() <= places);
    CHECK(node.transport->hanging() + 3 >= std::min<std::size_t>(places, 36));
    std::uint64_t in_flight = 0;
    for (const auto& one : node.status().connectors)
      in_flight += one.in_flight;
    CHECK(in_flight == node.transport->hanging());
    for (int i = 0; i < 40; ++i) {
      node.answer_all();
      REQUIRE(node.transport->hanging() <= places);
    }
    for (const auto& id : ids)
      CHECK(node.requests_to(id) == 12);
    CHECK(node.status().connectors.empty());
  }
}
