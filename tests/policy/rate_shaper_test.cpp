#include "policy/rate_shaper.hpp"

#include "tests/support/seeded_random.hpp"

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <limits>
#include <vector>

namespace vicket {

namespace {

constexpr std::int64_t start_us = 1'790'000'000'000'000; // some day in 2026
constexpr std::int64_t hour_us = 3'600'000'000;

/// How many go at once at this moment.
int burst_at(rate_shaper& shaper, std::int64_t now_us) {
  int count = 0;
  for (; shaper.wait_us(now_us) == 0 && count < 10'000; ++count)
    shaper.take(now_us);
  return count;
}

/// The times at which `count` go when each goes as early as it may.
std::vector<std::int64_t> eager_times(rate_shaper& shaper, std::int64_t now_us, int count) {
  std::vector<std::int64_t> times;
  for (int i = 0; i < count; ++i) {
    now_us += shaper.wait_us(now_us);
    shaper.take(now_us);
    times.push_back(now_us);
  }
  return times;
}

} // namespace

TEST_CASE("a burst that was spent comes back at the rate") {
  rate_shaper shaper{rate_limit{100, 1'000, 10}};
  shaper.spend_burst(start_us);
  CHECK(burst_at(shaper, start_us) == 1);
  CHECK(shaper.wait_us(start_us) == 10'000);
  CHECK(burst_at(shaper, start_us + 10'000) == 1);
  CHECK(burst_at(shaper, start_us + hour_us) == 10);
  shaper.spend_burst(start_us); // what was taken since counts for more
  CHECK(burst_at(shaper, start_us + hour_us) == 0);
  rate_shaper unlimited{std::nullopt};
  unlimited.spend_burst(start_us);
  CHECK(burst_at(unlimited, start_us) == 10'000);
}

TEST_CASE("one that did not go after all is as if it had not been taken") {
  rate_shaper shaper{rate_limit{3, 1'000, 2}}; // an interval that is no whole number of microseconds
  CHECK(burst_at(shaper, start_us) == 2);
  shaper.give_back();
  CHECK(shaper.wait_us(start_us) == 0);
  shaper.take(start_us);
  CHECK(shaper.wait_us(start_us) == 333'334);
  for (int i = 0; i < 3; ++i) {
    shaper.take(start_us + 333'334);
    shaper.give_back();
  }
  CHECK(burst_at(shaper, start_us + 333'334) == 1);
  shaper.give_back();
  CHECK(burst_at(shaper, start_us + hour_us) == 2); // and no more than a burst, however long ago it was
}

TEST_CASE("a connector without a rate is not limited") {
  rate_shaper shaper{std::nullopt};
  CHECK(burst_at(shaper, start_us) == 10'000);
  CHECK(shaper.wait_us(0) == 0);
}

TEST_CASE("deliveries are spread evenly, with the burst ahead of it") {
  SECTION("100 per second with a burst of 10") {
    rate_shaper shaper{rate_limit{100, 1'000, 10}};
    CHECK(burst_at(shaper, start_us) == 10);
    CHECK(shaper.wait_us(start_us) == 10'000);
    CHECK(shaper.wait_us(start_us + 9'999) == 1);
    CHECK(burst_at(shaper, start_us + 10'000) == 1);
    CHECK(burst_at(shaper, start_us + 45'000) == 3);
    CHECK(shaper.wait_us(start_us + 45'000) == 5'000);
    CHECK(burst_at(shaper, start_us + hour_us) == 10);
  }
  SECTION("without a burst one at a time") {
    rate_shaper shaper{rate_limit{100, 1'000, 1}};
    const auto times = eager_times(shaper, start_us, 1'000);
    for (std::size_t i = 0; i < times.size(); ++i)
      CHECK(times[i] == start_us + static_cast<std::int64_t>(i) * 10'000);
  }
}

TEST_CASE("a rate whose interval is no whole number of microseconds is kept exactly") {
  struct row {
    rate_limit limit;
    int count;
    std::int64_t expected_us; ///< from the first to the last
  };
  const std::vector<row> table{
      {{3, 1'000, 1}, 3'001, 1'000'000'000},         // 333,333.3… µs
      {{7, 1'000, 1}, 7'001, 1'000'000'000},         // 142,857.1… µs
      {{999'999, 1'000, 1}, 999'999 + 1, 1'000'000}, // 1.000001 µs
      {{1'000'000, 1, 1}, 1'000'001, 1'000},         // 1 ns
      {{1, 86'400'000, 1}, 3, 2 * 86'400'000'000},   // a day
  };
  for (const auto& [limit, count, expected_us] : table) {
    INFO(limit.limit << " per " << limit.per_ms << " ms");
    rate_shaper shaper{limit};
    CHECK(eager_times(shaper, start_us, count).back() - start_us == expected_us);
  }
}

TEST_CASE("over any window no more go than the burst and the limit's share of the window") {
  const auto seed = Catch::getSeed();
  INFO("seed " << seed);
  seeded_random random{seed};
  for (int round = 0; round < 200; ++round) {
    const rate_limit limit{static_cast<std::uint32_t>(1 + random.below(1'000)),
                           static_cast<std::uint32_t>(1 + random.below(10'000)),
                           static_cast<std::uint32_t>(1 + random.below(50))};
    INFO("round " << round << ": " << limit.limit << " per " << limit.per_ms << " ms, burst " << limit.burst);
    rate_shaper shaper{limit};
    std::vector<std::int64_t> times;
    auto now = start_us;
    for (int step = 0; step < 400; ++step) {
      now += static_cast<std::int64_t>(
          random.below(3) == 0 ? random.below(limit.per_ms * 2'000ULL / limit.limit + 1) : 0);
      if (shaper.wait_us(now) == 0) {
        shaper.take(now);
        times.push_back(now);
      } else if (random.below(2) == 0) {
        now += shaper.wait_us(now);
        REQUIRE(shaper.wait_us(now) == 0);
      }
    }
    for (std::size_t i = 0; i < times.size(); ++i) {
      for (std::size_t j = i; j < times.size(); ++j) {
        const auto window_us = static_cast<double>(times[j] - times[i] + 1);
        const auto most = limit.burst + limit.limit * window_us / (limit.per_ms * 1'000.0) + 1e-6;
        if (static_cast<double>(j - i + 1) > most)
          FAIL("from " << times[i] << " to " << times[j] << ": " << j - i + 1 << ", at most " << most);
      }
    }
  }
}

TEST_CASE("a clock that jumps back delays by one interval at most and then goes on") {
  rate_shaper shaper{rate_limit{10, 1'000, 5}};
  burst_at(shaper, start_us);
  auto now = start_us - hour_us;
  const auto wait = shaper.wait_us(now);
  CHECK(wait == 100'000);
  now += wait;
  CHECK(burst_at(shaper, now) == 1);
  CHECK(shaper.wait_us(now) == 100'000);
  CHECK(burst_at(shaper, now + 100'000) == 1);
}

TEST_CASE("a clock that trembles lets no more through") {
  rate_shaper shaper{rate_limit{10, 1'000, 1}};
  int gone = 0;
  for (int i = 0; i < 1'000; ++i) {
    const auto now = start_us + i * 1'000 - (i % 2) * 500;
    if (shaper.wait_us(now) == 0) {
      shaper.take(now);
      ++gone;
    }
  }
  CHECK(gone <= 11);
  CHECK(gone >= 9);
}

TEST_CASE("a clock that jumps ahead lets one burst through") {
  rate_shaper shaper{rate_limit{10, 1'000, 5}};
  burst_at(shaper, start_us);
  CHECK(burst_at(shaper, start_us + hour_us) == 5);
  CHECK(shaper.wait_us(start_us + hour_us) == 100'000);
}

TEST_CASE("what was taken is remembered in another life and under another limit") {
  rate_shaper first{rate_limit{10, 1'000, 2}};
  burst_at(first, start_us);

  SECTION("restored") {
    rate_shaper second{rate_limit{10, 1'000, 2}};
    second.restore(first.state());
    CHECK(second.wait_us(start_us) == 100'000);
    CHECK(burst_at(second, start_us + 100'000) == 1);
  }
  SECTION("a stored state that makes no sense neither freezes nor floods") {
    for (const auto state :
         {std::numeric_limits<std::int64_t>::max() - 1, std::numeric_limits<std::int64_t>::min(),
          std::int64_t{0}, start_us + 1'000 * hour_us}) {
      rate_shaper second{rate_limit{10, 1'000, 2}};
      second.restore(state);
      CHECK(second.wait_us(start_us) <= 100'000);
      CHECK(burst_at(second, start_us) <= 2);
      CHECK(burst_at(second, start_us + 200'000) >= 1);
    }
  }
  SECTION("a faster limit is in force at once") {
    rate_shaper slow{rate_limit{1, 86'400'000, 1}};
    slow.take(start_us);
    CHECK(slow.wait_us(start_us) == 86'400'000'000);
    slow.reconfigure(rate_limit{10, 1'000, 1});
    CHECK(slow.wait_us(start_us) == 100'000);
  }
  SECTION("a limit that is taken away is gone") {
    first.reconfigure(std::nullopt);
    CHECK(burst_at(first, start_us) == 10'000);
  }
  SECTION("the same limit again changes nothing") {
    first.reconfigure(rate_limit{10, 1'000, 2});
    CHECK(first.wait_us(start_us) == 100'000);
  }
}

TEST_CASE("the largest limit does not overflow") {
  rate_shaper shaper{rate_limit{1, 86'400'000, 1'000'000}};
  CHECK(burst_at(shaper, start_us) == 10'000);
  rate_shaper dense{rate_limit{1'000'000, 86'400'000, 1'000'000}};
  CHECK(burst_at(dense, start_us) == 10'000);
}

TEST_CASE("what was taken and did not go can be given back: the next goes when that one would have") {
  for (const std::uint32_t per_ms : {1'000u, 999u, 7u}) {
    const rate_limit limit{3, per_ms, 2}; // its interval is no whole number of microseconds
    rate_shaper shaper{limit}, untouched{limit};
    std::int64_t now_us = 1'779'546'071'000'000;
    shaper.take(now_us);
    untouched.take(now_us);
    for (int i = 0; i < 5; ++i) {
      now_us += shaper.wait_us(now_us);
      shaper.take(now_us);
      shaper.give_back();
      CHECK(shaper.wait_us(now_us) == 0);
      CHECK(shaper.state() == untouched.state());
      shaper.take(now_us);
      untouched.take(now_us);
    }
  }
  rate_shaper unlimited{std::nullopt};
  unlimited.take(1'000);
  unlimited.give_back();
  CHECK(unlimited.wait_us(1'000) == 0);
}

} // namespace vicket
