#pragma once

#include "messages/history.hpp"

#include <cstddef>

namespace vicket {

/// What reading history may take of a node's memory: `reads` pages of histories and as many of the feed, each of
/// `page_bytes`, while they are put together. What an answered page takes until its client has it is its connection's.
struct history_limits {
  std::size_t page_bytes = event_page::max_bytes; ///< one attempt is always allowed
  /// Pages that are put together at the same time. Readers have a thread for each partition, so that more would only
  /// wait for them.
  std::size_t reads = 4;
  /// Requests that wait for that; what comes beyond is refused with `overloaded`.
  std::size_t waiting = 2'000;
  /// A page of the feed goes without a partition that can't be read, whose entries come later. Else, where all are this
  /// node's own, it is refused then.
  bool partial_feeds = false;
};

} // namespace vicket
