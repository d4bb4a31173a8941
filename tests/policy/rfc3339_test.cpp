#include "policy/rfc3339.hpp"

#include "tests/support/seeded_random.hpp"

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace std::literals;

namespace vicket {

TEST_CASE("an RFC 3339 time is read with any offset and fraction and written in UTC with milliseconds") {
  struct row {
    std::string_view text;
    std::string_view shown;
  };
  const std::vector<row> table{
      {"2026-05-23T14:21:11.412Z", "2026-05-23T14:21:11.412Z"},
      {"2026-05-23t14:21:11.412z", "2026-05-23T14:21:11.412Z"},
      {"2026-05-23T14:21:11Z", "2026-05-23T14:21:11.000Z"},
      {"2026-05-23T14:21:11.4Z", "2026-05-23T14:21:11.400Z"},
      {"2026-05-23T14:21:11.4129999999999999999999Z", "2026-05-23T14:21:11.412Z"},
      {"2026-05-23T14:21:11.0009Z", "2026-05-23T14:21:11.000Z"},
      {"2026-05-23T14:21:11+02:00", "2026-05-23T12:21:11.000Z"},
      {"2026-05-23T14:21:11-07:30", "2026-05-23T21:51:11.000Z"},
      {"2026-05-23T14:21:11-00:00", "2026-05-23T14:21:11.000Z"},
      {"2026-01-01T00:00:00+23:59", "2025-12-31T00:01:00.000Z"},
      {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"},
      {"1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"},
      {"1969-12-31T23:59:59.001Z", "1969-12-31T23:59:59.001Z"},
      {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"},
      {"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"},
      {"2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000Z"},
      {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"},
      {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"},
      {"2016-12-31T23:59:60.5Z", "2017-01-01T00:00:00.500Z"},
      {"2017-01-01T01:59:60+02:00", "2017-01-01T00:00:00.000Z"},
  };
  for (const auto& [text, shown] : table) {
    INFO(text);
    const auto time = parse_rfc3339(text);
    REQUIRE(time.has_value());
    CHECK(format_rfc3339(*time) == shown);
  }
  CHECK(parse_rfc3339("2026-05-23T14:21:11.412Z") == timestamp_ms{1'779'546'071'412});
  CHECK(parse_rfc3339("0001-01-01T00:00:00Z") == min_rfc3339);
  CHECK(parse_rfc3339("9999-12-31T23:59:59.999Z") == max_rfc3339);
}

TEST_CASE("what is no RFC 3339 time is refused") {
  for (const auto text : {""sv,
                          "2026"sv,
                          "2026-05-23"sv,
                          "2026-05-23T14:21:11"sv,
                          "2026-05-23 14:21:11Z"sv,
                          "2026-05-23T14:21Z"sv,
                          "2026-5-23T14:21:11Z"sv,
                          "26-05-23T14:21:11Z"sv,
                          "+2026-05-23T14:21:11Z"sv,
                          "2026-05-23T14:21:11.Z"sv,
                          "2026-05-23T14:21:11,5Z"sv,
                          "2026-05-23T14:21:11.5"sv,
                          "2026-05-23T14:21:11 Z"sv,
                          "2026-05-23T14:21:11ZZ"sv,
                          "2026-05-23T14:21:11Z\0"sv,
                          "2026-05-23T14:21:11+0200"sv,
                          "2026-05-23T14:21:11+02"sv,
                          "2026-05-23T14:21:11+24:00"sv,
                          "2026-05-23T14:21:11+02:60"sv,
                          "2026-05-23T14:21:11+2:00"sv,
                          "2026-00-23T14:21:11Z"sv,
                          "2026-13-23T14:21:11Z"sv,
                          "2026-05-00T14:21:11Z"sv,
                          "2026-05-32T14:21:11Z"sv,
                          "2026-02-29T14:21:11Z"sv,
                          "1900-02-29T14:21:11Z"sv,
                          "2026-04-31T14:21:11Z"sv,
                          "2026-05-23T24:00:00Z"sv,
                          "2026-05-23T14:60:11Z"sv,
                          "2026-05-23T14:21:61Z"sv,
                          "2026-05-23T14:21:60Z"sv,
                          "2016-12-31T23:59:60+01:00"sv,
                          "0000-01-01T00:00:00Z"sv,
                          "10000-01-01T00:00:00Z"sv,
                          "0001-01-01T00:00:00+00:01"sv,
                          "9999-12-31T23:59:59-00:01"sv,
                          "9999-12-31T23:59:60Z"sv,
                          "2026-05-23T-1:21:11Z"sv,
                          "2026/05/23T14:21:11Z"sv,
                          "2026-05-23T14.21.11Z"sv,
                          "-026-05-23T14:21:11Z"sv,
                          "2026-05-23T14:21:11\xe2\x88\x92"
                          "02:00"sv}) {
    INFO(text);
    CHECK_FALSE(parse_rfc3339(text).has_value());
  }
}

TEST_CASE("a time that is written reads back the same") {
  const auto seed = Catch::getSeed();
  INFO("seed " << seed);
  seeded_random random{seed};
  const auto span = static_cast<std::uint64_t>(max_rfc3339 - min_rfc3339) + 1;
  for (int i = 0; i < 20'000; ++i) {
    const timestamp_ms time = min_rfc3339 + static_cast<std::int64_t>(random.below(span));
    const auto text = format_rfc3339(time);
    REQUIRE(text.size() == 24);
    REQUIRE(parse_rfc3339(text) == time);
  }
}

TEST_CASE("a time that RFC 3339 cannot write is shown as the nearest that it can") {
  CHECK(format_rfc3339(max_rfc3339 + 1) == "9999-12-31T23:59:59.999Z");
  CHECK(format_rfc3339(min_rfc3339 - 1) == "0001-01-01T00:00:00.000Z");
}

} // namespace vicket
