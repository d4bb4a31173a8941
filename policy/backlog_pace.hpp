#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace vicket {

/// How fast a backlog may be started beside fresh events, when it is the processor that is short and not places: as fast as
/// fresh ones hardly notice. Like LEDBAT (RFC 6817), which sends bulk beside traffic that must not wait for it, it watches a
/// delay: the lag of fresh events, from their acceptance to the start of their delivery, which is all our own work. When
/// its median grows beyond what it is without a backlog, the rate falls, else it rises.
///
/// What it is without one is learned while there is none, or while it goes at its least rate: a lag that stays even then has
/// another cause. So a machine that is busy with other things slows a backlog for a moment and not for good.
///
/// Pure: time is handed in, in microseconds of any clock that does not go back.
class backlog_pace {
public:
  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

  /// After so long without a fresh event there is no pace.
  static constexpr std::int64_t memory_us = 250'000;
  /// How often the rate is looked at, and by how many fresh events at least.
  static constexpr std::int64_t look_us = 20'000;
  static constexpr std::size_t min_samples = 8;
  /// By so many at most, the last ones.
  static constexpr std::size_t max_samples = 32;
  /// A lag is none up to this many times the usual one, or so much more than it.
  static constexpr double usual_times = 1.5;
  static constexpr double slack_us = 300;
  /// The least rate, in starts a second; and as a share of what went at most: one in so many.
  static constexpr double min_per_s = 500;
  static constexpr double least_share = 8;
  /// What may be started at once, by the rate.
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
  void begin_look(std::int64_t now_us);
  void look(std::int64_t now_us);
  [[nodiscard]] double median_lag_us();
  void slow_down(double went_per_s, double least_per_s, bool is_calm);
  void set_rate(double per_s, double least_per_s);

  std::optional<double> rate_;
  bool at_least_ = false; ///< that is the least that it may be
  double credit_ = 0;     ///< starts that are allowed and not made
  std::int64_t credited_at_us_ = 0;
  std::optional<std::int64_t> last_fresh_us_;
  bool was_calm_ = false; ///< in the last look there was next to no backlog, or it went at its least
  std::optional<double> usual_lag_us_;
  double most_per_s_ = 0; ///< that went in a look; forgotten slowly

  // Of the look that goes on.
  std::int64_t look_began_us_ = 0;
  std::size_t samples_ = 0;
  std::array<std::int64_t, max_samples> lags_us_{}; ///< a ring
  std::int64_t started_ = 0;
};

} // namespace vicket
