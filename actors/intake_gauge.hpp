#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace vicket {

/// How long acceptances took of late: from the gateway's handing an event on to the answer that it is on disk. All of it is
/// our own work, so it tells how busy the node is. Written by the gateway, read by those who could do their work later.
///
/// Thread safety: any thread. Holds the last `kept`; a reader that comes too late misses those before them.
class intake_gauge {
public:
  static constexpr std::size_t kept = 64;

  void took(std::int64_t duration_us) {
    const std::lock_guard guard{mutex_};
    durations_us_[count_++ % kept] = duration_us;
  }

  /// Calls `each(duration_us)` for those that came after the `read` first ones, and returns how many there are by now.
  template <class Visitor>
  [[nodiscard]] std::uint64_t read_on(std::uint64_t read, Visitor each) const {
    const std::lock_guard guard{mutex_};
    for (read = std::max(read, count_ - std::min<std::uint64_t>(count_, kept)); read < count_; ++read)
      each(durations_us_[read % kept]);
    return count_;
  }

private:
  mutable std::mutex mutex_;
  std::array<std::int64_t, kept> durations_us_{}; ///< guarded by mutex_, as below
  std::uint64_t count_ = 0;
};

} // namespace vicket
