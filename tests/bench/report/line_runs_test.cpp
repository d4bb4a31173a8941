#include "bench/report/line_runs.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace vicket::bench {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr plot_frame frame{10, 20, 110, 220};

using point_list = std::vector<std::pair<double, double>>;
using run_list = std::vector<std::vector<spot>>;

/// On axes of 0…100 each: a unit across is a unit of the drawing, one up is two.
run_list runs(const point_list& points) {
  const std::vector<double> ends{0, 100};
  return runs_of(points, frame, {axis_scale::linear, axis_way::across, ends},
                 {axis_scale::linear, axis_way::up, ends});
}

} // namespace

TEST_CASE("points are placed in the frame, upwards") {
  CHECK(runs({{0, 0}, {50, 100}, {100, 50}}) == run_list{{{10, 220}, {60, 20}, {110, 120}}});
  CHECK(runs({}).empty());
  CHECK(runs({{nan, 1}, {1, nan}}).empty());
}

TEST_CASE("points without a place end a run, but not within a unit of width") {
  CHECK(runs({{0, 0}, {10, nan}, {20, 0}, {30, 0}}) == run_list{{{10, 220}}, {{30, 220}, {40, 220}}});
  CHECK(runs({{nan, 0}, {1, 0}, {2, nan}, {nan, nan}, {3, 0}, {4, nan}}) ==
        run_list{{{11, 220}}, {{13, 220}}});
  CHECK(runs({{0.25, 0}, {0.5, nan}, {0.75, 0}}) == run_list{{{10.25, 220}, {10.75, 220}}});
}

TEST_CASE("of many points in a unit of width the first, highest, lowest and last stay, in their order") {
  // Given 64 points within a unit, the extremes somewhere in the middle, and one in the next
  point_list points;
  for (int i = 0; i < 64; ++i)
    points.emplace_back(i / 128.0, i == 20 ? 100 : i == 30 ? 0 : 50);
  points.emplace_back(1, 50);
  CHECK(runs(points) ==
        run_list{
            {{10, 120}, {10 + 20 / 128.0, 20}, {10 + 30 / 128.0, 220}, {10 + 63 / 128.0, 120}, {11, 120}}});
}

TEST_CASE("how many spots are drawn is bounded by the width") {
  point_list points;
  for (int i = 0; i < 100'000; ++i)
    points.emplace_back(i / 1'000.0, i % 3 == 0 ? nan : i % 89);
  std::size_t spots = 0;
  for (const auto& run : runs(points))
    spots += run.size();
  CHECK(spots <= 4 * 101);
}

} // namespace vicket::bench
