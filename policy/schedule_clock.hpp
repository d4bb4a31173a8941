#pragma once

#include "policy/clock.hpp"
#include "policy/clock_jumps.hpp"

#include <cstdint>
#include <mutex>

namespace vicket {

/// The wall clock as the engine schedules by it: it never goes back.
///
/// A wall clock that is set forward is followed at once: what has come due by it is due, and the shaping of
/// each connector keeps that from being a flood. One that is set back is not followed: this clock goes on at
/// half speed until the wall has caught up, so that waiting retries and rate limits neither freeze nor
/// repeat. What it goes forward by is remembered, so that nothing grows old by it (`jumps`); from one process to the
/// next nothing is. The time that is signed into a request is the real wall clock's, always: receivers compare it with
/// their own.
///
/// Thread safety: any thread.
class schedule_clock {
public:
  explicit schedule_clock(const clock& source);

  [[nodiscard]] timestamp_ms now() const;
  [[nodiscard]] std::int64_t now_us() const;

  /// Those that this clock made so far.
  [[nodiscard]] clock_jumps jumps() const;

  /// The wall clock itself, for `t=` and `webhook-timestamp`.
  [[nodiscard]] std::int64_t unix_seconds() const;

private:
  const clock& source_;
  mutable std::mutex mutex_;
  mutable std::int64_t last_us_;        ///< guarded by mutex_: what was answered last
  mutable std::int64_t last_steady_us_; ///< guarded by mutex_: and when
  mutable clock_jumps jumps_;           ///< guarded by mutex_
};

} // namespace vicket
