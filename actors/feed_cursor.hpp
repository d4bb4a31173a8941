#pragma once

#include "policy/feed_drops.hpp"
#include "policy/feed_lineage.hpp"
#include "storage/records.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vicket {

/// A place in one partition's feed, and what has to be known of it when its reader comes back.
struct feed_position {
  log_sequence after = 0; ///< all up to here was seen, or said to be gone
  std::uint32_t tag = 0;  ///< which of several logs this is a position of: see feed_lineage
  /// Outcomes below, which were there when the reader began or was told that something is gone, may be passed over when
  /// their event has been forgotten: it was settled longer ago than the retention, just below where the log now begins.
  log_sequence promised_from = 0;
  std::uint32_t promise_tag =
      0; ///< of which of several logs that is a position: the tag of what is right below

  friend bool operator==(const feed_position&, const feed_position&) = default;
};

/// A place in a node's outcome feed. As text, opaque to clients: `v3`, and for each partition `-` and the numbers of
/// its position in hexadecimal, joined by `.`.
struct feed_cursor {
  std::vector<feed_position> positions; ///< by partition number

  /// `nullopt`: not a cursor of a node with this many partitions. The empty text is none: see read_outcomes.
  [[nodiscard]] static std::optional<feed_cursor> parse(std::string_view text, std::size_t partitions);
  [[nodiscard]] std::string to_string() const;
  /// What the text is no longer than.
  [[nodiscard]] static constexpr std::size_t most_text_bytes(std::size_t partitions) {
    return 2 + partitions * (4 + 16 + 8 + 16 + 8);
  }
};

/// What a partition has kept of its log.
struct kept_log {
  const feed_lineage* lineage = nullptr;
  log_sequence oldest = 1;           ///< what was written below is forgotten
  log_sequence lost = 0;             ///< the last attempt that was
  log_sequence end = 0;              ///< the last position
  const feed_drops* drops = nullptr; ///< what bounds on histories took
};

/// Where a reader goes on that was at a position, or that has none yet.
struct feed_start {
  feed_position at;
  bool gap = false; ///< something that came after its position is gone
};
[[nodiscard]] feed_start start_reading(const kept_log& log, const std::optional<feed_position>& asked);

} // namespace vicket
