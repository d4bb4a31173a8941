// Shaping: what one endpoint is given at a time, and that its neighbours never notice.

#include "tests/actors/node_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <set>

using namespace vicket;
using namespace vicket::testing;

TEST_CASE("no more than max_in_flight requests of a connector are under way") {
  node_fixture node;
  node.put("crm", [](connector& c) { c.max_in_flight = 3; });
  node.transport->hang("crm.example.com");
  for (int i = 0; i < 10; ++i)
    node.send("crm");
  CHECK(node.transport->hanging() == 3);
  const auto status = node.status();
  REQUIRE(status.connectors.size() == 1);
  CHECK(status.connectors[0].pending == 10);
  CHECK(status.connectors[0].in_flight == 3);
  node.transport->release(scripted_transport::status(200));
  node.run();
  CHECK(node.transport->hanging() == 3);
  CHECK(node.transport->count("crm.example.com") == 6);
}

TEST_CASE("no more than the node's max_in_flight requests are under way, and all get their turn") {
  node_fixture node;
  node.options.max_in_flight = 5;
  node.restart();
  for (const auto* id : {"a", "b", "c"}) {
    node.put(id);
    node.transport->hang(node_fixture::host_of(id));
    for (int i = 0; i < 4; ++i)
      node.send(id);
  }
  CHECK(node.transport->hanging() == 5);
  for (int i = 0; i < 3; ++i) {
    node.transport->release(scripted_transport::status(200));
    node.run();
  }
  CHECK(node.status().connectors.empty());
}

TEST_CASE("an endpoint that hangs does not touch its neighbour") {
  node_fixture node;
  node.put("slow");
  node.put("fine");
  node.transport->hang("slow.example.com");
  for (int i = 0; i < 500; ++i) {
    node.send("slow");
    node.send("fine");
  }
  CHECK(node.transport->count("fine.example.com") == 500);
  CHECK(node.transport->count("slow.example.com") == 16);
}

