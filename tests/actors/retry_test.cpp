// Seed: "Non-2xx responses (or no response within 10s) are retried with exponential backoff."

#include "tests/actors/node_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace vicket;
using namespace vicket::testing;

namespace {

/// Answers what `answers` says, one after the other; the last one for ever.
scripted_transport::script in_turn(std::vector<http_result> answers) {
  return [answers = std::move(answers), next = std::size_t{0}](const http_request&) mutable {
    const auto& answer = answers[std::min(next, answers.size() - 1)];
    ++next;
    return std::optional{answer};
  };
}

} // namespace

TEST_CASE(
    "a failed delivery is tried again when it is due, not earlier, with the same bytes and its own time") {
  node_fixture node;
  node.put("crm");
  node.transport->on("crm.example.com",
                     in_turn({scripted_transport::status(500, "oops"), scripted_transport::status(204)}));
  const auto id = node.send("crm").id;
  auto history = node.event(id);
  REQUIRE(history.attempts.size() == 1);
  CHECK(history.summary.state == event_state::pending);
  CHECK(history.attempts[0].result == outcome::http_status);
  CHECK(history.attempts[0].status == 500);
  CHECK(history.attempts[0].response_body == "oops");
  const auto due = history.attempts[0].next_attempt_at.value();
  CHECK(history.summary.next_attempt_at == due);
  const auto wait_ms = due - node.clock.wall_now();
  CHECK(wait_ms >= 2'500);
  CHECK(wait_ms <= 5'000);

  node.advance_ms(wait_ms - 1, 1);
  CHECK(node.transport->count("crm.example.com") == 1);
  node.advance_ms(1'000);
  const auto requests = node.transport->requests("crm.example.com");
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].body == requests[1].body);
  CHECK(header(requests[0], "webhook-id") == header(requests[1], "webhook-id"));
  CHECK(header(requests[0], "webhook-timestamp") != header(requests[1], "webhook-timestamp"));

  history = node.event(id);
  REQUIRE(history.attempts.size() == 2);
  CHECK(history.summary.state == event_state::delivered);
  CHECK_FALSE(history.summary.next_attempt_at.has_value());
  CHECK(history.attempts[1].number == 2);
  CHECK(history.attempts[1].started_at >= due);
}

TEST_CASE("every kind of failure is retried, and every 2xx ends it") {
  const std::vector<http_result> failures{
      scripted_transport::status(301),
      scripted_transport::status(410),
      scripted_transport::status(429),
      scripted_transport::status(100 + 99),
      scripted_transport::failure(outcome::timeout, "no answer"),
      scripted_transport::failure(outcome::dns, "no such name"),
      scripted_transport::failure(outcome::connect, "refused"),
      scripted_transport::failure(outcome::tls, "expired"),
      scripted_transport::failure(outcome::protocol, "garbage"),
      scripted_transport::failure(outcome::blocked, "private address"),
  };
  for (const auto& failure : failures) {
    node_fixture node;
    node.put("crm");
    node.transport->on("crm.example.com", in_turn({failure, scripted_transport::status(202)}));
    const auto id = node.send("crm").id;
    CHECK(node.event(id).summary.state == event_state::pending);
    CHECK(node.event(id).attempts.at(0).result == failure.failure.value_or(outcome::http_status));
    CHECK_FALSE(node.event(id).attempts.at(0).error.empty());
    node.advance_ms(6'000);
    CHECK(node.event(id).summary.state == event_state::delivered);
    CHECK(node.transport->count("crm.example.com") == 2);
  }
}

TEST_CASE("Retry-After is a floor for the next attempt, at most the cap") {
  node_fixture node;
  node.put("crm", [](connector& c) { c.retry.cap_ms = 3'600'000; });
  SECTION("seconds") {
    node.transport->on("crm.example.com", in_turn({scripted_transport::status(429, "", "120")}));
    const auto id = node.send("crm").id;
    CHECK(node.event(id).summary.next_attempt_at.value() - node.clock.wall_now() == 120'000);
  }
  SECTION("beyond the cap") {
    node.transport->on("crm.example.com", in_turn({scripted_transport::status(503, "", "86400")}));
    const auto id = node.send("crm").id;
    CHECK(node.event(id).summary.next_attempt_at.value() - node.clock.wall_now() == 3'600'000);
  }
}

TEST_CASE("an event is given up after max_attempts, and says so") {
  node_fixture node;
  node.put("crm", [](connector& c) {
    c.retry.base_ms = 100;
    c.retry.max_attempts = 3;
  });
  node.transport->on("crm.example.com", in_turn({scripted_transport::status(500)}));
  const auto id = node.send("crm").id;
  node.advance_ms(10'000);
  const auto history = node.event(id);
  CHECK(history.summary.state == event_state::failed);
  CHECK(history.attempts.size() == 3);
  CHECK_FALSE(history.attempts.back().next_attempt_at.has_value());
  CHECK(node.transport->count("crm.example.com") == 3);
  CHECK(node.status().connectors.empty());
}

TEST_CASE("an event is given up when it is older than max_age") {
  node_fixture node;
  node.put("crm", [](connector& c) {
    c.retry.base_ms = 1'000;
    c.retry.cap_ms = 10'000;
    c.retry.max_age_ms = 60'000;
  });
  node.transport->on("crm.example.com", in_turn({scripted_transport::status(500)}));
  const auto id = node.send("crm").id;
  node.advance_ms(61'000);
  const auto history = node.event(id);
  CHECK(history.summary.state == event_state::failed);
  CHECK(history.attempts.back().started_at - history.summary.accepted_at <= 60'000);
  CHECK(history.attempts.size() >= 7);
}

TEST_CASE("backoff grows up to the cap") {
  node_fixture node;
  node.put("crm", [](connector& c) {
    c.retry.base_ms = 1'000;
    c.retry.cap_ms = 8'000;
  });
  node.transport->on("crm.example.com", in_turn({scripted_transport::status(500)}));
  const auto id = node.send("crm").id;
  node.advance_ms(60'000);
  const auto history = node.event(id);
  REQUIRE(history.attempts.size() > 6);
  const std::int64_t backoffs[] = {1'000, 2'000, 4'000, 8'000, 8'000, 8'000};
  for (std::size_t i = 0; i < 6; ++i) {
    const auto wait_ms = history.attempts[i].next_attempt_at.value() - history.attempts[i].started_at;
    INFO("attempt " << i + 1);
    CHECK(wait_ms >= backoffs[i] / 2);
    CHECK(wait_ms <= backoffs[i] + 100);
  }
}

TEST_CASE("a connector from a time when http was allowed is blocked once it is not, and nothing is sent") {
  node_fixture node;
  node.options.allow_http = true;
  node.restart();
  node.put("crm", [](connector& c) { c.url = "http://crm.example.com/hook"; });
  node.send("crm");
  CHECK(node.transport->count("crm.example.com") == 1);
  node.options.allow_http = false;
  node.restart();
  const auto id = node.send("crm").id;
  CHECK(node.transport->count("crm.example.com") == 1);
  CHECK(node.event(id).attempts.at(0).result == outcome::blocked);
  CHECK(node.event(id).attempts.at(0).error.find("--allow-http") != std::string::npos);
  CHECK(node.event(id).summary.state == event_state::pending);
}
