#include "policy/retry_after.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

using namespace std::literals;

namespace vicket {

TEST_CASE("Retry-After is read as seconds or as a date, and garbage is none") {
  constexpr timestamp_ms now{784'111'777'000}; // Sun, 06 Nov 1994 08:49:37 GMT
  constexpr auto nothing = std::nullopt;
  struct row {
    std::string_view value;
    std::optional<std::int64_t> wait_ms;
  };
  const std::vector<row> table{
      {"0", 0},
      {"1", 1'000},
      {"120", 120'000},
      {"  120\t", 120'000},
      {"007", 7'000},
      {"-5", 0},
      {"31622400", retry_after_limit_ms},
      {"31622401", retry_after_limit_ms},
      {"9223372036854775807", retry_after_limit_ms},
      {"99999999999999999999999999999999999999", retry_after_limit_ms},
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
      {"", nothing},
      {" ", nothing},
      {"-", nothing},
      {"--5", nothing},
      {"+5", nothing},
      {"1.5", nothing},
      {"5s", nothing},
      {"0x10", nothing},
      {"1e3", nothing},
      {"soon", nothing},
      {"5, 6", nothing},
      {"1994-11-06T08:49:37Z", nothing},
      {"Sun, 06 Nov 1994 08:49:37", nothing},
      {"Sun, 06 Nov 1994 08:49:37 UTC", nothing},
      {"Sun, 06 Nov 1994 08:49:37 GMT+1", nothing},
      {"Sun, 31 Feb 1994 08:49:37 GMT", nothing},
      {"Sun, 06 Nov 1994 24:49:37 GMT", nothing},
      {"Sun, 06 Nov 1994 08:60:37 GMT", nothing},
      {"Sun, 06 Nov 1994 08:49:61 GMT", nothing},
      {"Sun, 6 Nov 1994 08:49:37 GMT", nothing},
      {"sun, 06 nov 1994 08:49:37 gmt", nothing},
      {"5\0"sv, nothing},
  };
  for (const auto& [value, wait_ms] : table) {
    INFO('"' << value << '"');
    const auto got = parse_retry_after(value, now);
    INFO("got " << (got ? *got : -1));
    CHECK(got == wait_ms);
  }
}

TEST_CASE("a two-digit year is the one within the next 50 years, else the last past one") {
  constexpr timestamp_ms start_of_2026{1'767'225'600'000};
  CHECK(parse_retry_after("Thursday, 01-Jan-26 00:00:09 GMT", start_of_2026) == 9'000);
  CHECK(parse_retry_after("Wednesday, 01-Jan-76 00:00:00 GMT", start_of_2026) == retry_after_limit_ms);
  CHECK(parse_retry_after("Saturday, 01-Jan-77 00:00:00 GMT", start_of_2026) == 0);
  CHECK(parse_retry_after("Friday, 01-Jan-99 00:00:00 GMT", start_of_2026) == 0);
}

} // namespace vicket
