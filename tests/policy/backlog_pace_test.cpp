#include "policy/backlog_pace.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <random>
#include <utility>

using namespace vicket;

namespace {

constexpr double most_per_s = 30'000; ///< of the backlog, whatever is allowed
constexpr double least_per_s = most_per_s / backlog_pace::least_share;

/// A node whose fresh events come evenly, and lag as the backlog's rate makes them.
struct model {
  backlog_pace pace;
  std::int64_t now_us = 1'000'000;
  std::int64_t fresh_every_us = 2'000;
  std::size_t most_at_once = 15; ///< in half a millisecond
  std::uint64_t events_each = 1; ///< that are accepted together
  std::function<std::int64_t(double per_s)> lag_us = [](double) { return std::int64_t{700}; };

  /// What was started of the backlog, per second.
  double run_ms(std::int64_t duration_ms, bool backlog = true) {
    double total = 0;
    for (std::int64_t i = 0; i < duration_ms * 2; ++i) {
      now_us += 500;
      const auto allowed = pace.allowance(now_us);
      const auto count = backlog ? std::min<std::size_t>(allowed, most_at_once) : 0;
      pace.started(static_cast<std::int64_t>(count));
      total += static_cast<double>(count);
      went_ += (static_cast<double>(count) * 2'000 - went_) * 0.05;
      if (fresh_every_us > 0 && now_us >= next_fresh_us_) {
        pace.fresh_accepted(lag_us(went_), now_us);
        pace.events_came(events_each);
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

TEST_CASE("a backlog that has fresh events lag is paced until they hardly do") {
  for (const double bearable : {18'000, 21'000, 26'000}) {
    INFO(bearable << "/s do not have them lag");
    model node;
    node.lag_us = lags_above(bearable);
    (void)node.run_ms(1'000, false);
    (void)node.run_ms(1'000);
    const auto per_s = node.run_ms(4'000);
    CHECK(per_s < bearable * 1.05);
    CHECK(per_s > bearable * 0.8);
  }
}

TEST_CASE("a share of what went at most goes in any case, whatever the lag and its cause") {
  for (const double bearable : {-1, 100}) {
    model node;
    (void)node.run_ms(1'000, false);
    node.lag_us = lags_above(bearable);
    (void)node.run_ms(400); // with the first look without a pace, which may come too early to tell
    for (int i = 0; i < 10; ++i) {
      const auto per_s = node.run_ms(2'000);
      CHECK(per_s > least_per_s * 0.98);
      CHECK(per_s < least_per_s * 1.1);
    }
  }
}

TEST_CASE("more of a backlog goes than comes, whatever the lag") {
  model node;
  (void)node.run_ms(1'000, false);
  node.lag_us = [](double) { return std::int64_t{90'000}; };
  for (const auto& [each, least] :
       {std::pair{10u, least_per_s}, std::pair{28u, 17'500.}, std::pair{50u, most_per_s}}) {
    INFO(each * 500 << "/s come");
    node.events_each = each;
    (void)node.run_ms(2'000);
    const auto per_s = node.run_ms(2'000);
    CHECK(per_s > least * 0.97);
    CHECK(per_s < least * 1.1);
  }
}

TEST_CASE("what went at most is learned anew also where the first look saw little of it") {
  model node;
  (void)node.run_ms(1'000, false);
  node.lag_us = [](double) { return std::int64_t{9'000}; };
  node.most_at_once = 2; // of each half millisecond: 4,000 a second
  (void)node.run_ms(40);
  node.most_at_once = 15;
  (void)node.run_ms(1'000);
  CHECK(node.run_ms(1'000) > least_per_s * 0.75);
}

TEST_CASE("next to nothing is not paced") {
  model node;
  (void)node.run_ms(1'000, false);
  node.most_at_once = 1; // 2,000 a second
  node.lag_us = [](double) { return std::int64_t{90'000}; };
  CHECK(node.run_ms(5'000) > 1'950);
}

TEST_CASE("where the lag varies by itself the share that goes in any case goes") {
  model node;
  std::mt19937 chance{7};
  std::exponential_distribution<double> mean_one;
  node.lag_us = [&](double) { return static_cast<std::int64_t>(6'000 * mean_one(chance)); };
  (void)node.run_ms(2'000, false);
  (void)node.run_ms(500);
  CHECK(node.run_ms(10'000) > least_per_s);
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
  CHECK(node.run_ms(1'000) > most_per_s * 0.99);
}

TEST_CASE("a flood of fresh events does not make its lag the usual one, but what stays for a minute is") {
  model node;
  (void)node.run_ms(1'000, false);
  node.lag_us = [](double) { return std::int64_t{50'000}; };
  (void)node.run_ms(5'000, false);
  node.lag_us = lags_above(18'000);
  (void)node.run_ms(1'000);
  CHECK(node.run_ms(2'000) < 19'000);

  model slower;
  (void)slower.run_ms(1'000, false);
  slower.lag_us = [](double) { return std::int64_t{9'000}; };
  (void)slower.run_ms(2 * backlog_pace::usual_memory_us / 1'000 + 100, false);
  CHECK(slower.run_ms(1'000) == most_per_s);
}

TEST_CASE("a node that starts into a backlog beside fresh events goes slowly, since it knows no usual lag") {
  model node;
  node.lag_us = lags_above(1e9);
  (void)node.run_ms(500);
  const auto per_s = node.run_ms(1'000);
  CHECK(per_s > least_per_s * 0.98);
  CHECK(per_s < least_per_s * 1.2); // with two looks without a pace
  (void)node.run_ms(200, false);
  (void)node.run_ms(2'000);
  CHECK(node.run_ms(1'000) > most_per_s * 0.99);
}

TEST_CASE("what is allowed after a pause is no flood, and what was declined is allowed again") {
  backlog_pace pace;
  std::int64_t now_us = 0;
  const auto look = [&](std::int64_t lag_us, std::int64_t starts) {
    for (int i = 0; i < 10; ++i) {
      now_us += 2'000;
      (void)pace.allowance(now_us);
      pace.started(starts);
      pace.fresh_accepted(lag_us, now_us);
    }
  };
  for (int i = 0; i < 4; ++i)
    look(100, 0);
  for (int i = 0; i < 8; ++i)
    look(90'000, 30); // 15,000 a second
  REQUIRE(pace.rate_per_s());
  CHECK(*pace.rate_per_s() > 15'000 / backlog_pace::least_share * 0.9);
  CHECK(*pace.rate_per_s() < 15'000 / backlog_pace::least_share * 1.1);
  now_us += 200'000;
  const auto burst = pace.allowance(now_us);
  CHECK(burst == static_cast<std::size_t>(*pace.rate_per_s() * 8e-3));
  pace.started(static_cast<std::int64_t>(burst));
  CHECK(pace.allowance(now_us) == 0);
  pace.started(-1);
  CHECK(pace.allowance(now_us) == 1);
}
