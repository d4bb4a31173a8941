// What an endpoint says about itself binds the endpoint: 429 and 503 with Retry-After.

#include "tests/actors/node_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace vicket;
using namespace vicket::testing;

namespace {

/// Answers the first with 429 and this hint, everything else with 200.
scripted_transport::script busy_at_first(std::string hint, std::uint16_t status = 429) {
  return [hint = std::move(hint), status, first = true](const http_request&) mutable {
    return std::exchange(first, false) ? std::optional{scripted_transport::status(status, "", hint)}
                                       : std::optional{scripted_transport::status(200)};
  };
}

} // namespace

TEST_CASE("Retry-After with 429 holds the connector and nobody else, and its end is seen in the status") {
  node_fixture node;
  node.put("crm");
  node.put("fine");
  node.transport->on("crm.example.com", busy_at_first("30"));
  const auto first = node.send("crm").id;
  const auto until = node.clock.wall_now() + 30'000;
  const auto attempt = node.event(first).attempts.at(0);
  CHECK(attempt.retry_after == retry_hint{"30", until, until});
  for (int i = 0; i < 99; ++i)
    node.send("crm");
  node.send("fine");
  CHECK(node.transport->count("crm.example.com") == 1);
  CHECK(node.transport->count("fine.example.com") == 1);
  auto status = node.status();
  REQUIRE(status.connectors.size() == 1);
  CHECK(status.connectors[0].held_until == until);
  CHECK(status.connectors[0].pending == 100);
  CHECK(status.connectors[0].in_flight == 0);

  node.advance_ms(29'900);
  CHECK(node.transport->count("crm.example.com") == 1);
  node.advance_ms(2'000);
  CHECK(node.transport->count("crm.example.com") == 101);
  CHECK(node.status().connectors.empty());
}

TEST_CASE("after a hold the first request goes alone") {
  node_fixture node;
  node.put("crm");
  node.transport->on("crm.example.com", busy_at_first("30", 503));
  for (int i = 0; i < 50; ++i)
    node.send("crm");
  node.transport->hang("crm.example.com");
  node.advance_ms(30'100);
  CHECK(node.transport->hanging() == 1);
  node.transport->release(scripted_transport::status(200));
  node.run();
  CHECK(node.transport->hanging() == 2);
  node.transport->release(scripted_transport::status(200));
  node.run();
  CHECK(node.transport->hanging() == 4);
}

TEST_CASE("what waited for a hold goes at the connector's rate, without a burst") {
  node_fixture node;
  node.put("crm", [](connector& c) { c.rate = rate_limit{10, 1'000, 20}; });
  node.transport->on("crm.example.com", busy_at_first("30"));
  for (int i = 0; i < 50; ++i)
    node.send("crm");
  CHECK(node.transport->count("crm.example.com") == 1);
  node.advance_ms(30'000, 10);
  const auto at_the_end = node.transport->count("crm.example.com");
  CHECK(at_the_end <= 2);
  node.advance_ms(1'000, 10);
  CHECK(node.transport->count("crm.example.com") == at_the_end + 10);
  node.advance_ms(5'000, 10);
  CHECK(node.transport->count("crm.example.com") == 51);
}

TEST_CASE("a hold outlives the supervisor") {
  node_fixture node;
  node.put("crm");
  node.transport->on("crm.example.com", [count = 0](const http_request&) mutable {
    switch (++count) {
    case 1:
      return std::optional<http_result>{};
    case 2:
      return std::optional{scripted_transport::status(429, "", "30")};
    default:
      return std::optional{scripted_transport::status(200)};
    }
  });
  node.send("crm");
  node.send("crm");
  CHECK(node.transport->hanging() == 1);
  node.random.fail_once(); // the supervisor dies of the answer to the one that was in flight
  node.transport->release(scripted_transport::status(200));
  node.run();
  REQUIRE(node.warnings.size() == 1);
  node.advance_ms(29'900);
  CHECK(node.transport->count("crm.example.com") == 2);
  node.advance_ms(2'000);
  CHECK(node.transport->count("crm.example.com") == 4);
}

TEST_CASE("a hold outlives the node, and is at most ten minutes long") {
  node_fixture node;
  node.put("crm");
  node.transport->on("crm.example.com", busy_at_first("3600"));
  const auto first = node.send("crm").id;
  const auto until = node.clock.wall_now() + 600'000;
  CHECK(node.event(first).attempts.at(0).retry_after->held_until == until);
  CHECK(node.event(first).attempts.at(0).next_attempt_at.value() >= node.clock.wall_now() + 3'600'000);
  node.restart();
  node.send("crm");
  CHECK(node.status().connectors.at(0).held_until == until);
  node.advance_ms(300'000, 1'000);
  CHECK(node.transport->count("crm.example.com") == 1);
  node.restart();
  node.advance_ms(290'000, 1'000);
  CHECK(node.transport->count("crm.example.com") == 1);
  node.restart();
  node.advance_ms(9'000, 1'000);
  CHECK(node.transport->count("crm.example.com") == 1);
  node.advance_ms(2'000);
  CHECK(node.transport->count("crm.example.com") == 2);
}

TEST_CASE("a hold binds the endpoint, not the connector: another address is not held") {
  node_fixture node;
  node.put("crm");
  node.transport->on("crm.example.com", busy_at_first("600"));
  node.send("crm");
  node.send("crm");
  CHECK(node.transport->count("crm.example.com") == 1);
  node.put("crm", [](connector& c) { c.url = "https://other.example.com/hook"; });
  node.run();
  CHECK(node.transport->count("other.example.com") == 1);
  CHECK(node.status().connectors.at(0).held_until == std::nullopt);
}

TEST_CASE("an endpoint that is busy again is left alone again") {
  node_fixture node;
  node.put("crm", [](connector& c) { c.retry.base_ms = 1'000; });
  node.transport->on("crm.example.com", [](const http_request&) {
    return std::optional{scripted_transport::status(503, "", "10")};
  });
  for (int i = 0; i < 20; ++i)
    node.send("crm");
  CHECK(node.transport->count("crm.example.com") == 1);
  node.advance_ms(60'500);
  CHECK(node.transport->count("crm.example.com") == 7);
}

TEST_CASE("what can't be meant is heard, passed over and told") {
  for (const auto* hint : {"1779546101", "99999999999999999999", "soon", "1,5"}) {
    node_fixture node;
    node.put("crm");
    node.transport->on("crm.example.com", busy_at_first(hint));
    const auto id = node.send("crm").id;
    CHECK(node.event(id).attempts.at(0).retry_after == retry_hint{hint, {}, {}});
    node.send("crm");
    CHECK(node.transport->count("crm.example.com") == 2);
    node.advance_ms(5'500);
    CHECK(node.event(id).summary.state == event_state::delivered);
  }
}
