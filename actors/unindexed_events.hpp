#pragma once

#include "storage/records.hpp"

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

namespace vicket {

/// The events of a partition that are pending but not in the due index: handed to their supervisors as they were
/// accepted, in the hope that they never need an index entry. The lowest of them is where a restart has to begin
/// scanning the log.
///
/// Sequences are added in rising order. Amortised O(log n) per event, 40 bytes each.
class unindexed_events {
public:
  struct entry {
    log_sequence sequence = 0;
    timestamp_ms due;                        ///< its place, should it be indexed after all
    const connector_id* connector = nullptr; ///< owned by the partition's table of connectors
  };

  void add(const entry& value);

  /// True if it was there.
  bool erase(log_sequence sequence);

  /// Of the lowest; absent when empty.
  [[nodiscard]] std::optional<log_sequence> lowest() const;

  /// Takes out all below a sequence; they have to be indexed by the caller. This bounds what a restart scans when
  /// some events stay in their supervisors for long.
  [[nodiscard]] std::vector<entry> spill_below(log_sequence sequence);

  /// Takes out all of one connector.
  [[nodiscard]] std::vector<entry> spill_connector(const connector_id& connector);

  [[nodiscard]] std::size_t size() const noexcept { return live_; }

  template <class Visitor>
  void for_each(Visitor visit) const {
    for (const auto& slot : slots_)
      if (slot.live)
        visit(slot.value);
  }

private:
  struct place {
    entry value;
    bool live = true;
  };

  void pop_dead_front();

  // Invariants: rising sequences; the first slot is live; live_ counts the live ones.
  std::deque<place> slots_;
  std::size_t live_ = 0;
};

} // namespace vicket
