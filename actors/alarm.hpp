#pragma once

#include "actors/interfaces.hpp"
#include "policy/schedule_clock.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>

namespace vicket {

/// The process's one timer: CAF's own clock keeps a table that it sorts anew for each entry, so every supervisor
/// waits here instead. Looks at the time at least once a second while anybody waits, so that a wall clock that
/// jumps delays nobody for longer.
class alarm {
public:
  using handle = alarm_actor;

  static constexpr auto name = "alarm";
  static constexpr std::int64_t max_nap_ms = 1'000;

  alarm(handle::pointer self, const schedule_clock& clock);

  handle::behavior_type make_behavior();

private:
  void set(const wake_me& request);
  void ring();
  void nap();

  // Invariant: the two containers mirror each other: a sleeper has one entry, or none.
  using queue = std::multimap<timestamp_ms, sleeper_actor>;
  handle::pointer self_;
  const schedule_clock& clock_;
  queue queue_;
  std::unordered_map<caf::actor_id, queue::iterator> places_;
  std::optional<timestamp_ms> nap_ends_at_; ///< of the earliest `nap_over` under way
};

} // namespace vicket
