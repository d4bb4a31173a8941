#pragma once

#include "messages/connector.hpp"
#include "messages/ids.hpp"

#include <cstdint>
#include <optional>

namespace vicket {

/// What the next due time follows from, right after an attempt failed.
struct retry_input {
  std::uint32_t attempt_number = 1; ///< of the attempt that just failed, 1 for the first
  timestamp_ms accepted_at;         ///< by today's clock: moved on by the jumps since (clock_jumps)
  timestamp_ms now;
  std::optional<std::int64_t> retry_after_ms; ///< what the endpoint asked for, from `parse_retry_after`
  std::uint64_t random = 0;                   ///< 64 uniformly random bits
  std::int64_t grid_offset_ms = 0;            ///< [0, retry_grid_ms)
};

/// Where the jitter allows it, a connector's due times fall on a grid this wide, so that what fails together is looked
/// up, and tried again, together. Each connector has its own (`grid_offset_ms`): else all would have their turn at once.
inline constexpr std::int64_t retry_grid_ms = 20;

/// When to try again, or `nullopt`: given up.
///
/// The wait is b = min(cap_ms, base_ms * factor^(n-1)), of which the upper half is jittered, so it lies in
/// [b/2, b]; `Retry-After` is a floor, itself at most cap_ms. Given up when `max_attempts` (unless 0) are
/// made, or when the next attempt would come later than `max_age_ms` after acceptance.
///
/// It is asked after an attempt only: an event is never given up without one, however long it waited for its
/// turn.
[[nodiscard]] std::optional<timestamp_ms> next_attempt_at(const retry_policy& policy,
                                                          const retry_input& input);

} // namespace vicket
