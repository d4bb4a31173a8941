#pragma once

#include "actors/pending_times.hpp"
#include "storage/records.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

namespace vicket {

/// How many events are pending for each connector of a partition, and since when the oldest one is: accepted durably, and
/// not settled durably. Connectors are named by their slots in the partition's table.
///
/// What the store held at the start is not known before somebody has counted it, connector by connector; what changes
/// meanwhile counts at once, and what was settled before it was counted is remembered until then (16 bytes for each).
///
/// 12 bytes for each slot with at most one event, and a `pending_times` for each with more.
class pending_counts {
public:
  using slot = std::uint32_t;

  /// Events from this sequence on are of this life: they are not among what is to be counted.
  explicit pending_counts(log_sequence first_new) : first_new_{first_new} {}

  // -- what a durable round brings about ------------------------------------------------------------------------------

  void accepted(slot which, timestamp_ms accepted_at);
  void settled(slot which, log_sequence event, timestamp_ms accepted_at);
  /// The connector was deleted: nothing is pending, and what comes next for the slot is another one's.
  void forget(slot which);

  // -- what the store held at the start -------------------------------------------------------------------------------

  /// Something may be pending for it in the store.
  void await(slot which);
  /// What the store held of it. Of one that is not awaited (any more) it is passed over.
  void counted(slot which, pending_times found);
  /// All is counted: what was awaited and not found had nothing pending.
  void all_counted();
  [[nodiscard]] bool counting() const noexcept { return counting_; }

  // -- the counts -----------------------------------------------------------------------------------------------------

  [[nodiscard]] std::uint64_t of(slot which) const;
  /// See `pending_times::oldest`.
  [[nodiscard]] std::optional<timestamp_ms> oldest(slot which) const;
  [[nodiscard]] std::uint64_t total() const noexcept { return total_; }
  [[nodiscard]] bool awaited(slot which) const { return which < awaited_.size() && awaited_[which]; }

  void check() const; ///< the invariants below

private:
  /// Packed: there is one for each connector.
  struct entry {
    std::uint32_t pending = 0;
    std::uint32_t low = 0; ///< of one event its time; of more the place of their times
    std::uint32_t high = 0;

    [[nodiscard]] timestamp_ms time() const {
      return {static_cast<std::int64_t>(std::uint64_t{high} << 32 | low)};
    }
    void set_time(timestamp_ms value) {
      low = static_cast<std::uint32_t>(static_cast<std::uint64_t>(value.value));
      high = static_cast<std::uint32_t>(static_cast<std::uint64_t>(value.value) >> 32);
    }
  };

  void add(slot which, timestamp_ms accepted_at);
  void remove(slot which, timestamp_ms accepted_at);
  void free_times(entry& of);
  [[nodiscard]] std::uint32_t take_times();

  // Invariants: total_ is the sum of all entries' pending; an entry with two events or more, and no other, has a place in
  // times_, which has as many; early_ has only slots that are awaited.
  log_sequence first_new_;
  std::deque<entry> entries_; ///< by slot
  std::deque<pending_times> times_;
  std::vector<std::uint32_t> free_times_;
  std::uint64_t total_ = 0;
  bool counting_ = false;
  std::vector<bool> awaited_;                                 ///< by slot
  std::unordered_map<slot, std::vector<timestamp_ms>> early_; ///< settled before they were counted
  std::uint64_t unknown_ = 0; ///< settled without having been pending: a defect, which `check` tells
};

} // namespace vicket
