#include "policy/schedule_clock.hpp"

#include <algorithm>
#include <utility>

namespace vicket {

namespace {

constexpr std::int64_t us_per_ms = 1'000;

} // namespace

schedule_clock::schedule_clock(const clock& source)
    : source_{source}, last_us_{source.wall_now().value * us_per_ms}, last_steady_us_{source.steady_us()} {}

std::int64_t schedule_clock::now_us() const {
  std::lock_guard guard{mutex_};
  const auto steady_us = source_.steady_us();
  const auto elapsed_us = std::max<std::int64_t>(0, steady_us - last_steady_us_);
  const auto slewed_us = last_us_ + elapsed_us / 2;
  const auto before_us = std::exchange(last_us_, std::max(source_.wall_now().value * us_per_ms, slewed_us));
  if (const auto ahead_ms = (last_us_ - before_us - elapsed_us) / us_per_ms;
      ahead_ms >= clock_jumps::least_ms)
    jumps_.add({before_us / us_per_ms}, ahead_ms);
  last_steady_us_ = steady_us;
  return last_us_;
}

timestamp_ms schedule_clock::now() const {
  return {now_us() / us_per_ms};
}

clock_jumps schedule_clock::jumps() const {
  std::lock_guard guard{mutex_};
  return jumps_;
}

std::int64_t schedule_clock::unix_seconds() const {
  return source_.wall_now().value / 1'000;
}

} // namespace vicket
