#pragma once

#include "storage/records.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

namespace vicket {

/// From where on in the log a connector's history is kept.
struct history_mark {
  log_sequence answers_from = 0;  ///< answers of attempts at positions below are dropped
  log_sequence attempts_from = 0; ///< and so are all attempts of events that were settled at positions below

  friend bool operator==(const history_mark&, const history_mark&) = default;
};

/// The marks of those connectors of whose history something is dropped: as committed. Any thread.
class history_marks {
public:
  /// An empty one: it has no mark any more.
  void set(std::uint64_t account, const history_mark& mark) {
    const auto guard = std::unique_lock{mutex_};
    if (mark == history_mark{})
      marks_.erase(account);
    else
      marks_[account] = mark;
    any_.store(!marks_.empty(), std::memory_order_release);
  }

  /// Of another store.
  void clear() {
    const auto guard = std::unique_lock{mutex_};
    marks_.clear();
    any_.store(false, std::memory_order_release);
  }

  [[nodiscard]] bool any() const { return any_.load(std::memory_order_acquire); }

  [[nodiscard]] history_mark of(std::uint64_t account) const {
    if (account == 0 || !any())
      return {};
    const auto guard = std::shared_lock{mutex_};
    const auto found = marks_.find(account);
    return found == marks_.end() ? history_mark{} : found->second;
  }

private:
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::uint64_t, history_mark> marks_; ///< guarded by mutex_
  std::atomic<bool> any_{false};
};

} // namespace vicket
