#pragma once

#include "messages/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace vicket {

/// How long to wait before something that was short is tried again: 250 ms, and twice as long after each try that was in
/// vain, up to 4 s. Pure.
class retry_moment {
public:
  static constexpr std::int64_t first_ms = 250;
  static constexpr std::int64_t longest_ms = 4'000;

  /// The next wait, after a try in vain.
  [[nodiscard]] std::int64_t next_ms() noexcept {
    next_ms_ = next_ms_ == 0 ? first_ms : next_ms_ >= longest_ms / 2 ? longest_ms : next_ms_ * 2;
    return next_ms_;
  }
  void reset() noexcept { next_ms_ = 0; }

private:
  std::int64_t next_ms_ = 0; ///< the last wait; 0: there was none
};

/// How many deliveries may be in flight while the node itself is short of what a delivery needs: descriptors, memory.
///
/// What is in flight shows what there is, so that it sets the limit: one more starts when one ends. After each wait
/// (`retry_moment`) one more is tried than that. While nothing comes back short, the next look comes after the first
/// wait and tries twice as many more than the one before, so that the places of a whole node are in use again within
/// seconds. It is over when the limit holds nobody back any more.
///
/// Pure: time is handed in. Times are those of the schedule's clock, which never goes back.
class shortage_pause {
public:
  /// Whether one more may start beside those in flight.
  [[nodiscard]] bool allows(std::size_t in_flight) const noexcept {
    return !next_look_ || in_flight < limit_;
  }
  /// How many more may.
  [[nodiscard]] std::size_t room(std::size_t in_flight) const noexcept {
    return limit_ > in_flight ? limit_ - in_flight : 0;
  }
  [[nodiscard]] bool on() const noexcept { return next_look_.has_value(); }

  /// A delivery could not be sent; `in_flight` are, without it.
  void came_back(std::size_t in_flight, timestamp_ms now);

  /// When to call `look`; absent: nothing is short.
  [[nodiscard]] std::optional<timestamp_ms> next_look() const noexcept { return next_look_; }
  /// Before its time it does nothing.
  void look(std::size_t in_flight, timestamp_ms now);

private:
  // Invariant: without `next_look_` all else is as after construction.
  std::optional<timestamp_ms> next_look_;
  retry_moment moment_;
  std::size_t limit_ = 0;
  std::size_t step_ = 1;
  bool tries_ = false; ///< the last look let some start, and none of them has come back
};

} // namespace vicket
