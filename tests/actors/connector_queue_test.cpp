#include "actors/connector_queue.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace vicket;

namespace {

constexpr std::int64_t now_us = 1'779'546'071'000'000;
constexpr timestamp_ms now{now_us / 1'000};

due_event event_at(log_sequence sequence, std::int64_t due_offset_ms) {
  due_event event;
  event.position = {now + due_offset_ms, sequence};
  event.accepted_at = now;
  event.envelope = std::make_shared<const std::string>("{}");
  return event;
}

std::shared_ptr<const connector> shared(connector config) {
  return std::make_shared<const connector>(std::move(config));
}

finished_delivery delivered(log_sequence sequence) {
  finished_delivery finished;
  finished.sequence = sequence;
  finished.value.number = 1;
  finished.value.status = 200;
  finished.value.result = outcome::delivered;
  return finished;
}

finished_delivery busy(log_sequence sequence, std::uint16_t status, std::string retry_after) {
  finished_delivery finished;
  finished.sequence = sequence;
  finished.value.number = 1;
  finished.value.status = status;
  finished.value.result = outcome::http_status;
  finished.retry_after = std::move(retry_after);
  return finished;
}

/// How many go at once.
std::size_t start_all(connector_queue& queue, std::int64_t at_us) {
  std::size_t count = 0;
  while (queue.start_next(at_us))
    ++count;
  return count;
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
  connector_queue queue{shared(connector{}), {}};
  queue.add(event_at(7, 0));
  queue.add(event_at(5, 0));
  queue.add(event_at(9, -10));
  CHECK(queue.start_next(now_us)->position.sequence == 9);
  CHECK(queue.start_next(now_us)->position.sequence == 5);
  CHECK(queue.start_next(now_us)->position.sequence == 7);
  CHECK_FALSE(queue.start_next(now_us));
}

TEST_CASE("an event that is held is not taken twice, until its attempt is recorded") {
  connector_queue queue{shared(connector{}), {}};
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
  connector_queue queue{shared(connector{}), {}};
  CHECK_FALSE(queue.decide(failed(1, 1), now, {}, 0).has_value());
  queue.add(event_at(1, 0));
  CHECK_FALSE(queue.decide(failed(1, 1), now, {}, 0).has_value());
}

TEST_CASE("a disabled connector starts nothing and waits for no rate") {
  connector config;
  config.enabled = false;
  config.rate = rate_limit{1, 1'000, 1};
  connector_queue queue{shared(config), {}};
  queue.add(event_at(1, 0));
  CHECK_FALSE(queue.start_next(now_us));
  CHECK_FALSE(queue.opens_at(now_us).has_value());
}

TEST_CASE("when the rate holds things up the queue says until when") {
  connector config;
  config.rate = rate_limit{10, 1'000, 1};
  connector_queue queue{shared(config), {}};
  for (log_sequence i = 1; i <= 5; ++i)
    queue.add(event_at(i, 0));
  while (queue.start_next(now_us)) {
  }
  const auto opens = queue.opens_at(now_us);
  REQUIRE(opens.has_value());
  CHECK(*opens - now > 0);
  CHECK(*opens - now <= 100);
  CHECK(queue.start_next(opens->value * 1'000));
}

TEST_CASE("429 and 503 with Retry-After hold the connector: what is in flight ends, nothing new starts") {
  for (const auto status : {std::uint16_t{429}, std::uint16_t{503}}) {
    connector_queue queue{shared(connector{}), {}};
    for (log_sequence i = 1; i <= 40; ++i)
      queue.add(event_at(i, 0));
    REQUIRE(start_all(queue, now_us) == 16);
    const auto decision = queue.decide(busy(1, status, "30"), now, {}, 0);
    REQUIRE(decision);
    CHECK(decision->value.retry_after == retry_hint{"30", now + 30'000, now + 30'000});
    CHECK(*decision->value.next_attempt_at >= now + 30'000);
    for (log_sequence i = 2; i <= 16; ++i)
      CHECK(queue.decide(delivered(i), now, {}, 0)->state_after == event_state::delivered);
    CHECK(start_all(queue, now_us + 29'999'000) == 0);
    CHECK(queue.opens_at(now_us + 29'999'000) == now + 30'000);
    // then one, and with each success one more
    CHECK(start_all(queue, now_us + 30'000'000) == 1);
    CHECK_FALSE(queue.opens_at(now_us + 30'000'000));
    REQUIRE(queue.decide(delivered(17), now + 30'100, {}, 0));
    CHECK(start_all(queue, now_us + 30'100'000) == 2);
    REQUIRE(queue.decide(delivered(18), now + 30'200, {}, 0));
    REQUIRE(queue.decide(delivered(19), now + 30'200, {}, 0));
    CHECK(start_all(queue, now_us + 30'200'000) == 4);
  }
}

TEST_CASE("with a rate, what waited goes at the rate, without a burst") {
  connector config;
  config.rate = rate_limit{10, 1'000, 10};
  connector_queue queue{shared(config), {}};
  for (log_sequence i = 1; i <= 40; ++i)
    queue.add(event_at(i, 0));
  REQUIRE(start_all(queue, now_us) == 10);
  REQUIRE(queue.decide(busy(1, 429, "30.0"), now, {}, 0));
  CHECK(start_all(queue, now_us + 29'999'000) == 0);
  CHECK(start_all(queue, now_us + 30'000'000) == 1);
  CHECK(queue.opens_at(now_us + 30'000'000) == now + 30'100);
  CHECK(start_all(queue, now_us + 30'100'000) == 1);
  CHECK_FALSE(queue.state().held);
}

TEST_CASE("another status, or a hint that can't be meant, holds nothing") {
  for (const auto& [status, hint] : std::vector<std::pair<std::uint16_t, std::string>>{
           {500, "30"}, {404, "30"}, {429, ""}, {429, "soon"}, {429, "1779546101"}, {503, "0"}}) {
    connector_queue queue{shared(connector{}), {}};
    queue.add(event_at(1, 0));
    queue.add(event_at(2, 0));
    REQUIRE(start_all(queue, now_us) == 2);
    const auto decision = queue.decide(busy(1, status, hint), now, {}, 0);
    CHECK(decision->value.retry_after.has_value() == !hint.empty());
    queue.add(event_at(3, 0));
    INFO(status << " with '" << hint << "'");
    CHECK(start_all(queue, now_us) == 1);
    CHECK(queue.state() == connector_state{});
  }
}

TEST_CASE("a hold outlives the queue, but not the endpoint's address") {
  connector config;
  config.url = "https://crm.example.com/hook";
  connector_queue queue{shared(config), {}};
  queue.add(event_at(1, 0));
  REQUIRE(queue.start_next(now_us));
  REQUIRE(queue.decide(busy(1, 503, "60"), now, {}, 0));
  const auto remembered = queue.state();

  connector_queue successor{shared(config), remembered};
  successor.add(event_at(2, 0));
  CHECK(start_all(successor, now_us + 59'999'000) == 0);
  CHECK(successor.opens_at(now_us + 59'999'000) == now + 60'000);
  CHECK(successor.state() == remembered);
  CHECK(start_all(successor, now_us + 60'000'000) == 1);

  auto moved = config;
  moved.url = "https://crm.example.com/other";
  connector_queue elsewhere{shared(moved), remembered};
  elsewhere.add(event_at(2, 0));
  CHECK(start_all(elsewhere, now_us) == 1);

  queue.add(event_at(2, 0));
  CHECK(start_all(queue, now_us) == 0);
  queue.reconfigure(shared(moved));
  CHECK(start_all(queue, now_us) == 1);
}

namespace {

delivery_job job_of(const connector_queue::queued_event& event) {
  delivery_job job;
  job.sequence = event.position.sequence;
  job.attempt_number = event.attempts_made + 1;
  job.id = event.id;
  job.envelope = event.envelope;
  job.what = event.what;
  return job;
}

} // namespace

TEST_CASE("what could not be sent waits again in its place, as what it was, and can be started again") {
  connector config;
  config.max_in_flight = 3;
  config.rate = rate_limit{1, 1'000, 3};
  connector_queue queue{shared(config), {}};
  auto second = event_at(2, 10);
  second.attempts_made = 4;
  second.id.bytes[0] = 7;
  queue.add(event_at(1, 0));
  queue.add(std::move(second), start_kind::backlog);
  queue.add(event_at(3, 20));
  std::vector<delivery_job> jobs;
  while (const auto next = queue.start_next(now_us))
    jobs.push_back(job_of(*next));
  REQUIRE(jobs.size() == 3);
  CHECK(queue.startable(now_us) == 0);
  queue.put_back(std::move(jobs[1]));
  queue.put_back(std::move(jobs[2]));
  queue.put_back({}); // none that is in flight
  CHECK(queue.waiting() == 2);
  CHECK(queue.in_flight() == 1);
  CHECK(queue.held() == std::vector<log_sequence>{1, 2, 3});
  CHECK(queue.startable(now_us) == 1); // of a connector with a rate one at a time
  CHECK(queue.next_kind() == start_kind::backlog);
  const auto again = queue.start_next(now_us);
  REQUIRE(again);
  CHECK(again->position == due_position{now + 10, 2});
  CHECK(again->attempts_made == 4);
  CHECK(again->id.bytes[0] == 7);
  CHECK(*again->envelope == "{}");
  CHECK(queue.next_kind() == start_kind::fresh);
  CHECK(queue.start_next(now_us)->position.sequence == 3);
  const auto decision = queue.decide(delivered(2), now, {}, 0);
  REQUIRE(decision);
  CHECK(decision->was == due_position{now + 10, 2});
  CHECK(decision->accepted_at == now);
  CHECK(decision->envelope_bytes == 2);
}

TEST_CASE("how many could start now counts what waits, the places, the hold and the pause") {
  connector config;
  config.max_in_flight = 3;
  connector_queue queue{shared(config), {}};
  CHECK(queue.startable(now_us) == 0);
  for (log_sequence i = 1; i <= 2; ++i)
    queue.add(event_at(i, 0));
  CHECK(queue.startable(now_us) == 2);
  for (log_sequence i = 3; i <= 9; ++i)
    queue.add(event_at(i, 0));
  CHECK(queue.startable(now_us) == 3);
  REQUIRE(queue.start_next(now_us));
  CHECK(queue.startable(now_us) == 2);
  config.enabled = false;
  queue.reconfigure(shared(config));
  CHECK(queue.startable(now_us) == 0);
  config.enabled = true;
  queue.reconfigure(shared(config));
  REQUIRE(queue.decide(busy(1, 429, "10"), now, {}, 0));
  CHECK(queue.startable(now_us) == 0);
  CHECK(queue.startable(now_us + 11'000'000) == 1); // after a hold one goes alone
}

TEST_CASE("what could not be sent waits in its place again, with the attempts that it had") {
  connector config;
  config.max_in_flight = 2;
  config.rate = rate_limit{2, 1'000, 2};
  connector_queue queue{shared(config), {}};
  for (const log_sequence sequence : {1U, 2U, 3U}) {
    auto event = event_at(sequence, 0);
    event.attempts_made = static_cast<std::uint32_t>(sequence);
    queue.add(std::move(event));
  }
  const auto first = queue.start_next(now_us);
  const auto second = queue.start_next(now_us);
  REQUIRE(second);
  CHECK_FALSE(queue.start_next(now_us));
  queue.put_back(job_of(*second));
  queue.put_back(job_of(*first));
  queue.put_back(job_of(*first)); // not in flight any more
  CHECK(queue.in_flight() == 0);
  CHECK(queue.waiting() == 3);
  for (const log_sequence sequence : {1U, 2U}) { // the rate counts those that went
    const auto again = queue.start_next(now_us);
    REQUIRE(again);
    CHECK(again->position.sequence == sequence);
    CHECK(again->attempts_made == sequence);
    CHECK(again->envelope);
    CHECK(again->accepted_at == now);
  }
  CHECK_FALSE(queue.start_next(now_us));
}

TEST_CASE("a queue that waits for word starts nothing until it comes") {
  connector_queue queue{shared(connector{}), {}};
  queue.add(event_at(1, 0));
  queue.wait_for_word();
  CHECK_FALSE(queue.start_next(now_us + 3'600'000'000));
  CHECK_FALSE(queue.opens_at(now_us));
  queue.start_again();
  CHECK(queue.start_next(now_us));
}

TEST_CASE(
    "what is short on the way to an endpoint is tried after 250 ms, then later, or when an attempt is over") {
  connector_queue queue{shared(connector{}), {}};
  for (log_sequence sequence = 1; sequence <= 20; ++sequence)
    queue.add(event_at(sequence, 0));
  auto at_us = now_us;
  for (const std::int64_t wait_ms : {250, 500, 1'000, 2'000, 4'000, 4'000}) {
    const auto one = queue.start_next(at_us);
    const auto another = queue.start_next(at_us);
    REQUIRE(another);
    for (const auto& back : {one, another}) {
      queue.put_back(job_of(*back));
      queue.wait_for_moment({at_us / 1'000});
    }
    CHECK_FALSE(queue.start_next(at_us + wait_ms * 1'000 - 1'000));
    CHECK(queue.opens_at(at_us) == timestamp_ms{at_us / 1'000 + wait_ms});
    at_us += wait_ms * 1'000;
    CHECK_FALSE(queue.opens_at(at_us));
  }
  const auto gone = queue.start_next(at_us);
  const auto back = queue.start_next(at_us);
  queue.put_back(job_of(*back));
  queue.wait_for_moment({at_us / 1'000});
  CHECK_FALSE(queue.start_next(at_us));
  REQUIRE(queue.decide(delivered(gone->position.sequence), {at_us / 1'000}, {}, 0));
  REQUIRE(queue.start_next(at_us));
  queue.wait_for_moment({at_us / 1'000});
  CHECK(queue.opens_at(at_us) == timestamp_ms{at_us / 1'000 + 250});
}
