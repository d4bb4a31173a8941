#pragma once

#include "actors/interfaces.hpp"
#include "storage/due_scan.hpp"

#include <cstddef>
#include <memory>

namespace vicket {

/// The next connectors of a scan, with all that waits for each: `max_connectors` at most, and not many more entries
/// than `max_entries`, which is some 25 ms of work.
[[nodiscard]] counted_page count_next(due_scan& scan);

/// Counts for a partition's persistence what its due index held at the start, on a thread of its own while that lasts: 5
/// million events take a second or two. Says a page when it is asked for one, so no more than one is ever under way.
class pending_counter {
public:
  using handle = pending_counter_actor;

  static constexpr auto name = "pending_counter";

  static constexpr std::size_t max_connectors = 1'000;
  static constexpr std::size_t max_entries = 100'000;

  /// Whoever closes the scan need not wait for the actor's end: nothing of the store's is held otherwise.
  pending_counter(handle::pointer self, std::shared_ptr<due_scan> scan);

  handle::behavior_type make_behavior();

private:
  std::shared_ptr<due_scan> scan_;
};

} // namespace vicket
