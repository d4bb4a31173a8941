#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace vicket {

/// How fast a backlog may be started beside fresh events, when it is the processor that is short and not places. A machine
/// that is busy to the last has everybody wait for everybody; with a part of it left free, fresh events hardly notice.
///
/// What is watched is the lag of fresh events, from their arrival to their acceptance, which is all our own work. With each
/// look that finds its median well above what it is without a backlog, the backlog goes slower, down to a share of what went
/// at most; with each that does not, a little faster. So the worst that a wrong verdict does (on a machine that is busy with
/// other things, say) is to make a drain beside fresh events take `least_share` times as long; without fresh events there
/// is no pace. What went at most is learned anew now and then, by a look without a pace. And more of it goes than
/// comes, in any case: it may be that all that comes is backlog of a connector that has some, and a backlog has to end.
///
/// Pure: time is handed in, in microseconds of any clock that does not go back.
class backlog_pace {
public:
  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

  /// After so long without a fresh event there is no pace.
  static constexpr std::int64_t memory_us = 250'000;
  /// How often is looked, and at how many fresh events at least.
  static constexpr std::int64_t look_us = 20'000;
  static constexpr std::size_t min_samples = 8;
  /// And at how many at most, the last ones.
  static constexpr std::size_t max_samples = 32;
  /// A lag is none up to this many times the usual one, or so much more than it. Usual is the least that was seen in a look
  /// without a backlog within this time or twice as long.
  static constexpr double usual_times = 2;
  static constexpr double slack_us = 2'000;
  static constexpr std::int64_t usual_memory_us = 30'000'000;
  /// The slowest pace: one in so many of the starts that went at most, and no less than this, which is next to nothing.
  static constexpr double least_share = 2;
  static constexpr double min_per_s = 2'000;
  /// Nor less than this for each event that comes.
  static constexpr double least_for_each = 1.25;
  /// After so many looks at the slowest pace there is one without, which takes longer: twice at first, and then now and
  /// then.
  static constexpr unsigned first_probe_after = 10;
  static constexpr unsigned second_probe_after = 60;
  static constexpr unsigned probe_every = 500;
  static constexpr std::int64_t probe_us = 3 * look_us;
  /// How often whoever waits for the pace should look, and what may be started at once: what the rate gives in so long. More
  /// than that often, since a busy machine comes late to it.
  static constexpr std::int64_t refill_us = 2'000;
  static constexpr std::int64_t burst_us = 8'000;

  /// The acceptance of a fresh event, or of several together, took so long.
  void fresh_accepted(std::int64_t lag_us, std::int64_t now_us);
  /// So many events were accepted.
  void events_came(std::uint64_t count) noexcept { came_ += count; }

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
  [[nodiscard]] double least_per_s() const;
  void slow_down();
  void learn_usual(double lag_us, std::int64_t now_us);
  [[nodiscard]] bool is_lag(double lag_us) const;

  std::optional<double> rate_;
  double credit_ = 0; ///< starts that are allowed and not made
  std::int64_t credited_at_us_ = 0;
  std::optional<std::int64_t> last_fresh_us_;
  bool was_calm_ = false;                     ///< in the last look there was next to no backlog
  std::optional<double> usual_lag_us_;        ///< of this span of `usual_memory_us`
  std::optional<double> usual_lag_before_us_; ///< of the last one
  std::int64_t usual_since_us_ = 0;
  double most_per_s_ = 0;   ///< that went in a look; forgotten slowly while there is no pace
  double come_per_s_ = 0;   ///< events, of late
  unsigned slow_looks_ = 0; ///< at the slowest pace, since there was none
  bool probes_ = false;     ///< in this look there is no pace

  // Of the look that goes on.
  std::int64_t look_began_us_ = 0;
  std::size_t samples_ = 0;
  std::array<std::int64_t, max_samples> lags_us_{}; ///< a ring
  std::int64_t started_ = 0;
  std::uint64_t came_ = 0;
};

} // namespace vicket
