#pragma once

#include "messages/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vicket {

/// By how much the schedule's clock was set forward, and when: so that an event does not age by it. A clock that was days
/// behind and is set right makes what was accepted a minute ago days old, and the next failure would give it up.
///
/// Of this process only: which clock stamped an event that an earlier one accepted, and whether that clock was set
/// meanwhile, nobody knows. Such an event's age counts from its stored time, less the jumps since this process began.
class clock_jumps {
public:
  /// What the clock goes forward by beyond the time that has passed (steady time) is a jump from here on. Above what a
  /// thread that loses its processor between two looks at the clocks makes of them (tens of ms, more on a machine that is
  /// overloaded) and above the steps that time servers correct a clock by when all is well (0.1 to 0.5 s); below
  /// any age that somebody would have an event given up at. That the machine was suspended is a jump as well: steady time
  /// stands still meanwhile, and nothing could be delivered.
  static constexpr std::int64_t least_ms = 1'000;

  /// How many are remembered. The two oldest of more become one, at the later's place: an event that was accepted between
  /// them then lives longer by the earlier one.
  static constexpr std::size_t max_jumps = 32;

  /// The clock said `from` last, and goes on `by_ms` later than it should. Times rise from call to call.
  void add(timestamp_ms from, std::int64_t by_ms);

  /// What of the time from `accepted_at` until now is jumps: those made since then.
  [[nodiscard]] std::int64_t since_ms(timestamp_ms accepted_at) const;

private:
  struct jump {
    timestamp_ms from;
    std::int64_t by_ms = 0;
  };

  std::vector<jump> jumps_; ///< rising; empty in most processes
};

} // namespace vicket
