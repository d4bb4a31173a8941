#include "bench/report/figure_row.hpp"

#include <catch2/catch_test_macros.hpp>

#include <limits>
#include <string_view>
#include <vector>

namespace vicket::bench {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

} // namespace

TEST_CASE("value and goal of a row are shown in one unit, the goal's") {
  struct row {
    double value;
    std::string_view unit;
    goal wanted;
    std::string_view shown;
    std::string_view must;
    std::string_view aim;
  };
  const std::vector<row> table{
      {0.4306, "1", {0.35, 0.5, true}, "0.431", "≥ 0.35", "≥ 0.5"},
      {0.91, "ms", {1.5, 1, false}, "0.910 ms", "≤ 1.5 ms", "≤ 1 ms"},
      {910, "us", {1'500, 1'000, false}, "0.910 ms", "≤ 1.5 ms", "≤ 1 ms"},
      {61'440, "bytes", {100e3, 60e3, false}, "61.4 KB", "≤ 100 KB", "≤ 60 KB"},
      {1.3e9, "bytes", {200e6, 120e6, false}, "1,300 MB", "≤ 200 MB", "≤ 120 MB"},
      {0.42, "s", {2, 0.5, false}, "0.420 s", "≤ 2 s", "≤ 0.5 s"},
      {0.000'012, "s", {2, 0.5, false}, "12.0 µs", "≤ 2 s", "≤ 0.5 s"},
      {0, "s", {2, 0.5, false}, "0 s", "≤ 2 s", "≤ 0.5 s"},
      {180'000,
       "instructions",
       {200'000, 150'000, false},
       "180,000 instructions",
       "≤ 200,000 instructions",
       "≤ 150,000 instructions"},
      {nan, "ms", {1.5, 1, false}, "n/a", "≤ 1.5 ms", "≤ 1 ms"},
  };
  for (const auto& [value, unit, wanted, shown, must, aim] : table) {
    INFO(value << ' ' << unit);
    const auto got = row_of({"key", "title", value, std::string{unit}, wanted, {}});
    CHECK(got.value == shown);
    CHECK(got.must == must);
    CHECK(got.aim == aim);
  }
}

TEST_CASE("a value has as many digits as its verdict takes, so that none looks wrong") {
  const goal ratio{0.35, 0.5, true};
  const auto shown = [](double value, const goal& wanted) {
    return row_of({"key", "title", value, "1", wanted, {}}).value;
  };
  CHECK(shown(0.3498, ratio) == "0.3498"); // 0.350 would look as if it were met
  CHECK(shown(0.349'999, ratio) == "0.349999");
  CHECK(shown(0.49996, ratio) == "0.49996");
  CHECK(shown(0.5, ratio) == "0.500");
  CHECK(shown(0.5004, ratio) == "0.500"); // met both ways
  CHECK(shown(10.04, {10, 5, false}) == "10.04");
  CHECK(shown(10, {10, 5, false}) == "10.0");
}

TEST_CASE("rounds are shown as their spread, in the value's unit") {
  const auto spread = [](std::vector<double> rounds) {
    return row_of({"key", "title", 23.8, "us", std::nullopt, std::move(rounds)}).rounds;
  };
  CHECK(spread({}).empty());
  CHECK(spread({24.91, 23.8, 23.12}) == "23.1 – 24.9 µs, 3 rounds");
  CHECK(spread({23.8}) == "23.8 – 23.8 µs, 1 round");
  CHECK(spread({23.8, nan, 25}) == "23.8 – 25.0 µs, 3 rounds, 1 of them not measured");
  CHECK(spread({nan, nan}) == "none of 2 rounds measured");
}

TEST_CASE(
    "a row without a goal has neither must nor aim nor verdict, and is named by its key if it has no title") {
  const auto row = row_of({"disk_bytes", "", 712, "bytes", std::nullopt, {}});
  CHECK(row.title == "disk_bytes");
  CHECK(row.value == "712 B");
  CHECK(row.must.empty());
  CHECK(row.aim.empty());
  CHECK(row.said == verdict::no_goal);
}

} // namespace vicket::bench
