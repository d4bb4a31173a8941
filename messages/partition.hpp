#pragma once

#include "messages/connector.hpp"
#include "messages/event.hpp"
#include "messages/history.hpp"
#include "messages/ids.hpp"
#include "messages/settings.hpp"
#include "messages/status.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What the front of a node asks of a partition, which may be in another node of a cluster. Plain values, all of them. Not
// for engines.

namespace vicket {

// -- gateway → router → partition -------------------------------------------------------------------------------------

/// An event whose envelope is composed: all that is left is to store it.
struct composed_event {
  event_id id;
  bool id_of_sender = false; ///< only then it can be a duplicate
  connector_id connector;
  std::string event;
  std::string workflow;
  std::string run;
  std::string envelope;

  template <class Inspector>
  friend bool inspect(Inspector& f, composed_event& x) {
    return f.object(x).fields(f.field("id", x.id), f.field("id_of_sender", x.id_of_sender),
                              f.field("connector", x.connector), f.field("event", x.event),
                              f.field("workflow", x.workflow), f.field("run", x.run),
                              f.field("envelope", x.envelope));
  }
};

/// Answered with a `batch_result` once all of them are on disk or refused.
struct accept_events {
  std::uint32_t partition = 0;
  std::vector<composed_event> events; ///< at most send_batch::max_items

  template <class Inspector>
  friend bool inspect(Inspector& f, accept_events& x) {
    return f.object(x).fields(f.field("partition", x.partition), f.field("events", x.events));
  }
};

// -- history → partition ------------------------------------------------------------------------------------------------

// A page is put together in two steps, so that never more than a page of it is in memory: where its events are, from all
// partitions at once; then what the page has room for, from one partition after the other.

/// Answered by `found_events`, often without any, since an id does not say its partition.
struct find_partition_events {
  event_id id;
  connector_id from; ///< inclusive
  std::uint32_t limit = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, find_partition_events& x) {
    return f.object(x).fields(f.field("id", x.id), f.field("from", x.from), f.field("limit", x.limit));
  }
};

/// Answered by `found_events`.
struct find_partition_run {
  std::string run;
  log_sequence after = 0;
  std::uint32_t limit = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, find_partition_run& x) {
    return f.object(x).fields(f.field("run", x.run), f.field("after", x.after), f.field("limit", x.limit));
  }
};

/// An event of a history, with what those of several partitions are put in order by.
struct found_event {
  log_sequence sequence = 0;
  connector_id connector;
  timestamp_ms accepted_at;

  template <class Inspector>
  friend bool inspect(Inspector& f, found_event& x) {
    return f.object(x).fields(f.field("sequence", x.sequence), f.field("connector", x.connector),
                              f.field("accepted_at", x.accepted_at));
  }
};

struct found_events {
  std::vector<found_event> events;
  bool more = false;

  template <class Inspector>
  friend bool inspect(Inspector& f, found_events& x) {
    return f.object(x).fields(f.field("events", x.events), f.field("more", x.more));
  }
};

/// The attempts of an event that are still to come, by their numbers. What is made after the first page was read is not
/// among them.
struct attempts_left {
  std::uint32_t first = 1;
  std::uint32_t last = 0;

  friend bool operator==(const attempts_left&, const attempts_left&) = default;

  template <class Inspector>
  friend bool inspect(Inspector& f, attempts_left& x) {
    return f.object(x).fields(f.field("first", x.first), f.field("last", x.last));
  }
};

/// An event whose history is to be read: the attempts that are left of it, or, absent, all.
struct wanted_history {
  log_sequence sequence = 0;
  std::optional<attempts_left> left;

  template <class Inspector>
  friend bool inspect(Inspector& f, wanted_history& x) {
    return f.object(x).fields(f.field("sequence", x.sequence), f.field("left", x.left));
  }
};

/// Answered by `partition_histories`.
struct read_partition_histories {
  std::vector<wanted_history> wanted; ///< at most event_page::max_events
  std::uint64_t max_bytes = 0;        ///< by `page_bytes_of`
  bool at_least_one = false;          ///< attempt: the page is empty so far, and must not stay so

