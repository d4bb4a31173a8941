#pragma once

#include "actors/local_messages.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace vicket {

/// When each of a partition's connectors that sleep has to be woken: a heap of (time, slot) in which each slot knows its
/// place. 20 bytes for each that sleeps, 4 for each slot that does not; setting and erasing one is O(log n).
class wake_queue {
public:
  /// Instead of an earlier time, if it has one.
  void set(connector_slot slot, timestamp_ms at);
  void erase(connector_slot slot);

  [[nodiscard]] std::optional<timestamp_ms> at(connector_slot slot) const;
  [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }

  /// Of the earliest; not of an empty one.
  [[nodiscard]] timestamp_ms next() const { return heap_.front().at; }
  [[nodiscard]] connector_slot first() const { return heap_.front().slot; }

private:
  struct entry {
    timestamp_ms at;
    connector_slot slot;
  };
  static constexpr std::uint32_t nowhere = std::numeric_limits<std::uint32_t>::max();

  void place(std::size_t at, const entry& value);
  void sift_up(std::size_t at, const entry& value);
  void sift_down(std::size_t at, const entry& value);
  void remove(std::size_t at);

  // Invariants: no entry is earlier than the one at half its place; places_ has for each slot where its entry is.
  std::vector<entry> heap_;
  std::vector<std::uint32_t> places_; ///< by slot
};

} // namespace vicket
