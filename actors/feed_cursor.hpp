#pragma once

#include "storage/records.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vicket {

/// A place in a node's outcome feed or in a run's events: a log position for each partition. As text, opaque to
/// clients: `v1-` and the positions in hexadecimal, joined by `-`.
struct feed_cursor {
  std::vector<log_sequence> after; ///< by partition number

  /// Empty text is the beginning. `nullopt`: not a cursor of a node with this many partitions.
  [[nodiscard]] static std::optional<feed_cursor> parse(std::string_view text, std::size_t partitions);
  [[nodiscard]] std::string to_string() const;
};

} // namespace vicket
