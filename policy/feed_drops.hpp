#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace vicket {

/// What the bound on histories took out of a partition's log, for those who read the log as a feed: they are told when
/// something has gone that they had yet to read.
///
/// An entry says that at position `at` of the log attempts at positions below `below` were dropped. A reader that knows of
/// what was dropped before its promise, and is at a position, has missed something if an entry from the promise on reaches
/// beyond its position. So of an entry nothing is left to say when a later one reaches as far. Beyond `max_entries` the two
/// that are closest are one, which says too much rather than too little.
class feed_drops {
public:
  static constexpr std::size_t max_entries = 16;

  struct entry {
    std::uint64_t at = 0;
    std::uint64_t below = 0;

    friend bool operator==(const entry&, const entry&) = default;
  };

  feed_drops() = default;
  /// As stored: at most `max_entries` entries, whose `at` rises and whose `below` falls. `nullopt`: others.
  [[nodiscard]] static std::optional<feed_drops> from_entries(std::vector<entry> entries);

  /// `at` is above that of all before.
  void add(std::uint64_t at, std::uint64_t below);
  /// Readers that are not beyond this position have been told by other means.
  void forget_below(std::uint64_t position);
  /// Below which position something may be missing for a reader with that promise; 0: nowhere.
  [[nodiscard]] std::uint64_t reach_since(std::uint64_t promised_from) const;

  [[nodiscard]] const std::vector<entry>& entries() const noexcept { return entries_; }

  friend bool operator==(const feed_drops&, const feed_drops&) = default;

private:
  std::vector<entry> entries_;
};

} // namespace vicket
