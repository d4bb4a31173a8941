#pragma once

#include "actors/history_cursor.hpp"
#include "actors/local_messages.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace vicket {

/// The events of a history from a place on, found in several partitions, in the order of their pages.
struct ordered_events {
  struct place {
    std::size_t partition = 0;
    found_event event; ///< of the one that the cursor is within, only the position
    std::optional<attempts_left> left;
  };

  std::vector<place> events;
  bool more = false; ///< behind these
};

/// By connector, `event_page::max_events` at most. `parts`: what each partition has from the cursor's connector on, of
/// which it was asked for one more than that.
[[nodiscard]] ordered_events order_by_connector(const event_cursor& from, std::vector<found_events> parts);

/// By the time of acceptance, `limit` at most. `parts`: what each partition has after its position, of which it was asked
/// for as many.
[[nodiscard]] ordered_events order_by_acceptance(const run_cursor& from, std::vector<found_events> parts,
                                                 std::size_t limit);

/// Where to go on when the first `seen` were seen, the last of them but for what is `left` of it.
[[nodiscard]] event_cursor cursor_after(event_cursor from, const ordered_events& order, std::size_t seen,
                                        std::optional<attempts_left> left);
[[nodiscard]] run_cursor cursor_after(run_cursor from, const ordered_events& order, std::size_t seen,
                                      std::optional<attempts_left> left);

} // namespace vicket
