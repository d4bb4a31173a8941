#pragma once

#include "messages/connector.hpp"

#include <cstdint>
#include <optional>

namespace vicket {

/// Spreads deliveries evenly: the generic cell rate algorithm (ITU-T I.371), one theoretical arrival time per
/// connector. `burst` may go at once after a pause, then one each `per_ms / limit`; in any window w at most
/// `burst + limit * w / per_ms` go (w rounded up to whole microseconds). Who comes late has lost the time
/// between: without a burst the rate is an upper bound that late wake-ups stay below.
///
/// Time is wall clock in microseconds, since the state may be stored. A clock that jumps back delays by one
/// interval at most and then goes on; one that jumps ahead lets one burst through.
class rate_shaper {
public:
  /// Without a limit everything may go at once. `limit` and `per_ms` are at least 1, `burst` 0 counts as 1.
  explicit rate_shaper(std::optional<rate_limit> limit);

  /// How long to wait, in microseconds; 0: one may go now. Const, but not for two threads at once: a jump of
  /// the clock that it notices is put right in passing.
  [[nodiscard]] std::int64_t wait_us(std::int64_t now_us) const;

  /// One goes now. Also counts when `wait_us` was not 0.
  void take(std::int64_t now_us);

  /// One that was taken did not go after all.
  void give_back();

  /// No burst is left: one may go now, the next an interval later.
  void spend_burst(std::int64_t now_us);

  /// From now on with another limit; what was taken so far still counts, as far as the new limit remembers.
  void reconfigure(std::optional<rate_limit> limit);

  /// The theoretical arrival time in microseconds, rounded up; for `restore` in a later life.
  [[nodiscard]] std::int64_t state() const;
  void restore(std::int64_t state_us);

private:
  /// A time or a duration: `us + part / limit` microseconds, so that no rate is rounded.
  struct exact_us {
    std::int64_t us = 0;
    std::int64_t part = 0; ///< 0 to limit - 1
  };

  [[nodiscard]] exact_us sum(exact_us a, exact_us b) const;
  [[nodiscard]] exact_us difference(exact_us a, exact_us b) const;
  [[nodiscard]] exact_us intervals(std::int64_t count) const; ///< `count` times per_ms / limit
  void forget_jump(std::int64_t now_us) const;

  bool limited_ = false;
  std::int64_t limit_ = 1;
  std::int64_t per_us_ = 1;
  exact_us interval_;  ///< between two of an even spread
  exact_us tolerance_; ///< how far the theoretical arrival time may be ahead: (burst - 1) intervals

  /// When the next one would be due if all came evenly. Invariant after each call: at most `tolerance_ +
  /// interval_` ahead of that call's now.
  mutable exact_us arrival_;
};

} // namespace vicket