  template <class Inspector>
  friend bool inspect(Inspector& f, read_partition_histories& x) {
    return f.object(x).fields(f.field("wanted", x.wanted), f.field("max_bytes", x.max_bytes),
                              f.field("at_least_one", x.at_least_one));
  }
};

struct partition_history {
  event_history history;
  std::optional<attempts_left> left; ///< there was no room for these; then it is the last one

  template <class Inspector>
  friend bool inspect(Inspector& f, partition_history& x) {
    return f.object(x).fields(f.field("history", x.history), f.field("left", x.left));
  }
};

/// As many of those wanted as there was room for, from the first on; absent: it is not there any more.
struct partition_histories {
  std::vector<std::optional<partition_history>> histories;

  template <class Inspector>
  friend bool inspect(Inspector& f, partition_histories& x) {
    return f.object(x).fields(f.field("histories", x.histories));
  }
};

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

  template <class Inspector>
  friend bool inspect(Inspector& f, feed_position& x) {
    return f.object(x).fields(f.field("after", x.after), f.field("tag", x.tag),
                              f.field("promised_from", x.promised_from),
                              f.field("promise_tag", x.promise_tag));
  }
};

/// The partition's own log position instead of the node's cursor. Answered by `partition_outcomes`.
struct read_partition_outcomes {
  std::optional<feed_position> from; ///< absent: from the oldest that is kept
  std::uint32_t limit = 0;
  std::uint64_t max_bytes = 0; ///< by `page_bytes_of`; one entry is always allowed

  template <class Inspector>
  friend bool inspect(Inspector& f, read_partition_outcomes& x) {
    return f.object(x).fields(f.field("from", x.from), f.field("limit", x.limit),
                              f.field("max_bytes", x.max_bytes));
  }
};

struct partition_outcome {
  feed_position at; ///< reading on after this entry starts here
  event_summary summary;
  attempt value;

  template <class Inspector>
  friend bool inspect(Inspector& f, partition_outcome& x) {
    return f.object(x).fields(f.field("at", x.at), f.field("summary", x.summary), f.field("value", x.value));
  }
};

/// What follows `from`, up to and including `through`, is `entries` and nothing else.
struct partition_outcomes {
  bool gap = false;   ///< between the asked position and `from` something is gone
  feed_position from; ///< the asked position, or where the log goes on after the gap
  std::vector<partition_outcome> entries;
  feed_position through; ///< without entries the end of the log, or of what was looked at after a gap
  bool more = false;     ///< the page was full

  template <class Inspector>
  friend bool inspect(Inspector& f, partition_outcomes& x) {
    return f.object(x).fields(f.field("gap", x.gap), f.field("from", x.from), f.field("entries", x.entries),
                              f.field("through", x.through), f.field("more", x.more));
  }
};

/// The partition's feed was looked through up to here. One `feed_grew` comes back when there is more. Inside a node.
struct watch_feed {
  log_sequence after = 0;
};
struct feed_grew {
  std::uint32_t partition = 0;
};

// -- gateway → partition ------------------------------------------------------------------------------------------------

/// A partition at a glance, and a page of its connectors, by id, of those that have something to show.
struct get_partition_overview {
  connector_id after;
  std::uint32_t limit = get_status::max_limit;

  template <class Inspector>
  friend bool inspect(Inspector& f, get_partition_overview& x) {
    return f.object(x).fields(f.field("after", x.after), f.field("limit", x.limit));
  }
};
struct partition_overview {
  partition_status partition;
  std::uint64_t connectors_configured = 0;
  std::vector<connector_status> connectors;
  bool more = false;
  std::uint64_t settings = 0; ///< how many; and their bytes
  std::uint64_t settings_bytes = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, partition_overview& x) {
    return f.object(x).fields(f.field("partition", x.partition),
                              f.field("connectors_configured", x.connectors_configured),
                              f.field("connectors", x.connectors), f.field("more", x.more),
                              f.field("settings", x.settings), f.field("settings_bytes", x.settings_bytes));
  }
};

} // namespace vicket
