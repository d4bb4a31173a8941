#pragma once

#include "messages/partition.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vicket {

/// A place in a run's events: a log position for each partition, by number; and maybe within the attempts of the event at
/// one of these positions. As text, opaque to clients: `run1`, for each partition `-` and its position, and within an
/// event `+` the partition `.` the first and `.` the last attempt left; all in hexadecimal.
struct run_cursor {
  struct within_event {
    std::uint32_t partition = 0; ///< the event is at `after[partition]`
    attempts_left left;

    friend bool operator==(const within_event&, const within_event&) = default;
  };

  std::vector<log_sequence> after;
  std::optional<within_event> within;

  /// Empty text is the beginning. Of a node with this many partitions, or, unless it is within an event, with fewer before it
  /// was split: see `feed_cursor::parse`. `nullopt`: of none of these.
  [[nodiscard]] static std::optional<run_cursor> parse(std::string_view text, std::size_t partitions);
  [[nodiscard]] std::string to_string() const;
};

/// A place among the events of one id, which are in the order of their connectors; and maybe within the attempts of
/// the event of one connector. As text, opaque to clients: `event1-` and the connector; within an event `event1+`, its
/// log position `.` the first and `.` the last attempt left, in hexadecimal, `-` and the connector.
struct event_cursor {
  struct within_event {
    log_sequence sequence = 0; ///< another one: it was forgotten, and the id was used again
    attempts_left left;

    friend bool operator==(const within_event&, const within_event&) = default;
  };

  connector_id connector; ///< all up to this one were seen; empty: none
  std::optional<within_event> within;

  /// Empty text is the beginning. `nullopt`: not such a cursor.
  [[nodiscard]] static std::optional<event_cursor> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
};

} // namespace vicket
