#include "actors/intake_gauge.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <vector>

using namespace vicket;

TEST_CASE("a reader of the gauge hears each duration once, and the last ones when it comes too late") {
  intake_gauge gauge;
  std::vector<std::int64_t> heard;
  const auto read = [&](std::uint64_t from) {
    heard.clear();
    return gauge.read_on({from, 0}, [&](std::int64_t duration_us) { heard.push_back(duration_us); })
        .durations;
  };
  CHECK(read(0) == 0);
  CHECK(heard.empty());
  gauge.took(7, 1);
  gauge.took(8, 1);
  CHECK(read(0) == 2);
  CHECK(heard == std::vector<std::int64_t>{7, 8});
  CHECK(read(2) == 2);
  CHECK(heard.empty());
  for (std::int64_t i = 0; i < 100; ++i)
    gauge.took(i, 1);
  CHECK(read(2) == 102);
  REQUIRE(heard.size() == intake_gauge::kept);
  CHECK(heard.front() == 100 - static_cast<std::int64_t>(intake_gauge::kept));
  CHECK(heard.back() == 99);
  gauge.took(5, 1);
  CHECK(read(102) == 103);
  CHECK(heard == std::vector<std::int64_t>{5});
  gauge.took(6, 1'000);
  CHECK(gauge.read_on({}, [](std::int64_t) {}).events == 1'103);
}
