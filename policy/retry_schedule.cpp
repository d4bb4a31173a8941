#include "policy/retry_schedule.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace vicket {

namespace {

std::int64_t backoff_ms(const retry_policy& policy, std::uint32_t attempt_number) {
  const auto exponent = static_cast<double>(std::max(attempt_number, 1U) - 1U);
  const double unbounded = static_cast<double>(policy.base_ms) * std::pow(policy.factor, exponent);
  // Written so that infinity (and NaN, should a factor be none) ends at the cap.
  if (!(unbounded < static_cast<double>(policy.cap_ms)))
    return policy.cap_ms;
  return static_cast<std::int64_t>(unbounded);
}

std::int64_t saturated_sum(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum))
    return sum;
  return a > 0 ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int64_t>::min();
}

/// The grid's last point by `time`, unless that is too early.
std::int64_t on_grid(std::int64_t time, std::int64_t offset_ms, std::int64_t earliest) {
  const auto past_point = (time % retry_grid_ms + 2 * retry_grid_ms - offset_ms) % retry_grid_ms;
  return time - past_point >= earliest ? time - past_point : time;
}

} // namespace

std::optional<timestamp_ms> next_attempt_at(const retry_policy& policy, const retry_input& input) {
  if (policy.max_attempts != 0 && input.attempt_number >= policy.max_attempts)
    return std::nullopt;
  const auto longest = std::max<std::int64_t>(backoff_ms(policy, input.attempt_number), 0);
  const auto jittered = longest / 2;
  auto least_ms = longest - jittered;
  if (input.retry_after_ms)
    least_ms = std::max(least_ms, std::min(*input.retry_after_ms, policy.cap_ms));
  const auto drawn_ms =
      longest - static_cast<std::int64_t>(input.random % (static_cast<std::uint64_t>(jittered) + 1));
  const timestamp_ms next{on_grid(saturated_sum(input.now.value, std::max(drawn_ms, least_ms)),
                                  input.grid_offset_ms, saturated_sum(input.now.value, least_ms))};
  if (next.value > saturated_sum(input.accepted_at.value, policy.max_age_ms))
    return std::nullopt;
  return next;
}

} // namespace vicket
