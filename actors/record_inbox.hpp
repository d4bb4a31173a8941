#pragma once

#include "actors/interfaces.hpp"
#include "actors/window_budget.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace vicket {

/// Where a partition's supervisors leave what is to be recorded of attempts, until persistence takes it into a commit:
/// one of something else, or, when none comes within `wait_ms`, one of its own. Nobody waits for such a record, so
/// none is worth waking the writer's thread, or a sync, by itself (docs/decisions/0004-speed.md).
///
/// Thread safety: any thread. Bounded by what supervisors hold; when what is kept of the answers comes to
/// `max_wait_bytes` the commit is called for at once. Until they are recorded the answers are part of the window budget.
/// Where they find no room in it, because the disk is full or much too slow, an answer is cut: its body and header fields
/// are dropped, and the attempt says so (`response_truncated`, with the body's true length). The alternative was to start
/// nothing more; but what endpoints said to events that wait is worth less than that the events arrive.
class record_inbox {
public:
  static constexpr std::size_t max_wait_bytes = 1u << 20;

  /// `wait_ms` 0: the commit is called for with the first record.
  /// `budget` null: answers are not counted.
  record_inbox(persistence_actor owner, std::int64_t wait_ms, std::shared_ptr<window_budget> budget = {})
      : owner_{std::move(owner)}, budget_{std::move(budget)}, wait_ms_{wait_ms} {}

  void push(record_attempts record);

  /// All that are there, in the order in which they came. To be called by each commit.
  [[nodiscard]] std::vector<record_attempts> take();

  /// The owner's part on `attempts_waited`, before it takes: from now on the next record calls again.
  void heard();

  /// The owner is gone: what comes is dropped.
  void close();

private:
  std::mutex mutex_;
  persistence_actor owner_; ///< guarded by mutex_, as all below; null once closed
  std::vector<record_attempts> records_;
  std::size_t answer_bytes_ = 0; ///< of `records_`
  bool called_ = false;          ///< an `attempts_waited` is under way
  bool called_at_once_ = false;  ///< one that comes without waiting
  const std::shared_ptr<window_budget> budget_;
  const std::int64_t wait_ms_;
};

} // namespace vicket