TEST_CASE("a rate is kept, smooth, with its burst, and costs the others nothing") {
  node_fixture node;
  node.put("crm", [](connector& c) { c.rate = rate_limit{10, 1'000, 5}; });
  node.put("fine");
  for (int i = 0; i < 50; ++i)
    node.send("crm");
  const auto at_once = node.transport->count("crm.example.com");
  CHECK(at_once >= 5);
  CHECK(at_once <= 6);
  node.send("fine");
  CHECK(node.transport->count("fine.example.com") == 1);
  node.advance_ms(1'000, 10);
  CHECK(node.transport->count("crm.example.com") == at_once + 10);
  node.advance_ms(4'000, 10);
  CHECK(node.transport->count("crm.example.com") == 50);
}

TEST_CASE("a restart does not give a rate-limited connector a new burst") {
  node_fixture node;
  node.put("crm", [](connector& c) { c.rate = rate_limit{1, 10'000, 5}; });
  for (int i = 0; i < 20; ++i)
    node.send("crm");
  const auto before = node.transport->count("crm.example.com");
  CHECK(before <= 6);
  node.restart();
  CHECK(node.transport->count("crm.example.com") == before);
  node.advance_ms(10'000);
  CHECK(node.transport->count("crm.example.com") == before + 1);
}

TEST_CASE("of a long backlog only a window is held, and all of it is delivered in order when the endpoint is "
          "back") {
  node_fixture node;
  node.options.window.events = 8;
  node.restart();
  node.put("crm", [](connector& c) { c.max_in_flight = 2; });
  node.transport->hang("crm.example.com");
  std::vector<event_id> order;
  for (int i = 0; i < 300; ++i)
    order.push_back(node.send("crm").id);
  CHECK(node.status().connectors.at(0).pending == 300);
  CHECK(node.transport->hanging() == 2);
  node.transport->on("crm.example.com", [](const http_request&) { return scripted_transport::status(200); });
  node.transport->release(scripted_transport::status(200));
  node.run();
  const auto requests = node.transport->requests("crm.example.com");
  REQUIRE(requests.size() == 300);
  for (std::size_t i = 0; i < requests.size(); ++i)
    CHECK(header(requests[i], "webhook-id") == order[i].to_string());
  CHECK(node.status().connectors.empty());
}

TEST_CASE("a backlog of failing events is retried in the order of due times, none forgotten, none doubled") {
  node_fixture node;
  node.options.window.events = 8;
  node.restart();
  node.put("crm", [](connector& c) {
    c.max_in_flight = 4;
    c.retry.base_ms = 1'000;
    c.retry.cap_ms = 2'000;
  });
  node.transport->on("crm.example.com", [](const http_request&) { return scripted_transport::status(500); });
  std::set<std::string> sent;
  for (int i = 0; i < 200; ++i)
    sent.insert(node.send("crm").id.to_string());
  node.advance_ms(10'000);
  node.transport->on("crm.example.com", [](const http_request&) { return scripted_transport::status(200); });
  const auto before = node.transport->count("crm.example.com");
  node.advance_ms(10'000);
  const auto requests = node.transport->requests("crm.example.com");
  std::multiset<std::string> delivered;
  for (std::size_t i = before; i < requests.size(); ++i)
    delivered.insert(header(requests[i], "webhook-id").value());
  CHECK(delivered.size() == 200);
  CHECK(std::set<std::string>(delivered.begin(), delivered.end()) == sent);
  CHECK(node.status().connectors.empty());
}

TEST_CASE(
    "an endpoint that keeps failing is probed one at a time, and gets all its places back with a success") {
  node_fixture node;
  node.put("crm", [](connector& c) { c.retry.base_ms = 100'000; });
  node.transport->on("crm.example.com", [](const http_request&) { return scripted_transport::status(500); });
  for (int i = 0; i < 40; ++i)
    node.send("crm");
  node.transport->hang("crm.example.com");
  for (int i = 0; i < 40; ++i)
    node.send("crm");
  CHECK(node.transport->hanging() == 1);
  node.transport->release(scripted_transport::status(200));
  node.run();
  CHECK(node.transport->hanging() == 16);
}

TEST_CASE("a disabled connector refuses new events, keeps the pending ones, and goes on when it is enabled") {
  node_fixture node;
  node.put("crm");
  node.transport->on("crm.example.com", [](const http_request&) { return scripted_transport::status(500); });
  const auto id = node.send("crm").id;
  node.put("crm", [](connector& c) { c.enabled = false; });
  node.transport->on("crm.example.com", [](const http_request&) { return scripted_transport::status(200); });
  node.advance_ms(60'000);
  CHECK(node.transport->count("crm.example.com") == 1);
  CHECK(node.event(id).summary.state == event_state::pending);
  node.restart();
  node.advance_ms(60'000);
  CHECK(node.transport->count("crm.example.com") == 1);
  node.put("crm");
  node.run();
  CHECK(node.event(id).summary.state == event_state::delivered);
}

TEST_CASE("a replaced connector is used from the next attempt on") {
  node_fixture node;
  node.put("crm");
  node.transport->on("crm.example.com", [](const http_request&) { return scripted_transport::status(500); });
  node.send("crm");
  node.put("crm", [](connector& c) {
    c.url = "https://new.example.com/hook";
    c.headers = {{"X-Team", "support"}};
    c.standard_webhooks = false;
  });
  node.advance_ms(6'000);
  const auto requests = node.transport->requests("new.example.com");
  REQUIRE(requests.size() == 1);
  CHECK(header(requests[0], "X-Team") == "support");
  CHECK_FALSE(header(requests[0], "webhook-signature").has_value());
  CHECK(header(requests[0], "X-Vicket-Signature").has_value());
}

TEST_CASE("a supervisor without work goes away, and comes back with work") {
  node_fixture node;
  node.put("crm");
  node.send("crm");
  node.advance_ms(120'000, 1'000);
  node.send("crm");
  CHECK(node.transport->count("crm.example.com") == 2);
}
