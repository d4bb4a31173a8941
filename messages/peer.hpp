#pragma once

#include "messages/partition.hpp"

#include <cstdint>

// What a node of a cluster asks of another (role `peer` on the actor port). Not for engines.

namespace vicket {

/// A request for one of the other node's partitions. Answered as the request itself, or refused with `not_owner`.
template <class Request>
struct of_partition {
  std::uint32_t partition = 0;
  Request body;

  template <class Inspector>
  friend bool inspect(Inspector& f, of_partition& x) {
    return f.object(x).fields(f.field("partition", x.partition), f.field("body", x.body));
  }
};

/// A long poll: answered when the partition's feed has more than it had at `after`, or after `wait_ms`.
struct await_feed {
  static constexpr std::uint32_t max_wait_ms = 20'000;

  std::uint32_t partition = 0;
  log_sequence after = 0;
  std::uint32_t wait_ms = max_wait_ms;

  template <class Inspector>
  friend bool inspect(Inspector& f, await_feed& x) {
    return f.object(x).fields(f.field("partition", x.partition), f.field("after", x.after),
                              f.field("wait_ms", x.wait_ms));
  }
};

struct feed_awaited {
  bool grew = false; ///< false: the time is over

  template <class Inspector>
  friend bool inspect(Inspector& f, feed_awaited& x) {
    return f.object(x).fields(f.field("grew", x.grew));
  }
};

} // namespace vicket
