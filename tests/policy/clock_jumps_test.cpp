#include "policy/clock_jumps.hpp"

#include "policy/schedule_clock.hpp"
#include "tests/support/manual_clock.hpp"

#include <catch2/catch_test_macros.hpp>

namespace vicket {

namespace {

constexpr timestamp_ms noon{1'000'000'000};

} // namespace

TEST_CASE("a jump counts for what was accepted before it, and for nothing else") {
  clock_jumps jumps;
  CHECK(jumps.since_ms(noon) == 0);
  jumps.add(noon, 50'000);
  jumps.add(noon + 100'000, 7'000);
  struct row {
    std::int64_t accepted_after_noon_ms;
    std::int64_t jumps_ms;
  };
  const row table[] = {
      {-1'000'000, 57'000}, {0, 57'000},      {1, 7'000}, // stamped within a jump: by an earlier process, rightly
      {50'000, 7'000},      {100'000, 7'000}, {100'001, 0}, {107'000, 0},
  };
  for (const auto& [after_ms, expected_ms] : table) {
    INFO(after_ms);
    CHECK(jumps.since_ms(noon + after_ms) == expected_ms);
  }
}

TEST_CASE("of many jumps the oldest become one, so that no event is given up early for it") {
  clock_jumps jumps;
  constexpr auto made = static_cast<std::int64_t>(clock_jumps::max_jumps) + 3;
  for (std::int64_t i = 0; i < made; ++i)
    jumps.add(noon + 10'000 * i, 2'000);
  CHECK(jumps.since_ms(noon) == 2'000 * made);
  for (std::int64_t i = 0; i <= made; ++i) {
    INFO(i);
    CHECK(jumps.since_ms(noon + 10'000 * i) >= 2'000 * (made - i));
    if (i > 3)
      CHECK(jumps.since_ms(noon + 10'000 * i) == 2'000 * (made - i));
  }
}

TEST_CASE("the schedule's clock makes a jump of a second or more, and of nothing less") {
  testing::manual_clock wall;
  const schedule_clock schedule{wall};
  const auto accepted_at = schedule.now();
  const auto jumps_ms = [&] {
    (void)schedule.now();
    return schedule.jumps().since_ms(accepted_at);
  };
  wall.advance_ms(5'000'000); // time that goes by is none, however long nobody looks
  CHECK(jumps_ms() == 0);
  wall.set_wall_forward_ms(999);
  CHECK(jumps_ms() == 0);
  wall.set_wall_forward_ms(1'000);
  CHECK(jumps_ms() == 1'000);
  wall.advance_ms(60'000);
  wall.set_wall_forward_ms(86'400'000);
  CHECK(jumps_ms() == 86'401'000);
  CHECK(schedule.jumps().since_ms(schedule.now()) == 0);
  // Set back it goes on slowly; what it catches up with when that is put right again is no more than a jump either.
  wall.set_wall_forward_ms(-3'600'000);
  CHECK(jumps_ms() == 86'401'000);
  wall.set_wall_forward_ms(3'600'000);
  CHECK(jumps_ms() == 86'401'000);
}

} // namespace vicket
