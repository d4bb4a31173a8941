#pragma once

#include "policy/shortage_notice.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

namespace vicket {

/// Logs what the node is short of, for all of its delivery actors together: see `shortage_notice`.
///
/// Thread safety: any thread.
class shortage_log {
public:
  /// `log_warning` may be empty; it is called with a lock held.
  explicit shortage_log(std::function<void(const std::string&)> log_warning)
      : log_warning_{std::move(log_warning)} {}

  void lasts(std::uint32_t source, const std::string& what, std::size_t waiting, timestamp_ms now) {
    const std::lock_guard guard{mutex_};
    log(notice_.lasts(source, what, waiting, now));
  }

  void ends(std::uint32_t source, const std::string& what, timestamp_ms now) {
    const std::lock_guard guard{mutex_};
    log(notice_.ends(source, what, now));
  }

  void look(timestamp_ms now) {
    const std::lock_guard guard{mutex_};
    log(notice_.look(now));
  }

private:
  void log(const std::optional<std::string>& line) const {
    if (line && log_warning_)
      log_warning_(*line);
  }

  const std::function<void(const std::string&)> log_warning_;
  std::mutex mutex_;
  shortage_notice notice_; ///< guarded by mutex_
};

} // namespace vicket
