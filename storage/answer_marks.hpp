#pragma once

#include "storage/records.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

namespace vicket {

/// From where on in the log the answers of a connector's attempts are kept, for those of which some are not: as
/// committed. Any thread.
class answer_marks {
public:
  /// 0: it has no mark any more.
  void set(std::uint64_t account, log_sequence kept_from) {
    const auto guard = std::unique_lock{mutex_};
    if (kept_from == 0)
      marks_.erase(account);
    else
      marks_[account] = kept_from;
    any_.store(!marks_.empty(), std::memory_order_release);
  }

  [[nodiscard]] bool any() const { return any_.load(std::memory_order_acquire); }

  /// 0: all of them.
  [[nodiscard]] log_sequence kept_from(std::uint64_t account) const {
    if (account == 0 || !any())
      return 0;
    const auto guard = std::shared_lock{mutex_};
    const auto found = marks_.find(account);
    return found == marks_.end() ? 0 : found->second;
  }

private:
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::uint64_t, log_sequence> marks_; ///< guarded by mutex_
  std::atomic<bool> any_{false};
};

} // namespace vicket
