#include "actors/connector_queue.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace vicket;

namespace {

constexpr std::int64_t now_us = 1'779'546'071'000'000;
constexpr timestamp_ms now{now_us / 1'000};

waiting_event event_at(log_sequence sequence, std::int64_t due_offset_ms) {
  waiting_event event;
  event.position = {now + due_offset_ms, sequence};
  event.event.sequence = sequence;
  event.event.accepted_at = now;
  event.event.envelope = std::make_shared<const std::string>("{}");
  return event;
}

finished_delivery failed(log_sequence sequence, std::uint32_t number) {
  finished_delivery finished;
  finished.sequence = sequence;
  finished.value.number = number;
  finished.value.result = outcome::timeout;
  return finished;
}

} // namespace

TEST_CASE("waiting events stay in order of their due time, then of acceptance") {
  connector_queue queue{connector{}, {}};
  queue.add(event_at(7, 0));
  queue.add(event_at(5, 0));
  queue.add(event_at(9, -10));
  CHECK(queue.start_next(now_us)->position.sequence == 9);
  CHECK(queue.start_next(now_us)->position.sequence == 5);
  CHECK(queue.start_next(now_us)->position.sequence == 7);
  CHECK_FALSE(queue.start_next(now_us));
}

TEST_CASE("an event that is held is not taken twice, until its attempt is recorded") {
  connector_queue queue{connector{}, {}};
  queue.add(event_at(1, 0));
  queue.add(event_at(1, 0));
  CHECK(queue.waiting() == 1);
  REQUIRE(queue.start_next(now_us));
  queue.add(event_at(1, 0));
  CHECK(queue.waiting() == 0);
  REQUIRE(queue.decide(failed(1, 1), now, {}, 0).has_value());
  queue.add(event_at(1, 0));
  CHECK(queue.waiting() == 0);
  CHECK(queue.held() == std::vector<log_sequence>{1});
  queue.recorded(1);
  CHECK(queue.holds_nothing());
  queue.add(event_at(1, 0));
  CHECK(queue.waiting() == 1);
}

TEST_CASE("an answer for something that is not in flight is no decision") {
  connector_queue queue{connector{}, {}};
  CHECK_FALSE(queue.decide(failed(1, 1), now, {}, 0).has_value());
  queue.add(event_at(1, 0));
  CHECK_FALSE(queue.decide(failed(1, 1), now, {}, 0).has_value());
}

TEST_CASE("a disabled connector starts nothing and waits for no rate") {
  connector config;
  config.enabled = false;
  config.rate = rate_limit{1, 1'000, 1};
  connector_queue queue{config, {}};
  queue.add(event_at(1, 0));
  CHECK_FALSE(queue.start_next(now_us));
  CHECK_FALSE(queue.rate_opens_at(now_us).has_value());
}

TEST_CASE("when the rate holds things up the queue says until when") {
  connector config;
  config.rate = rate_limit{10, 1'000, 1};
  connector_queue queue{config, {}};
  for (log_sequence i = 1; i <= 5; ++i)
    queue.add(event_at(i, 0));
  while (queue.start_next(now_us)) {
  }
  const auto opens = queue.rate_opens_at(now_us);
  REQUIRE(opens.has_value());
  CHECK(*opens - now > 0);
  CHECK(*opens - now <= 100);
  CHECK(queue.start_next(opens->value * 1'000));
}
