#include "policy/retry_schedule.hpp"

#include "tests/support/seeded_random.hpp"

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace vicket {

namespace {

constexpr std::uint64_t no_jitter = 0; // the random bits that leave the whole backoff

constexpr timestamp_ms accepted{1'000'000};

} // namespace

TEST_CASE("non-2xx responses are retried with exponential backoff") {
  struct row {
    std::uint32_t attempt_number;
    std::int64_t wait_ms;
  };
  const retry_policy defaults;
  const std::vector<row> table{
      {1, 5'000},       {2, 10'000},         {3, 20'000},
      {4, 40'000},      {5, 80'000},         {12, 10'240'000},
      {13, 20'480'000}, {14, 21'600'000},    {15, 21'600'000},
      {64, 21'600'000}, {1'000, 21'600'000}, {std::numeric_limits<std::uint32_t>::max(), 21'600'000},
  };
  for (const auto& [number, wait_ms] : table) {
    INFO("attempt " << number);
    const auto next = next_attempt_at(defaults, {number, accepted, accepted, std::nullopt, no_jitter});
    REQUIRE(next.has_value());
    CHECK(*next - accepted == wait_ms);
  }
}

TEST_CASE("only the upper half of the backoff is jittered") {
  const auto seed = Catch::getSeed();
  INFO("seed " << seed);
  seeded_random random{seed};
  retry_policy policy;
  bool lower_quarter = false;
  bool upper_quarter = false;
  for (int i = 0; i < 10'000; ++i) {
    const auto number = static_cast<std::uint32_t>(1 + random.below(20));
    const double b = std::min(21'600'000.0, 5'000 * std::pow(2.0, number - 1));
    const auto next = next_attempt_at(policy, {number, accepted, accepted, std::nullopt, random.next()});
    REQUIRE(next.has_value());
    const auto wait = static_cast<double>(*next - accepted);
    REQUIRE(wait >= b / 2);
    REQUIRE(wait <= b);
    lower_quarter |= wait < 0.6 * b;
    upper_quarter |= wait > 0.9 * b;
  }
  CHECK(lower_quarter);
  CHECK(upper_quarter);
}

TEST_CASE("due times fall on a grid, as far as jitter and Retry-After allow") {
  const retry_policy policy; // 5 s, of which the half is jittered
  const auto due = [&](timestamp_ms now, std::optional<std::int64_t> retry_after_ms, std::uint64_t random) {
    return next_attempt_at(policy, {1, now, now, retry_after_ms, random}).value();
  };
  struct row {
    std::int64_t past_grid; ///< of now
    std::optional<std::int64_t> retry_after_ms;
    std::uint64_t random; ///< how much of the wait is taken away
    std::int64_t expected;
  };
  const row table[] = {
      {0, {}, 0, 5'000},       {0, {}, 1, 4'980},     {0, {}, 20, 4'980},   {0, {}, 21, 4'960},
      {7, {}, 0, 5'000},       {7, {}, 6, 5'000},     {7, {}, 8, 4'980},    {0, {}, 2'500, 2'500},
      {7, {}, 2'500, 2'507},   {7, {}, 2'480, 2'520}, {0, 6'001, 0, 6'001}, {7, 4'990, 3, 5'000},
      {19, 4'990, 100, 5'009},
  };
  REQUIRE(accepted.value % retry_grid_ms == 0);
  for (const auto& [past_grid, retry_after_ms, random, expected] : table) {
    INFO("now at " << past_grid << " past the grid, " << random << " ms less");
    CHECK(due(accepted + past_grid, retry_after_ms, random) - accepted == expected);
  }
}

TEST_CASE("each connector has a grid of its own") {
  const retry_policy policy;
  for (std::int64_t offset = 0; offset < retry_grid_ms; ++offset)
    for (std::uint64_t random = 0; random < 100; ++random)
      for (const auto now : {accepted, timestamp_ms{-1'000'003}}) {
        INFO("offset " << offset << ", " << random << " ms less, now " << now.value);
        const auto due = next_attempt_at(policy, {1, now, now, {}, random, offset}).value();
        const auto drawn = now + (5'000 - static_cast<std::int64_t>(random));
        CHECK((due.value - offset) % retry_grid_ms == 0);
        CHECK(due <= drawn);
        CHECK(drawn - due < retry_grid_ms);
      }
}

TEST_CASE("Retry-After is a floor, itself at most the cap") {
  retry_policy policy;
  policy.cap_ms = 60'000;
  const auto wait = [&](std::int64_t retry_after_ms) {
    return next_attempt_at(policy, {1, accepted, accepted, retry_after_ms, no_jitter}).value() - accepted;
  };
  CHECK(wait(0) == 5'000);
  CHECK(wait(4'999) == 5'000);
  CHECK(wait(5'001) == 5'001);
  CHECK(wait(60'000) == 60'000);
  CHECK(wait(60'001) == 60'000);
  CHECK(wait(std::numeric_limits<std::int64_t>::max()) == 60'000);
  CHECK(wait(std::numeric_limits<std::int64_t>::min()) == 5'000);
}

TEST_CASE("an event is given up when its attempts are exhausted") {
  retry_policy policy;
  policy.max_attempts = 3;
  CHECK(next_attempt_at(policy, {1, accepted, accepted, std::nullopt, 0}).has_value());
  CHECK(next_attempt_at(policy, {2, accepted, accepted, std::nullopt, 0}).has_value());
  CHECK_FALSE(next_attempt_at(policy, {3, accepted, accepted, std::nullopt, 0}).has_value());
  CHECK_FALSE(next_attempt_at(policy, {4, accepted, accepted, std::nullopt, 0}).has_value());
  policy.max_attempts = 0;
  CHECK(next_attempt_at(policy, {1'000'000, accepted, accepted, std::nullopt, 0}).has_value());
}

TEST_CASE("an event is given up when the next attempt would come after its greatest age") {
  const retry_policy policy; // 72 h
  const auto last_chance = accepted + policy.max_age_ms;
  CHECK(next_attempt_at(policy, {1, accepted, last_chance - 5'000, std::nullopt, no_jitter}) == last_chance);
  CHECK_FALSE(
      next_attempt_at(policy, {1, accepted, last_chance - 4'980, std::nullopt, no_jitter}).has_value());
  // A floor that leads beyond it too.
  CHECK_FALSE(next_attempt_at(policy, {1, accepted, last_chance - 6'000, 7'000, no_jitter}).has_value());
  // A clock that went back behind the acceptance only delays.
  CHECK(next_attempt_at(policy, {1, accepted, accepted - 500'000, std::nullopt, no_jitter}) ==
        accepted - 495'000);
}

TEST_CASE("no policy and no time overflows the schedule") {
  const auto seed = Catch::getSeed();
  INFO("seed " << seed);
  seeded_random random{seed};
  const timestamp_ms far{std::numeric_limits<std::int64_t>::max() - 10};
  for (const double factor : {1.0, 1.5, 2.0, 100.0, 1e300, std::numeric_limits<double>::infinity(),
                              std::numeric_limits<double>::quiet_NaN()}) {
    for (const std::uint32_t number : {0U, 1U, 2U, 63U, 64U, 65U, 1'000'000U, 0xffffffffU}) {
      INFO("factor " << factor << ", attempt " << number);
      const retry_policy policy{86'400'000, factor, 604'800'000, 0, std::numeric_limits<std::int64_t>::max()};
      const auto next = next_attempt_at(policy, {number, accepted, accepted, std::nullopt, random.next()});
      REQUIRE(next.has_value());
      CHECK(*next - accepted >= 43'200'000);
      CHECK(*next - accepted <= 604'800'000);
      CHECK(next_attempt_at(policy, {number, far, far, std::nullopt, random.next()}).value() >= far);
    }
  }
}

} // namespace vicket
