#pragma once

#include "messages/connector.hpp"

#include <algorithm>
#include <cstddef>

namespace vicket {

/// What a supervisor may hold of its connector's backlog; the rest stays in the store.
struct window_limits {
  /// Of all supervisors of a node together, see `window_budget`.
  static constexpr std::size_t default_node_bytes = 64u << 20;

  std::size_t events = 256;
  std::size_t bytes = 1u << 20; ///< of envelopes; one event is always allowed

  /// Twice the places in flight where that is more, so that they never run dry between two refills.
  [[nodiscard]] std::size_t events_for(const connector& config) const {
    return std::max<std::size_t>(events, 2 * std::size_t{config.max_in_flight});
  }
};

} // namespace vicket
