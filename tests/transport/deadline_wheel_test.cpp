#include "transport/deadline_wheel.hpp"

#include <catch2/catch_test_macros.hpp>

#include <deque>
#include <random>
#include <string>
#include <vector>

using namespace vicket;
using namespace std::chrono_literals;

namespace {

using time_point = deadline_wheel::time_point;

/// Notes when it fired.
struct watched_deadline {
  explicit watched_deadline(const time_point& clock) : now{clock} {}
  const time_point& now;
  std::vector<time_point> fired;
  deadline_wheel::entry entry{this, [](void* self) {
                                auto& d = *static_cast<watched_deadline*>(self);
                                d.fired.push_back(d.now);
                              }};
};

} // namespace

TEST_CASE("no deadline fires early, each fires within a tick, and a removed one never", "[transport]") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random{seed};
  const auto begin = time_point{} + 12'345'678us;
  auto now = begin;
  deadline_wheel wheel{now};
  std::deque<watched_deadline> deadlines;
  std::vector<time_point> due;
  for (int i = 0; i < 2'000; ++i) { // up to 30 s: further than the wheel is long
    due.push_back(begin + std::chrono::microseconds{std::uniform_int_distribution{0, 30'000'000}(random)});
    deadlines.emplace_back(now);
    wheel.add(deadlines.back().entry, due.back());
  }
  for (std::size_t i = 0; i < deadlines.size(); i += 3)
    wheel.remove(deadlines[i].entry);
  while (now < begin + 31s) {
    now += std::chrono::microseconds{std::uniform_int_distribution{1, 10'000}(random)};
    wheel.advance(now);
  }
  CHECK(wheel.empty());
  for (std::size_t i = 0; i < deadlines.size(); ++i) {
    INFO("deadline " << i);
    if (i % 3 == 0) {
      REQUIRE(deadlines[i].fired.empty());
      continue;
    }
    REQUIRE(deadlines[i].fired.size() == 1);
    REQUIRE(deadlines[i].fired[0] >= due[i]);
    REQUIRE(deadlines[i].fired[0] < due[i] + 2 * deadline_wheel::tick + 1ms);
  }
}

TEST_CASE("a deadline that is set again counts from the new time", "[transport]") {
  auto now = time_point{} + 1s;
  deadline_wheel wheel{now};
  watched_deadline moved{now};
  wheel.add(moved.entry, now + 100ms);
  wheel.add(moved.entry, now + 500ms);
  now += 400ms;
  wheel.advance(now);
  CHECK(moved.fired.empty());
  now += 110ms;
  wheel.advance(now);
  CHECK(moved.fired.size() == 1);
}

TEST_CASE("a deadline that passed during a long pause fires at its end", "[transport]") {
  auto now = time_point{} + 1s;
  deadline_wheel wheel{now};
  watched_deadline waiting{now};
  wheel.add(waiting.entry, now + 5s);
  now += 1h;
  wheel.advance(now);
  CHECK(waiting.fired.size() == 1);
  CHECK(wheel.empty());
}

TEST_CASE("what fires may end other deadlines, of the same moment too", "[transport]") {
  auto now = time_point{} + 1s;
  deadline_wheel wheel{now};
  watched_deadline victim{now};
  struct killer {
    deadline_wheel& wheel;
    watched_deadline& victim;
    deadline_wheel::entry entry{this, [](void* self) {
                                  auto& k = *static_cast<killer*>(self);
                                  k.wheel.remove(k.victim.entry);
                                }};
  } first{wheel, victim};
  wheel.add(first.entry, now + 20ms);
  wheel.add(victim.entry, now + 20ms);
  now += 50ms;
  wheel.advance(now);
  CHECK(victim.fired.empty());
  CHECK(wheel.empty());
}

TEST_CASE("a deadline whose owner is gone is gone", "[transport]") {
  auto now = time_point{} + 1s;
  deadline_wheel wheel{now};
  { // given a deadline that ends before its time
    watched_deadline short_lived{now};
    wheel.add(short_lived.entry, now + 20ms);
  }
  CHECK(wheel.empty());
  now += 50ms;
  wheel.advance(now);
}
