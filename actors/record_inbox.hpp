#pragma once

#include "actors/interfaces.hpp"
#include "actors/window_budget.hpp"

#include <atomic>
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
///
/// Records are numbered as they come. Which of them are durable stands here, too, so that a supervisor that has nothing
/// else to do for it need not be woken to hear it (docs/decisions/0019-cold-connectors.md).
class record_inbox {
public:
  static constexpr std::size_t max_wait_bytes = 1u << 20;

  /// `wait_ms` 0: the commit is called for with the first record.
  /// `budget` null: answers are not counted.
  record_inbox(persistence_actor owner, std::int64_t wait_ms, std::shared_ptr<window_budget> budget = {})
      : owner_{std::move(owner)}, budget_{std::move(budget)}, wait_ms_{wait_ms} {}

  /// The number of the record: from 1 on, rising.
  std::uint64_t push(record_attempts record);

  /// All that are there, in the order in which they came, in `into` alone, whose memory is used again. To be called by each
  /// commit. The number of the last that was ever taken; 0: none was.
  std::uint64_t take(std::vector<record_attempts>& into);

  /// The records up to this number are durable. To be called before anybody is told of anything that was decided since.
  void set_durable(std::uint64_t through) noexcept { durable_.store(through, std::memory_order_release); }
  [[nodiscard]] std::uint64_t durable() const noexcept { return durable_.load(std::memory_order_acquire); }

  /// The owner's part on `attempts_waited`, before it takes: from now on the next record calls again.
  void heard();

  /// The owner is gone: what comes is dropped.
  void close();

private:
  std::mutex mutex_;
  persistence_actor owner_; ///< guarded by mutex_, as all below; null once closed
  std::vector<record_attempts> records_;
  std::uint64_t pushed_ = 0;
  std::size_t answer_bytes_ = 0; ///< of `records_`
  bool called_ = false;          ///< an `attempts_waited` is under way
  bool called_at_once_ = false;  ///< one that comes without waiting
  const std::shared_ptr<window_budget> budget_;
  const std::int64_t wait_ms_;
  std::atomic<std::uint64_t> durable_{0};
};

} // namespace vicket
