#include "policy/retry_after.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace std::literals;

namespace vicket {

namespace {

constexpr timestamp_ms now{784'111'777'000}; // Sun, 06 Nov 1994 08:49:37 GMT

std::string shown(std::optional<std::int64_t> wait_ms) {
  return wait_ms ? std::to_string(*wait_ms) : "nothing";
}

} // namespace

TEST_CASE("Retry-After is read where it can be meant in one way only") {
  struct row {
    std::string_view value;
    std::int64_t wait_ms;
  };
  const std::vector<row> table{
      // RFC 9110: delta-seconds
      {"0", 0},
      {"1", 1'000},
      {"120", 120'000},
      {"  120\t", 120'000},
      {"007", 7'000},
      {"31622400", retry_after_limit_ms},
      {"31622401", retry_after_limit_ms},
      {"9223372036854775807", retry_after_limit_ms},
      {"99999999999999999999", retry_after_limit_ms}, // 20 nines
      {"99999999999999999999999999999999999999", retry_after_limit_ms},
      // numbers as programs print them
      {"30.0", 30'000},
      {"30.", 30'000},
      {"0.5", 500},
      {".5", 500},
      {"29.9999", 30'000},
      {"1.1", 1'100},
      {"0.0001", 1},
      {"+5", 5'000},
      {"-5", 0},
      {"-0.5", 0},
      {"\"30\"", 30'000},
      {"'30'", 30'000},
      {"\" 30 \"", 30'000},
      // with a unit
      {"30s", 30'000},
      {"30 s", 30'000},
      {"30S", 30'000},
      {"30 seconds", 30'000},
      {"1 second", 1'000},
      {"5sec", 5'000},
      {"500ms", 500},
      {"1.5s", 1'500},
      {"2m", 120'000},
      {"2 minutes", 120'000},
      {"1h", 3'600'000},
      {"1 Hour", 3'600'000},
      {"1m0s", 60'000}, // Go's time.Duration
      {"1h0m0s", 3'600'000},
      {"1m29.5s", 89'500},
      {"1m 30s", 90'000},
      // two equal fields
      {"30, 30", 30'000},
      {"30,30.0, 30s", 30'000},
      // RFC 9110: HTTP dates
      {"Sun, 06 Nov 1994 08:49:37 GMT", 0},
      {"Sun, 06 Nov 1994 08:49:38 GMT", 1'000},
      {"Sun, 06 Nov 1994 08:50:07 GMT", 30'000},
      {"Mon, 07 Nov 1994 08:49:37 GMT", 86'400'000},
      {"Sat, 05 Nov 1994 08:49:37 GMT", 0},
      {"Fri, 31 Dec 9999 23:59:59 GMT", retry_after_limit_ms},
      {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
      {"Sunday, 06-Nov-94 08:49:40 GMT", 3'000},
      {"Sunday, 06-Nov-93 08:49:40 GMT", 0},
      {"Monday, 06-Nov-44 08:49:40 GMT", 0}, // 1944
      {"Sun Nov  6 08:49:41 1994", 4'000},
      {"Wed Nov 16 08:49:37 1994", 864'000'000},
      {"Sat, 31 Dec 1994 23:59:60 GMT", 4'806'623'000},
      // other zones
      {"Sun, 06 Nov 1994 08:50:07 UTC", 30'000},
      {"Sun, 06 Nov 1994 08:50:07 UT", 30'000},
      {"Sun, 06 Nov 1994 08:50:07 Z", 30'000},
      {"Sun, 06 Nov 1994 08:50:07 +0000", 30'000},
      {"Sun, 06 Nov 1994 08:50:07 -0000", 30'000},
      {"Sun, 06 Nov 1994 08:50:07 +00:00", 30'000},
      {"Sun, 06 Nov 1994 10:50:07 +0200", 30'000},
      {"Sun, 06 Nov 1994 03:20:07 -0530", 30'000},
      {"Sun, 06 Nov 1994 08:50:07 GMT+0000", 30'000},
      {"Sun, 06 Nov 1994 10:50:07 GMT+02:00", 30'000},
      {"Sun, 06 Nov 1994 08:50:07GMT", 30'000},
      // other forms of the same fields
      {"Sun, 6 Nov 1994 08:50:07 GMT", 30'000},
      {"Sun,  6 Nov 1994 08:50:07 GMT", 30'000},
      {"sun, 06 nov 1994 08:50:07 gmt", 30'000},
      {"SUN, 06 NOV 1994 08:50:07 GMT", 30'000},
      {"Sunday, 06 November 1994 08:50:07 GMT", 30'000},
      {"Tues, 06 Sept 1994 08:50:07 GMT", 0},
      {"Sun 06 Nov 1994 08:50:07 GMT", 30'000},
      {"Sun,06 Nov 1994 08:50:07 GMT", 30'000},
      {"06 Nov 1994 08:50:07 GMT", 30'000},
      {"6 Nov 94 08:50 UT", 23'000},             // RFC 822
      {"Sun, 06-Nov-1994 08:50:07 GMT", 30'000}, // cookies
      {"Sun, 06 Nov 1994 8:50:07 GMT", 30'000},
      {"Sun, 06 Nov 1994 08:50:07.250 GMT", 30'000},
      {"Wed, 06 Nov 1994 08:50:07 GMT", 30'000}, // a Sunday
      {"\"Sun, 06 Nov 1994 08:50:07 GMT\"", 30'000},
      {"Sun Nov 6 08:50:07 1994", 30'000},
      {"Nov 6 08:50:07 1994", 30'000},
      {"Sun Nov  6 08:50:07 UTC 1994", 30'000},                                   // date(1)
      {"Sun Nov 06 1994 08:50:07 GMT+0000 (Coordinated Universal Time)", 30'000}, // JavaScript
      {"Sun Nov 06 1994 10:50:07 GMT+0200 (CEST)", 30'000},
      {"November 6, 1994 08:50:07 UTC", 30'000},
      // RFC 3339 and what is near it
      {"1994-11-06T08:50:07Z", 30'000},
      {"1994-11-06t08:50:07.123z", 30'000},
      {"1994-11-06T10:50:07+02:00", 30'000},
      {"1994-11-06T08:50:07+0000", 30'000},
      {"1994-11-06 08:50:07 UTC", 30'000},
      {"1994-11-06 08:50:07Z", 30'000},
  };
  for (const auto& [value, wait_ms] : table) {
    const auto got = parse_retry_after(value, now);
    INFO('"' << value << "\", got " << shown(got));
    CHECK(got == wait_ms);
  }
}

TEST_CASE("Retry-After that can be meant in no way, or in several, counts as absent") {
  struct row {
    std::string_view value;
    std::string_view why;
  };
  const std::vector<row> table{
      {"", "nothing"},
      {" ", "nothing"},
      {"\"\"", "nothing"},
      {"-", "no number"},
      {".", "no number"},
      {"--5", "no number"},
      {"+-5", "no number"},
      {"soon", "no number"},
      {"null", "no number"},
      {"undefined", "no number"},
      {"NaN", "no number"},
      {"Infinity", "no number"},
      {"5\0"sv, "a control character"},
      {"\"30", "half a quotation"},
      {"0x10", "of another base"},
      {"1e3", "an exponent: more likely a number that went wrong than seconds"},
      {"1,5", "a decimal comma, or two waits"},
      {"1.000.000", "two points"},
      {"5, 6", "two waits that differ"},
      {"5 6", "two waits"},
      {"5;6", "two waits"},
      {"30,", "half a list"},
      {"1m 30", "30 of what"},
      {"30 fortnights", "no unit of ours"},
      {"30 d", "no unit of ours"},
      {"in 30 s", "prose"},
      {"30 s ago", "prose"},
      {"Sun, 06 Nov 1994 08:49:37", "no zone"},
      {"1994-11-06T08:49:37", "no zone"},
      {"Sun Nov 06 1994 08:49:37", "no zone, and not asctime's order"},
      {"Sun, 06 Nov 1994 08:49:37 EST", "a zone that is several"},
      {"Sun, 06 Nov 1994 08:49:37 CET", "a zone by its name"},
      {"Sun, 06 Nov 1994 08:49:37 GMT+1", "an offset whose sign is read in two ways"},
      {"Sun, 06 Nov 1994 08:49:37 +9900", "no such offset"},
      {"Sun, 06 Nov 1994 08:49:37 PM GMT", "a clock of twelve hours"},
      {"Sun, 31 Feb 1994 08:49:37 GMT", "no such day"},
      {"Sun, 00 Nov 1994 08:49:37 GMT", "no such day"},
      {"1994-13-06T08:49:37Z", "no such month"},
      {"1994-00-06T08:49:37Z", "no such month"},
      {"Sun, 06 Nov 1994 24:49:37 GMT", "no such hour"},
      {"Sun, 06 Nov 1994 08:60:37 GMT", "no such minute"},
      {"Sun, 06 Nov 1994 08:49:61 GMT", "no such second"},
      {"Sun, 06 Nov 1994 GMT", "no time"},
      {"Sun, 06 Nov 1994 08 GMT", "no minutes"},
      {"Sun, 06 Nov 994 08:49:37 GMT", "a year of three digits"},
      {"Sun, Nov 1994 08:49:37 GMT", "no day"},
      {"Sun, 06 1994 08:49:37 GMT", "no month"},
      {"06/11/1994 08:49:37 GMT", "the 6th of November, or the 11th of June"},
      {"11-06-1994 08:49:37 GMT", "the 6th of November, or the 11th of June"},
      {"19941106T084937Z", "digits only"},
      {"dim., 06 nov. 1994 08:49:37 GMT", "not English"},
      {"S, 06 Nov 1994 08:49:37 GMT", "two days of the week"},
      {"Sun, 06 Ju 1994 08:49:37 GMT", "two months"},
      {"Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT", "two dates"},
      {"Sun, 06 Nov 1994 08:49:37 GMT; 5", "more than a date"},
      {"<06 Nov 1994 08:49:37 GMT>", "other brackets"},
  };
  for (const auto& [value, why] : table) {
    const auto got = parse_retry_after(value, now);
    INFO('"' << value << "\": " << why << "; got " << shown(got));
    CHECK(!got);
  }
}

TEST_CASE("a two-digit year is the one within the next 50 years, else the last past one") {
  constexpr timestamp_ms start_of_2026{1'767'225'600'000};
  CHECK(parse_retry_after("Thursday, 01-Jan-26 00:00:09 GMT", start_of_2026) == 9'000);
  CHECK(parse_retry_after("Wednesday, 01-Jan-76 00:00:00 GMT", start_of_2026) == retry_after_limit_ms);
  CHECK(parse_retry_after("Saturday, 01-Jan-77 00:00:00 GMT", start_of_2026) == 0);
  CHECK(parse_retry_after("Friday, 01-Jan-99 00:00:00 GMT", start_of_2026) == 0);
}

TEST_CASE(
    "what is made of Retry-After: a floor for the event, and with 429 and 503 a hold of the connector") {
  constexpr std::int64_t minute = 60'000;
  constexpr std::int64_t hour = 60 * minute;
  retry_policy policy; // cap 6 h, age 72 h
  struct row {
    std::string_view heard;
    std::optional<std::uint16_t> status;
    std::optional<std::int64_t> floor_ms;
    std::optional<std::int64_t> hold_ms;
  };
  constexpr auto nothing = std::nullopt;
  const std::vector<row> table{
      {"30", 429, 30'000, 30'000},
      {"30", 503, 30'000, 30'000},
      {"30.0", 429, 30'000, 30'000},
      {"Sun, 6 Nov 1994 08:50:07 UTC", 503, 30'000, 30'000},
      {"600", 429, 10 * minute, 10 * minute},
      {"601", 429, 601'000, 10 * minute},
      {"3600", 503, hour, 10 * minute},
      {"86400", 503, 6 * hour, 10 * minute}, // the cap
      {"259200", 429, 6 * hour, 10 * minute},
      {"259201", 429, nothing, nothing}, // beyond max_age_ms
      {"30", 500, 30'000, nothing},
      {"30", 301, 30'000, nothing},
      {"30", 408, 30'000, nothing},
      {"30", 502, 30'000, nothing},
      {"30", nothing, 30'000, nothing},
      {"0", 429, 0, nothing},
      {"-1", 503, 0, nothing},
      {"Sat, 05 Nov 1994 08:49:37 GMT", 429, 0, nothing},
      {"784111807", 429, nothing, nothing},            // a Unix time, 30 s ahead
      {"784111807000", 429, nothing, nothing},         // in milliseconds
      {"99999999999999999999", 503, nothing, nothing}, // 20 nines
      {"Fri, 31 Dec 9999 23:59:59 GMT", 503, nothing, nothing},
      {"soon", 429, nothing, nothing},
      {"", 429, nothing, nothing},
  };
  for (const auto& [heard, status, floor_ms, hold_ms] : table) {
    INFO('"' << heard << "\" with " << status.value_or(0));
    const auto hint = heed_retry_after(heard, status, policy, now);
    CHECK(hint.heard == heard);
    CHECK(hint.not_before == (floor_ms ? std::optional{now + *floor_ms} : std::nullopt));
    CHECK(hint.held_until == (hold_ms ? std::optional{now + *hold_ms} : std::nullopt));
  }
  CHECK(heed_retry_after(std::string(1'000, '9'), 429, policy, now).heard.size() ==
        retry_hint::max_heard_bytes);
  policy.max_age_ms = 20'000;
  CHECK(!heed_retry_after("30", 429, policy, now).held_until);
}

} // namespace vicket
