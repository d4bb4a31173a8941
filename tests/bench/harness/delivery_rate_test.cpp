#include "bench/harness/delivery_rate.hpp"

#include <catch2/catch_test_macros.hpp>

#include <utility>
#include <vector>

using namespace vicket::bench;

TEST_CASE("The most within a window is found wherever the window begins") {
  CHECK(most_within({}, 100) == 0);
  CHECK(most_within({7}, 100) == 1);
  CHECK(most_within({0, 90, 110, 150, 189, 190, 400}, 100) == 4); // 90 to 189: 190 is one window later
  CHECK(most_within({189, 0, 150, 90, 110}, 100) == 4);           // in any order
  CHECK(most_within({5, 5, 5}, 1) == 3);
}

TEST_CASE("A rate over time counts what comes in each bucket, and leaves out what lies outside") {
  // given times around 10 s … 12 s
  constexpr std::int64_t s = 1'000'000'000;
  const std::vector<std::int64_t> times{10 * s - 1, 10 * s, 10 * s + 1, 11 * s - 1, 11 * s, 12 * s};
  // when
  const auto points = rate_over_time(times, 11 * s, 10 * s, 12 * s, s / 2);
  // then
  const std::vector<std::pair<double, double>> expected{{-0.75, 4}, {-0.25, 2}, {0.25, 2}, {0.75, 0}};
  CHECK(points == expected);
}

TEST_CASE("A span that is shorter than a bucket has no rate") {
  CHECK(rate_over_time({1, 2, 3}, 0, 0, 9, 10).empty());
}
