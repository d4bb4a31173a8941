#pragma once

#include "messages/partition.hpp"
#include "policy/feed_drops.hpp"
#include "policy/feed_lineage.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vicket {

/// A place in a node's outcome feed. As text, opaque to clients: `v3`, and for each partition `-` and the numbers of
/// its position in hexadecimal, joined by `.`; or `_` where its reader has none yet.
struct feed_cursor {
  /// By partition number. Absent: none of it was read, since it could not be reached; it is read from the oldest that is
  /// kept, and nothing was promised.
  std::vector<std::optional<feed_position>> positions;

  /// Of a node with this many partitions, or with fewer before it was split (`partition_split`): then each goes on where the
  /// one was that it was a part of. `nullopt`: of none of these. The empty text is none: see read_outcomes.
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
