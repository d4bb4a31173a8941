#include "policy/backlog_pace.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>

using namespace vicket;

namespace {

/// A node whose fresh events come evenly, and lag as the backlog's rate makes them.
struct model {
  backlog_pace pace;
  std::int64_t now_us = 1'000'000;
  std::int64_t fresh_every_us = 2'000;
  std::int64_t next_fresh_us = now_us;
  double most_per_s = 30'000; ///< of the backlog, whatever is allowed
  std::function<std::int64_t(double per_s)> lag_us = [](double) { return std::int64_t{700}; };
  double wanted = 0; ///< what there is time for
  double went_per_s = 0;

  /// What was started of the backlog.
  std::size_t run_ms(std::int64_t duration_ms, bool backlog = true) {
    std::size_t total = 0;
    std::size_t in_window = 0;
    for (std::int64_t i = 0; i < duration_ms * 2; ++i) {
      now_us += 500;
      const auto allowed = pace.allowance(now_us);
      wanted = backlog ? std::min(wanted + most_per_s / 2'000, 64.0) : 0;
      const auto count = std::min(allowed, static_cast<std::size_t>(wanted));
      wanted -= static_cast<double>(count);
      pace.started(static_cast<std::int64_t>(count));
      total += count;
      in_window += count;
      if (i % 20 == 19) {
        went_per_s = static_cast<double>(in_window) * 100;
        in_window = 0;
      }
      for (; fresh_every_us > 0 && next_fresh_us <= now_us; next_fresh_us += fresh_every_us)
        pace.fresh_started(lag_us(went_per_s), now_us);
      next_fresh_us = std::max(next_fresh_us, now_us);
    }
    return total;
  }
};

} // namespace

TEST_CASE("without fresh events a backlog has no pace") {
  model node;
  node.fresh_every_us = 0;
  CHECK(node.run_ms(1'000) >= 29'900);
  CHECK(node.pace.allowance(node.now_us) == backlog_pace::unlimited);
}

TEST_CASE("fresh events that do not lag leave a backlog without a pace, also where each takes long") {
  model node;
  for (const std::int64_t lag_us : {0, 700, 20'000}) {
    node.lag_us = [lag_us](double) { return lag_us; };
    (void)node.run_ms(2 * backlog_pace::least_memory_us / 1'000 + 1'000, false);
    CHECK(node.run_ms(1'000) >= 29'900);
  }
}

TEST_CASE("a backlog that has fresh events lag is paced until they do not, and no further") {
  model node;
  node.lag_us = [](double per_s) { return std::int64_t{700} + (per_s > 15'000 ? 5'000 : 0); };
  (void)node.run_ms(1'000, false);
  (void)node.run_ms(1'000);
  const auto per_s = static_cast<double>(node.run_ms(4'000)) / 4;
  CHECK(per_s < 16'500);
  CHECK(per_s > 10'000);
}

TEST_CASE("a quarter of what went without a pace goes in any case") {
  model node;
  node.lag_us = [](double per_s) { return std::int64_t{700} + (per_s > 100 ? 5'000 : 0); };
  (void)node.run_ms(1'000, false);
  (void)node.run_ms(2'000);
  const auto per_s = static_cast<double>(node.run_ms(2'000)) / 2;
  CHECK(per_s >= 7'000);
  CHECK(per_s <= 8'500);
}

TEST_CASE("the pace ends with the fresh events") {
  model node;
  node.lag_us = [](double per_s) { return std::int64_t{700} + (per_s > 10'000 ? 5'000 : 0); };
  (void)node.run_ms(1'000, false);
  (void)node.run_ms(2'000);
  REQUIRE(node.pace.rate_per_s());
  node.fresh_every_us = 0;
  (void)node.run_ms(backlog_pace::memory_us / 1'000);
  CHECK(node.run_ms(1'000) >= 29'900);
  CHECK_FALSE(node.pace.rate_per_s());
}

TEST_CASE("when the cause of the lag is gone the backlog is soon as fast as it can be") {
  model node;
  node.lag_us = [](double per_s) { return std::int64_t{700} + (per_s > 2'000 ? 5'000 : 0); };
  (void)node.run_ms(1'000, false);
  (void)node.run_ms(2'000);
  node.lag_us = [](double) { return std::int64_t{700}; };
  (void)node.run_ms(1'000);
  CHECK(node.run_ms(1'000) >= 28'000);
}

TEST_CASE("a lag that is there without a backlog is not the backlog's, and what is least is learned anew") {
  model node;
  (void)node.run_ms(1'000, false);
  node.lag_us = [](double) { return std::int64_t{9'000}; }; // a slower disk
  (void)node.run_ms(2 * backlog_pace::least_memory_us / 1'000 + 1'000, false);
  CHECK_FALSE(node.pace.rate_per_s());
  CHECK(node.run_ms(1'000) >= 29'900);
}

TEST_CASE("what is allowed after a pause is no flood, and at least one in the end") {
  backlog_pace pace;
  std::int64_t now_us = 0;
  const auto lag = [&](std::int64_t lag_us) {
    for (int i = 0; i < 20; ++i) {
      now_us += 2'000;
      pace.started(1);
      pace.fresh_started(lag_us, now_us);
    }
  };
  lag(100);
  for (int i = 0; i < 4; ++i)
    lag(90'000);
  REQUIRE(pace.rate_per_s());
  CHECK(*pace.rate_per_s() == backlog_pace::min_per_s); // it was 500/s
  now_us += 200'000;
  CHECK(pace.allowance(now_us) == 1);
  pace.started(1);
  CHECK(pace.allowance(now_us) == 0);
  pace.started(-1); // it was declined
  CHECK(pace.allowance(now_us) == 1);
}
