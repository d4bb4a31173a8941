#include "policy/backlog_pace.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <random>

using namespace vicket;

namespace {

constexpr double most_per_s = 30'000; ///< of the backlog, whatever is allowed

/// A node whose fresh events come evenly, and lag as the backlog's rate makes them.
struct model {
  backlog_pace pace;
  std::int64_t now_us = 1'000'000;
  std::int64_t fresh_every_us = 2'000;
  std::function<std::int64_t(double per_s)> lag_us = [](double) { return std::int64_t{700}; };

  /// What was started of the backlog, per second.
  double run_ms(std::int64_t duration_ms, bool backlog = true) {
    double total = 0;
    for (std::int64_t i = 0; i < duration_ms * 2; ++i) {
      now_us += 500;
      const auto allowed = pace.allowance(now_us);
      const auto count = backlog ? std::min<std::size_t>(allowed, 15) : 0;
      pace.started(static_cast<std::int64_t>(count));
      total += static_cast<double>(count);
      went_ += (static_cast<double>(count) * 2'000 - went_) * 0.05;
      if (fresh_every_us > 0 && now_us >= next_fresh_us_) {
        pace.fresh_started(lag_us(went_), now_us);
        next_fresh_us_ = std::max(next_fresh_us_ + fresh_every_us, now_us);
      }
    }
    return total * 1e3 / static_cast<double>(duration_ms);
  }

private:
  std::int64_t next_fresh_us_ = 0;
  double went_ = 0; ///< per second, of late
};

/// Above this rate of the backlog fresh events lag.
std::function<std::int64_t(double)> lags_above(double per_s, std::int64_t usual_us = 700) {
  return [=](double went) { return usual_us + (went > per_s ? 5'000 : 0); };
}

} // namespace

TEST_CASE("without fresh events a backlog has no pace") {
  model node;
  node.fresh_every_us = 0;
  CHECK(node.run_ms(1'000) == most_per_s);
  CHECK(node.pace.allowance(node.now_us) == backlog_pace::unlimited);
}

TEST_CASE("fresh events that do not lag leave a backlog without a pace, also where each takes long") {
  for (const std::int64_t lag_us : {0, 700, 20'000}) {
    model node;
    node.lag_us = [lag_us](double) { return lag_us; };
    (void)node.run_ms(1'000, false);
    CHECK(node.run_ms(1'000) == most_per_s);
    CHECK_FALSE(node.pace.rate_per_s());
  }
}

TEST_CASE("a backlog that has fresh events lag is paced until they do not, and no further") {
  for (const double bearable : {6'000, 10'000, 20'000}) {
    INFO(bearable << "/s do not have them lag");
    model node;
    node.lag_us = lags_above(bearable);
    (void)node.run_ms(1'000, false);
    (void)node.run_ms(2'000);
    const auto per_s = node.run_ms(4'000);
    CHECK(per_s < bearable * 1.1);
    CHECK(per_s > bearable * 0.7);
  }
}

TEST_CASE("an eighth of what went at most goes in any case") {
  model node;
  node.lag_us = lags_above(100);
  (void)node.run_ms(1'000, false);
  (void)node.run_ms(200);
  const auto per_s = node.run_ms(100);
  CHECK(per_s >= most_per_s / 9);
  CHECK(per_s <= most_per_s / 6);
}

TEST_CASE("a lag that stays while the backlog is at its least has another cause, and slows it no more") {
  model node;
  (void)node.run_ms(1'000, false);
  (void)node.run_ms(500);
  node.lag_us = [](double) { return std::int64_t{9'000}; }; // the disk is slower from now on
  (void)node.run_ms(3'000);
  CHECK(node.run_ms(1'000) > most_per_s * 0.9);
}

TEST_CASE("where the lag varies by itself a backlog goes on") {
  model node;
  std::mt19937 chance{7};
  std::exponential_distribution<double> mean_one;
  node.lag_us = [&](double) { return static_cast<std::int64_t>(6'000 * mean_one(chance)); };
  (void)node.run_ms(2'000, false);
  (void)node.run_ms(2'000);
  CHECK(node.run_ms(10'000) > most_per_s / 3);
}

TEST_CASE("the pace ends with the fresh events") {
  model node;
  node.lag_us = lags_above(10'000);
  (void)node.run_ms(1'000, false);
  (void)node.run_ms(2'000);
  REQUIRE(node.pace.rate_per_s());
  node.fresh_every_us = 0;
  (void)node.run_ms(backlog_pace::memory_us / 1'000);
  CHECK(node.run_ms(1'000) == most_per_s);
  CHECK_FALSE(node.pace.rate_per_s());
}

TEST_CASE("when the cause of the lag is gone the backlog is soon as fast as it can be") {
  model node;
  node.lag_us = lags_above(4'000);
  (void)node.run_ms(1'000, false);
  (void)node.run_ms(2'000);
  node.lag_us = lags_above(1e9);
  (void)node.run_ms(1'000);
  CHECK(node.run_ms(1'000) == most_per_s);
}

TEST_CASE("a node that starts into a backlog beside fresh events learns first what their lag is without it") {
  model node;
  node.lag_us = lags_above(10'000);
  (void)node.run_ms(2'000);
  const auto per_s = node.run_ms(2'000);
  CHECK(per_s < 11'000);
  CHECK(per_s > 7'000);
}

TEST_CASE("what is allowed after a pause is no flood, and what was declined is allowed again") {
  backlog_pace pace;
  std::int64_t now_us = 0;
  for (int i = 0; i < 20; ++i) {
    now_us += 2'000;
    pace.started(1);
    pace.fresh_started(100, now_us);
  }
  for (int i = 0; i < 20; ++i) {
    now_us += 2'000;
    pace.started(2);
    pace.fresh_started(90'000, now_us);
  }
  REQUIRE(pace.rate_per_s());
  CHECK(*pace.rate_per_s() <= 1'000);
  CHECK(*pace.rate_per_s() >= backlog_pace::min_per_s);
  now_us += 200'000;
  CHECK(pace.allowance(now_us) == 1);
  pace.started(1);
  CHECK(pace.allowance(now_us) == 0);
  pace.started(-1);
  CHECK(pace.allowance(now_us) == 1);
}
