#pragma once

#include "messages/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vicket {

/// A page of connectors, by id; with each the whole of the node and its partitions.
struct get_status {
  static constexpr std::uint32_t max_limit = 1'000;

  connector_id after;
  std::uint32_t limit = max_limit;

  template <class Inspector>
  friend bool inspect(Inspector& f, get_status& x) {
    return f.object(x).fields(f.field("after", x.after), f.field("limit", x.limit));
  }
};

/// What waits for one connector.
struct connector_status {
  connector_id id;
  bool enabled = true;
  std::uint64_t pending = 0;   ///< accepted and not settled, those in flight included
  std::uint64_t in_flight = 0; ///< POSTs under way
  /// When the oldest pending event was accepted. With more than 32 pending it may be too early, by no more than an eighth
  /// of the time over which those that were pending together had been accepted.
  std::optional<timestamp_ms> oldest_pending_at;
  std::string problem; ///< why it can't be used until it is put again; empty: it can
  /// Its endpoint answered 429 or 503 with `Retry-After`: nothing new is sent before; absent: it is not held.
  std::optional<timestamp_ms> held_until;
  bool being_deleted = false; ///< by force: what is pending is being failed, see `delete_connector`

  template <class Inspector>
  friend bool inspect(Inspector& f, connector_status& x) {
    return f.object(x).fields(f.field("id", x.id), f.field("enabled", x.enabled),
                              f.field("pending", x.pending), f.field("in_flight", x.in_flight),
                              f.field("oldest_pending_at", x.oldest_pending_at),
                              f.field("problem", x.problem), f.field("held_until", x.held_until),
                              f.field("being_deleted", x.being_deleted));
  }
};

struct partition_status {
  std::uint32_t number = 0;
  std::uint64_t epoch = 0;
  std::uint64_t next_sequence = 0;
  std::uint64_t settled_below = 0; ///< a restart scans the log from here
  std::uint64_t pending = 0;
  std::uint64_t in_flight = 0;
  bool accepting = true; ///< false: the disk is full
  /// What was pending when the node started is still being counted: `pending` is too low, and so is that of its
  /// connectors, of which some may be missing.
  bool counting = false;
  std::string owner; ///< in a cluster: the node that has it; empty: nobody is known, or the node is alone
  /// In a cluster: why it takes nothing, from no node, until somebody has put that right: one clause. Empty: it does.
  std::string halted;
  std::string why; ///< the owner could not be asked, so that the figures are 0: one sentence. Empty: it could

  template <class Inspector>
  friend bool inspect(Inspector& f, partition_status& x) {
    return f.object(x).fields(
        f.field("number", x.number), f.field("epoch", x.epoch), f.field("next_sequence", x.next_sequence),
        f.field("settled_below", x.settled_below), f.field("pending", x.pending),
        f.field("in_flight", x.in_flight), f.field("accepting", x.accepting), f.field("counting", x.counting),
        f.field("owner", x.owner), f.field("halted", x.halted), f.field("why", x.why));
  }
};

/// The partition of what belongs to no connector (rules).
struct settings_status {
  partition_status partition; ///< its number is that of the connectors' partitions
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, settings_status& x) {
    return f.object(x).fields(f.field("partition", x.partition), f.field("records", x.records),
                              f.field("bytes", x.bytes));
  }
};

/// A node at a glance. Connectors that are well and have nothing pending are counted but not listed.
struct node_status {
  std::string version;
  timestamp_ms started_at;
  timestamp_ms now;
  std::uint64_t connectors_configured = 0;
  std::vector<partition_status> partitions; ///< of connectors
  settings_status settings;
  std::vector<connector_status> connectors; ///< by id
  bool more = false;                        ///< ask again, after the last one's id

  template <class Inspector>
  friend bool inspect(Inspector& f, node_status& x) {
    return f.object(x).fields(
        f.field("version", x.version), f.field("started_at", x.started_at), f.field("now", x.now),
        f.field("connectors_configured", x.connectors_configured), f.field("partitions", x.partitions),
        f.field("settings", x.settings), f.field("connectors", x.connectors), f.field("more", x.more));
  }
};

} // namespace vicket
