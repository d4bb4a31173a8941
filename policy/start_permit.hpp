#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

namespace vicket {

/// Whether a partition's deliveries may start, and what must be fresh may be answered: as its owner's lease says (see
/// `owner_lease`). A node alone needs none.
///
/// Written by who keeps the lease, read by any thread; a reader may see one part of it changed before the other, which is as
/// if it had come a moment earlier or later. Times are of a clock that goes on while the machine sleeps (CLOCK_BOOTTIME).
class start_permit {
public:
  explicit start_permit(std::function<std::int64_t()> now_ms) : now_ms_{std::move(now_ms)} {}

  void allow(std::int64_t from_ms, std::int64_t until_ms) noexcept {
    from_ms_.store(from_ms, std::memory_order_relaxed);
    until_ms_.store(until_ms, std::memory_order_release);
  }
  /// At once, and until it is allowed again.
  void forbid() noexcept { until_ms_.store(0, std::memory_order_release); }

  /// What this node knows of the partition is the newest: an append of it was acknowledged a moment ago.
  [[nodiscard]] bool is_fresh() const { return now_ms_() < until_ms_.load(std::memory_order_acquire); }
  /// Fresh, and nobody else delivers any more.
  [[nodiscard]] bool holds() const {
    const auto until = until_ms_.load(std::memory_order_acquire);
    const auto now = now_ms_();
    return now < until && now >= from_ms_.load(std::memory_order_relaxed);
  }

private:
  const std::function<std::int64_t()> now_ms_;
  std::atomic<std::int64_t> from_ms_{0};
  std::atomic<std::int64_t> until_ms_{0};
};

} // namespace vicket
