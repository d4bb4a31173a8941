#include "bench/report/measure_text.hpp"

#include <catch2/catch_test_macros.hpp>

#include <limits>
#include <string_view>
#include <vector>

namespace vicket::bench {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

} // namespace

TEST_CASE("a number is shown with the digits that tell something, and with all of its whole part") {
  struct row {
    double value;
    int significant;
    std::string_view shown;
  };
  const std::vector<row> table{
      {0, 3, "0"},
      {-0.0, 3, "0"},
      {1, 3, "1.00"},
      {0.4306, 3, "0.431"},
      {0.04306, 3, "0.0431"},
      {9.994, 3, "9.99"},
      {9.996, 3, "10.0"},
      {99.96, 3, "100"},
      {999.4, 3, "999"},
      {999.6, 3, "1,000"},
      {12'431.7, 3, "12,432"},
      {1'234'567, 3, "1,234,567"},
      {-1'234.5, 3, "-1,234"},
      {-123.4, 3, "-123"},
      {123'456.789, 8, "123,456.79"},
      {0.000'001, 3, "0.00000100"},
      {0.000'000'5, 3, "5.00e-07"},
      {999'999'999'999'999, 3, "999,999,999,999,999"},
      {1e15, 3, "1.00e+15"},
      {1.7e308, 2, "1.7e+308"},
      {0.5, 0, "0.5"},
      {0.1, 99, "0.10000000000000001"},
      {nan, 3, "n/a"},
      {infinity, 3, "n/a"},
      {-infinity, 3, "n/a"},
  };
  for (const auto& [value, significant, shown] : table) {
    INFO(value << " with " << significant << " digits");
    CHECK(show_number(value, significant) == shown);
  }
}

TEST_CASE("a bound is shown as it was written") {
  const std::vector<std::pair<double, std::string_view>> table{
      {0.35, "0.35"}, {0.5, "0.5"},       {1.5, "1.5"},     {2, "2"},
      {10, "10"},     {100, "100"},       {1'000, "1,000"}, {1'000'000, "1,000,000"},
      {0, "0"},       {0.1 + 0.2, "0.3"}, {1.25, "1.25"},   {nan, "n/a"}};
  for (const auto& [value, shown] : table) {
    INFO(value);
    CHECK(show_bound(value) == shown);
  }
}

TEST_CASE("a measure is shown in the unit that makes it a handy number") {
  struct row {
    double value;
    std::string_view unit;
    std::string_view shown;
  };
  const std::vector<row> table{
      {0.4306, "1", "0.431"},
      {23.84, "us", "23.8 µs"},
      {0.42, "us", "0.420 µs"},
      {1'500, "us", "1.50 ms"},
      {999.4, "us", "999 µs"},
      {999.6, "us", "1.00 ms"},
      {0.85, "ms", "850 µs"},
      {11.42, "ms", "11.4 ms"},
      {12'300, "ms", "12.3 s"},
      {0, "ms", "0 ms"},
      {0, "s", "0 s"},
      {0.42, "s", "420 ms"},
      {95, "s", "95.0 s"},
      {1'234, "s", "1,234 s"},
      {712, "bytes", "712 B"},
      {0, "bytes", "0 B"},
      {61'440, "bytes", "61.4 KB"},
      {131.4e6, "bytes", "131 MB"},
      {24e9, "bytes", "24.0 GB"},
      {3e15, "bytes", "3,000 TB"},
      {12'431.7, "/s", "12,432/s"},
      {1.27, "%", "1.27 %"},
      {5e6, "events", "5,000,000 events"},
      {182'431, "instructions", "182,431 instructions"},
      {-3, "ms", "-3.00 ms"},
      {2, "", "2.00"},
      {2, "parsecs", "2.00 parsecs"},
      {nan, "ms", "n/a"},
      {infinity, "bytes", "n/a"},
  };
  for (const auto& [value, unit, shown] : table) {
    INFO(value << ' ' << unit);
    CHECK(show_measure(value, unit) == shown);
  }
}

TEST_CASE("how long something took is shown in seconds and minutes") {
  CHECK(show_took(0) == "0.0 s");
  CHECK(show_took(0.84) == "0.8 s");
  CHECK(show_took(9.94) == "9.9 s");
  CHECK(show_took(9.96) == "10 s");
  CHECK(show_took(59.4) == "59 s");
  CHECK(show_took(59.6) == "1 min 0 s");
  CHECK(show_took(552) == "9 min 12 s");
  CHECK(show_took(-1) == "n/a");
  CHECK(show_took(nan) == "n/a");
  CHECK(show_took(infinity) == "n/a");
}

} // namespace vicket::bench
