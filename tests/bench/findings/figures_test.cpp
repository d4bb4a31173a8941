#include "bench/findings/figures.hpp"

#include "bench/report/verdict.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cmath>
#include <vector>

using namespace vicket::bench;

namespace {

bool misses_its_goal(figure made) {
  made.wanted = goal{1e9, 1e9, false};
  return verdict_of(made) == verdict::missed;
}

} // namespace

TEST_CASE("A median of rounds is their middle, a worst their largest, and both keep the rounds") {
  const std::vector<double> rounds{30, 10, 20};
  const auto middle = median_figure("key", "title", rounds, "us");
  const auto worst = worst_figure("key", "title", rounds, "us");
  CHECK(middle.value == 20);
  CHECK(worst.value == 30);
  CHECK(middle.rounds == rounds);
  CHECK(worst.rounds == rounds);
  CHECK(median_figure("key", "title", {10, 20}, "us").value == 15);
}

TEST_CASE("What was not measured misses its goal, be it all rounds or one of them") {
  const std::vector<std::vector<double>> table{{}, {not_measured}, {1, not_measured, 3}, {not_measured, 1}};
  for (const auto& rounds : table) {
    CHECK(misses_its_goal(median_figure("key", "title", rounds, "us")));
    CHECK(misses_its_goal(worst_figure("key", "title", rounds, "us")));
  }
  CHECK_FALSE(misses_its_goal(median_figure("key", "title", {1}, "us")));
  CHECK_FALSE(misses_its_goal(worst_figure("key", "title", {1}, "us")));
}

TEST_CASE("A percentile of samples is in microseconds, and not measured without any") {
  CHECK(percentile_us(percentiles{{3'000, 1'000, 2'000}}, 50) == 2);
  CHECK(percentile_us(percentiles{{3'000, 1'000, 2'000}}, 100) == 3);
  CHECK(std::isnan(percentile_us(percentiles{{}}, 99)));
}

TEST_CASE("Ratios are those of pairs, and what is too short to be measured makes none that is large") {
  CHECK(ratios({20, 30}, {10, 0.1}, 1) == std::vector<double>{2, 30});
  CHECK(ratios({20, 30}, {10}, 1) == std::vector<double>{2});
  CHECK(std::isnan(ratios({not_measured}, {10}, 1).at(0)));
  CHECK(std::isnan(ratios({20}, {not_measured}, 1).at(0)));
}
