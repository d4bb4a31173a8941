#include "apps/memory_keeper.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>

using namespace vicket;

namespace {

constexpr std::size_t mb = 1u << 20;

/// Intervals until it is worth it; 0: it is not within a hundred.
int intervals_until_worth_it(trim_schedule& schedule, std::size_t resident_bytes, std::size_t users = 10) {
  for (int i = 1; i <= 100; ++i)
    if (schedule.worth_it(resident_bytes, users))
      return i;
  return 0;
}

} // namespace

TEST_CASE("memory is given back when the process has grown by enough, and is at rest") {
  trim_schedule schedule{100 * mb};
  CHECK(intervals_until_worth_it(schedule, 50 * mb) == 0);
  CHECK(intervals_until_worth_it(schedule, 163 * mb) == 0);
  CHECK(intervals_until_worth_it(schedule, 164 * mb) == 1); // 1 MB more than before
  schedule.done(164 * mb, 100 * mb);
  CHECK(intervals_until_worth_it(schedule, 600 * mb) == 2); // it has just grown
  schedule.done(600 * mb, 270 * mb);
  CHECK(intervals_until_worth_it(schedule, 270 * mb) ==
        1); // it was worth it: the rest may have been freed meanwhile
  schedule.done(270 * mb, 60 * mb);
  CHECK(intervals_until_worth_it(schedule, 123 * mb) == 0); // from its smallest size
  CHECK(intervals_until_worth_it(schedule, 124 * mb) == 1);
}

TEST_CASE("a process whose size goes up and down is at work, and keeps its memory") {
  trim_schedule schedule{100 * mb};
  for (int i = 0; i < 50; ++i) {
    CHECK_FALSE(schedule.worth_it(300 * mb, 10));
    CHECK_FALSE(schedule.worth_it(320 * mb, 10));
  }
}

TEST_CASE("memory that is in use is looked at ever more rarely, until some was freed") {
  trim_schedule schedule{100 * mb};
  CHECK_FALSE(schedule.worth_it(600 * mb, 10));
  for (const int expected : {1, 2, 4, 8, 16, 32, 64, 64}) {
    CHECK(intervals_until_worth_it(schedule, 600 * mb) == expected);
    schedule.done(600 * mb, 600 * mb);
  }
  CHECK(intervals_until_worth_it(schedule, 600 * mb) == 64);
  schedule.done(600 * mb, 300 * mb);
  CHECK(intervals_until_worth_it(schedule, 300 * mb) == 1);
}

TEST_CASE("when many of those who use it are gone memory is looked at at once") {
  trim_schedule schedule{100 * mb};
  CHECK_FALSE(schedule.worth_it(600 * mb, 100'000)); // it has just grown
  for (const int expected : {1, 2, 4, 8}) {
    CHECK(intervals_until_worth_it(schedule, 600 * mb, 100'000) == expected);
    schedule.done(600 * mb, 600 * mb);
  }
  CHECK_FALSE(schedule.worth_it(600 * mb, 75'001));
  CHECK(schedule.worth_it(600 * mb, 75'000)); // a quarter
  schedule.done(600 * mb, 599 * mb);
  CHECK_FALSE(schedule.worth_it(599 * mb, 56'251));
  CHECK(intervals_until_worth_it(schedule, 599 * mb, 56'251) == 1); // the second of two
  schedule.done(599 * mb, 598 * mb);
  CHECK(intervals_until_worth_it(schedule, 598 * mb, 0) == 1);
}

TEST_CASE("those who came and went between two looks count as well") {
  trim_schedule schedule{100 * mb};
  CHECK_FALSE(schedule.worth_it(600 * mb, 10));
  for (int i = 0; i < 7; ++i) {
    CHECK(intervals_until_worth_it(schedule, 600 * mb) == 1 << i);
    schedule.done(600 * mb, 600 * mb);
  }
  CHECK_FALSE(schedule.worth_it(900 * mb, 100'000)); // they come
  CHECK_FALSE(schedule.worth_it(950 * mb, 10));      // and go, while it is at work
  CHECK(schedule.worth_it(950 * mb, 10));
}

TEST_CASE("a few that are gone are no reason to look") {
  trim_schedule schedule{100 * mb};
  CHECK_FALSE(schedule.worth_it(600 * mb, 1'500));
  CHECK(schedule.worth_it(600 * mb, 1'500));
  schedule.done(600 * mb, 600 * mb);
  CHECK_FALSE(schedule.worth_it(600 * mb, 501)); // a quarter, and less than a thousand
  CHECK(schedule.worth_it(600 * mb, 500));
}

TEST_CASE("the memory keeper ends at once when its node does") {
  CHECK(resident_bytes() > 0);
  const auto began = std::chrono::steady_clock::now();
  {
    memory_keeper keeper{[] { return std::size_t{0}; }};
  }
  CHECK(std::chrono::steady_clock::now() - began <
        memory_keeper::interval); // it did not wait for its next look
}
