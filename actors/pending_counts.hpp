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
/// 8 bytes for each slot with at most one event, and a `pending_times` for each with more.
class pending_counts {
public:
  using slot = std::uint32_t;

  /// Events from this sequence on are of this life: they are not among what is to be counted.
  explicit pending_counts(log_sequence first_new) : first_new_{first_new} {}

  // -- what a durable round brings about ------------------------------------------------------------------------------

  /// True: nothing was pending before.
  bool accepted(slot which, timestamp_ms accepted_at);
  /// True: nothing is pending any more, and something was.
  bool settled(slot which, log_sequence event, timestamp_ms accepted_at);
  /// The connector was deleted: nothing is pending, and what comes next for the slot is another one's.
  void forget(slot which);

  // -- what the store held at the start -------------------------------------------------------------------------------

  /// Something may be pending for it in the store.
  void await(slot which);
  /// What the store held of it. Of one that is not awaited (any more) it is passed over.
  void counted(slot which, pending_times found);
  /// The store says that nothing is pending for it, whatever may have been when its index was taken: it is about to be
  /// deleted, and what is counted of it from now on finds no connector.
  void nothing_pending(slot which);
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
  /// Packed: there is one for each connector. Nothing, or the time of one event, or the place in times_ of what is
  /// pending: of several, or of one at a time that does not fit.
  class entry {
  public:
    static constexpr std::int64_t max_time = (std::int64_t{1} << 61) - 1;
    static constexpr std::int64_t min_time = -max_time - 1;
    [[nodiscard]] static bool fits(timestamp_ms time) {
      return time.value >= min_time && time.value <= max_time;
    }

    [[nodiscard]] bool has_time() const { return (bits_ & kinds) == one; }
    [[nodiscard]] bool has_place() const { return (bits_ & kinds) == many; }
    [[nodiscard]] timestamp_ms time() const { return {static_cast<std::int64_t>(bits_) >> 2}; }
    [[nodiscard]] std::uint32_t place() const { return static_cast<std::uint32_t>(bits_ >> 2); }

    void clear() { bits_ = 0; }
    void set_time(timestamp_ms value) { bits_ = static_cast<std::uint64_t>(value.value) << 2 | one; }
    void set_place(std::uint32_t place) { bits_ = std::uint64_t{place} << 2 | many; }

  private:
    static constexpr std::uint64_t one = 1;
    static constexpr std::uint64_t many = 2;
    static constexpr std::uint64_t kinds = 3;
    std::uint64_t bits_ = 0;
  };

  bool remove(slot which, timestamp_ms accepted_at);
  [[nodiscard]] entry& entry_of(slot which);
  [[nodiscard]] pending_times& times_of(entry& mine);
  void slim(entry& mine);
  [[nodiscard]] std::uint32_t take_times();

  // Invariants: total_ is the sum of what is pending; each place in times_ that is not free is one entry's, and has
  // several, or one at a time that does not fit into an entry; early_ has only slots that are awaited.
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
