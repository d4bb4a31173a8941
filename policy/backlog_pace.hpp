#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace vicket {

/// How fast a backlog may be started beside fresh events, when it is the processor that is short and not places: as fast as
/// fresh ones do not notice, in the way of LEDBAT (RFC 6817), which sends bulk over a network beside traffic that must not
/// wait for it. What is watched is the lag of fresh events, from their acceptance to the start of their delivery, all of
/// which is our own work: when it grows beyond what it is without a backlog, the backlog's rate falls, else it rises.
///
/// Without fresh events there is no pace, and with them never less than a share of what went without.
///
/// Pure: time is handed in, in microseconds of any clock that does not go back.
class backlog_pace {
public:
  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

  /// After so long without a fresh event there is no pace.
  static constexpr std::int64_t memory_us = 250'000;
  /// How often the rate is looked at, and by how many fresh events at least.
  static constexpr std::int64_t look_us = 20'000;
  static constexpr std::uint32_t min_samples = 4;
  /// So much more than the least lag of late is none.
  static constexpr std::int64_t slack_us = 500;
  /// How long the least lag is remembered.
  static constexpr std::int64_t least_memory_us = 10'000'000;
  /// The least rate, in starts a second; and as a share of what was started without a pace: one in so many.
  static constexpr double min_per_s = 200;
  static constexpr double least_share = 4;
  /// What may be started at once after a pause, by the rate.
  static constexpr std::int64_t burst_us = 2'000;

  /// A fresh event is started that nothing but our own work has kept waiting: for so long.
  void fresh_started(std::int64_t lag_us, std::int64_t now_us);

  /// How many starts of the backlog are allowed now; `started` tells how many were made since.
  [[nodiscard]] std::size_t allowance(std::int64_t now_us);
  /// Fewer than none: what was allowed before was declined.
  void started(std::int64_t count);

  /// Per second; absent: there is no pace.
  [[nodiscard]] std::optional<double> rate_per_s() const noexcept { return rate_; }

private:
  void look(std::int64_t now_us);
  void learn_least(double lag_us, std::int64_t now_us);

  std::optional<double> rate_;
  double credit_ = 0; ///< starts that are allowed and not made
  std::int64_t credited_at_us_ = 0;
  std::optional<std::int64_t> last_fresh_us_;
  std::int64_t look_began_us_ = 0;
  std::int64_t lag_sum_us_ = 0; ///< since then, as the two below
  std::uint32_t samples_ = 0;
  std::int64_t started_ = 0;
  double free_rate_ = 0; ///< the most that was started in a look without a pace, per second; forgotten slowly
  /// The least lag of this and of the last span of `least_memory_us`.
  std::optional<double> least_us_;
  std::optional<double> least_before_us_;
  std::int64_t least_since_us_ = 0;
};

} // namespace vicket
