#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace vicket {

/// How long acceptances took of late: from the gateway's handing an event on, or several together, to the answer that it is
/// on disk. All of it is our own work, so it tells how busy the node is. Written by the gateway, read by those who could do
/// their work later.
///
/// Thread safety: any thread. Holds the last `kept` durations; a reader that comes too late misses those before them.
class intake_gauge {
public:
  static constexpr std::size_t kept = 64;

  /// How far a reader is.
  struct position {
    std::uint64_t durations = 0;
    std::uint64_t events = 0; ///< that were accepted
  };

  void took(std::int64_t duration_us, std::size_t events) {
    const std::lock_guard guard{mutex_};
    durations_us_[end_.durations++ % kept] = duration_us;
    end_.events += events;
  }

  /// Calls `each(duration_us)` for those that came since, and returns where it is by now.
  template <class Visitor>
  [[nodiscard]] position read_on(position from, Visitor each) const {
    const std::lock_guard guard{mutex_};
    const auto first_kept = end_.durations - std::min<std::uint64_t>(end_.durations, kept);
    for (auto next = std::max(from.durations, first_kept); next < end_.durations; ++next)
      each(durations_us_[next % kept]);
    return end_;
  }

private:
  mutable std::mutex mutex_;
  std::array<std::int64_t, kept> durations_us_{}; ///< guarded by mutex_, as below
  position end_;
};

} // namespace vicket
