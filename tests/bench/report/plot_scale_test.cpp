#include "bench/report/plot_scale.hpp"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

using Catch::Approx;

namespace vicket::bench {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

plot_scale scale_of(axis_scale kind, axis_way way, const std::vector<double>& values) {
  return {kind, way, values};
}

/// Those that are labelled, in their order: "0 20 40".
std::string labels_of(const plot_scale& scale) {
  std::string labels;
  for (const auto& tick : scale.ticks())
    if (!tick.label.empty())
      labels += (labels.empty() ? "" : " ") + tick.label;
  return labels;
}

} // namespace

TEST_CASE("an axis is labelled with round numbers") {
  struct row {
    axis_scale kind;
    axis_way way;
    std::vector<double> values;
    std::string labels;
  };
  using enum axis_scale;
  using enum axis_way;
  const std::vector<row> table{
      {linear, up, {0, 100}, "0 20 40 60 80 100"},
      {linear, up, {31, 97}, "0 20 40 60 80 100"},
      {linear, up, {101}, "0 20 40 60 80 100 120"},
      {linear, up, {0.3, 0.9}, "0 0.2 0.4 0.6 0.8 1.0"},
      {linear, up, {-40, 55}, "-40 -20 0 20 40 60"},
      {linear, up, {-5, -2}, "-5 -4 -3 -2 -1 0"},
      {linear, up, {28'000, 31'000}, "0 10k 20k 30k 40k"},
      {linear, up, {2.2e6}, "0 0.5M 1.0M 1.5M 2.0M 2.5M"},
      {linear, up, {7e9}, "0 2G 4G 6G 8G"},
      {linear, up, {0, 0}, "0 0.2 0.4 0.6 0.8 1.0"},
      {linear, up, {}, "0 0.2 0.4 0.6 0.8 1.0"},
      {linear, up, {4e-6}, "0 1e-06 2e-06 3e-06 4e-06"},
      {linear, across, {12, 30}, "15 20 25 30"},
      {linear, across, {8}, "4 6 8 10 12"},
      {logarithmic, up, {0.3, 41}, "0.1 1 10 100"},
      {logarithmic, up, {1, 100}, "1 10 100"},
      {logarithmic, up, {0.1 + 0.2, 0.9}, "0.1 0.2 0.5 1"},
      {logarithmic, across, {1e4, 5e6}, "10k 100k 1M 10M"},
      {logarithmic, up, {5}, "1 2 5 10"},
      {logarithmic, up, {1'000}, "1000 2000 5000 10k"},
      {logarithmic, up, {}, "1 2 5 10"},
      {logarithmic, up, {0, -3}, "1 2 5 10"},
      {logarithmic, up, {1e-6, 1e14}, "1e-06 0.001 1 1000 1M 1G 1000G"},
      {nines, across, {0, 50, 90, 99, 99.9, 99.99}, "0 50 90 99 99.9 99.99"},
      {nines, across, {0, 99, 100}, "0 50 90 99 100"},
      {nines, across, {0, 99.999, 100}, "0 90 99 99.9 99.99 99.999 100"},
      {nines, across, {50}, "0 50 90 99"},
      {nines, across, {}, "0 50 90 99"},
  };
  for (const auto& [kind, way, values, labels] : table) {
    INFO("kind " << static_cast<int>(kind) << ", first value " << (values.empty() ? nan : values.front()));
    CHECK(labels_of(scale_of(kind, way, values)) == labels);
  }
}

TEST_CASE("a linear axis keeps distances") {
  const auto up = scale_of(axis_scale::linear, axis_way::up, {30, 100});
  CHECK(up.at(0) == Approx(0));
  CHECK(up.at(25) == Approx(0.25));
  CHECK(up.at(100) == Approx(1));
  const auto across = scale_of(axis_scale::linear, axis_way::across, {30, 100});
  CHECK(across.at(30) == Approx(0));
  CHECK(across.at(65) == Approx(0.5));
}

TEST_CASE("a logarithmic axis puts zero and less where the smallest positive value is") {
  const auto scale = scale_of(axis_scale::logarithmic, axis_way::up, {0, -7, 1e-200, 0.1, 10});
  CHECK(scale.at(0.1) == Approx(0));
  CHECK(scale.at(1) == Approx(0.5));
  CHECK(scale.at(10) == Approx(1));
  for (const double none : {0.0, -7.0, 1e-200})
    CHECK(scale.at(none) == scale.at(0.1));
}

TEST_CASE("on an axis of nines every nine takes the same room, and 100 stands one behind the last") {
  const auto scale = scale_of(axis_scale::nines, axis_way::across, {0, 99.9, 100});
  CHECK(scale.at(-1) == Approx(0));
  CHECK(scale.at(0) == Approx(0));
  CHECK(scale.at(90) == Approx(0.25));
  CHECK(scale.at(99) == Approx(0.5));
  CHECK(scale.at(99.9) == Approx(0.75));
  CHECK(scale.at(100) == Approx(1));
  CHECK(scale.at(101) == Approx(1));
}

TEST_CASE("whatever the values are, ticks are few, in order and on the axis") {
  const std::vector<std::vector<double>> extremes{
      {},
      {nan, infinity, -infinity},
      {0},
      {-1e150, 1e150},
      {1e-150, 1e150},
      {1e15, 1e15 + 0.25},
      {5e-324},
      {1.7e308},
      {99.999'999'999'9},
      {-3},
      {0, 1e-12, nan, 1},
  };
  for (const auto kind : {axis_scale::linear, axis_scale::logarithmic, axis_scale::nines})
    for (const auto way : {axis_way::across, axis_way::up})
      for (const auto& values : extremes) {
        INFO("kind " << static_cast<int>(kind) << ", first value "
                     << (values.empty() ? nan : values.front()));
        const auto scale = scale_of(kind, way, values);
        CHECK(scale.ticks().size() >= 2);
        CHECK(scale.ticks().size() <= 60);
        double last = -1;
        for (const auto& tick : scale.ticks()) {
          CHECK(tick.at > last);
          CHECK(tick.at >= -1e-6);
          CHECK(tick.at <= 1 + 1e-6);
          CHECK(tick.label.size() <= 16);
          last = tick.at;
        }
        for (const double value : values)
          if (plot_scale::places(value))
            CHECK((scale.at(value) >= 0 && scale.at(value) <= 1));
      }
}

TEST_CASE("only what can have been measured has a place") {
  for (const double value : {nan, infinity, -infinity, 1e151, -1e151})
    CHECK_FALSE(plot_scale::places(value));
  for (const double value : {0.0, -1.0, 1e150, 5e-324})
    CHECK(plot_scale::places(value));
}

} // namespace vicket::bench
