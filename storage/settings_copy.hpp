#pragma once

#include "policy/start_permit.hpp"
#include "storage/partition_store.hpp"

#include <cstdint>
#include <memory>
#include <utility>

namespace vicket {

/// A node's copy of the settings, for whoever decides by them: without asking anybody. Any thread.
///
/// What a put or a delete was answered for is in it, on every node of a cluster: a node decides by its copy only if it knows
/// that it had the whole log of the partition less than `fresh_ms` ago (from before it asked the log, by its own clock), and
/// the owner answers a change `settle_ms` after it is durable, when no copy that lacks it counts any more. Both are times of
/// clocks that go on while a machine sleeps, and the margin is for clocks that go at different speeds: no two clocks are
/// compared. A node alone has the store that is written, and is always fresh.
class settings_copy {
public:
  static constexpr std::int64_t fresh_ms = 1'000;
  static constexpr std::int64_t settle_ms = 1'100;

  /// `fresh`: of a node of a cluster; null: it is alone.
  settings_copy(std::shared_ptr<const partition_store> store, std::shared_ptr<const start_permit> fresh)
      : store_{std::move(store)}, fresh_{std::move(fresh)} {}

  /// Null: it may not be the newest, so nothing is to be decided by it now; it becomes so again in a moment, or the log of the
  /// cluster can't be reached.
  [[nodiscard]] std::shared_ptr<const settings_snapshot> current() const {
    // In this order: what made it fresh was applied before.
    return !fresh_ || fresh_->is_fresh() ? store_->settings() : nullptr;
  }

private:
  std::shared_ptr<const partition_store> store_;
  std::shared_ptr<const start_permit> fresh_;
};

} // namespace vicket
