#pragma once

#include "actors/delivery_profile.hpp"
#include "messages/event.hpp"
#include "messages/history.hpp"
#include "messages/status.hpp"
#include "storage/records.hpp"
#include "transport/http_transport.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// Messages between the actors of one node. Those of a partition's inside share memory (bodies, profiles) and never
// leave the process; `accept_events` is plain values, so that a partition's head may be remote one day.

namespace vicket {

// -- gateway → router → persistence ---------------------------------------------------------------------------------

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
  std::vector<composed_event> events;

  template <class Inspector>
  friend bool inspect(Inspector& f, accept_events& x) {
    return f.object(x).fields(f.field("partition", x.partition), f.field("events", x.events));
  }
};

// -- persistence ↔ supervisor ---------------------------------------------------------------------------------------

/// Events to deliver now. They stay the supervisor's until it has had their attempts recorded.
struct take_events {
  std::vector<waiting_event> events;
};

/// Events went into the due index instead, since the supervisor's window was full; `first` is the foremost of them.
struct backlog_grew {
  due_position first;
};

/// Supervisor → persistence: room for more. Answered by `refilled`.
struct refill_window {
  connector_id connector;
  due_position from;              ///< nothing before it is there to be had
  timestamp_ms until;             ///< only what is due by then
  std::vector<log_sequence> held; ///< these the supervisor has already
};

struct refilled {
  std::vector<waiting_event> events;
  std::optional<timestamp_ms> next_due; ///< of the first one not given; absent: nothing more waits
};

/// An attempt that is over, with what the supervisor decided about it.
struct attempt_decision {
  due_position was; ///< the event's place before this attempt
  std::size_t envelope_bytes = 0;
  event_state state_after = event_state::pending;
  attempt value;
  bool was_indexed = false; ///< set by persistence: the event had a place in the due index
};

/// What a supervisor leaves in its partition's `record_inbox`: commit these. Answered by `attempts_recorded`, in the same
/// order.
struct record_attempts {
  connector_id connector;
  std::vector<attempt_decision> decisions;
  std::optional<std::int64_t> shaper_state; ///< of a rate-limited connector, after all it let go so far
};

struct recorded_attempt {
  log_sequence sequence = 0;
  std::optional<timestamp_ms> next_due; ///< absent: settled
};

struct attempts_recorded {
  std::vector<recorded_attempt> attempts;
};

/// The connector was replaced.
struct reconfigure {
  std::shared_ptr<const delivery_profile> profile;
};

/// Supervisor → persistence: nothing held, nothing waits; may I go? Answered by true (quit) or false (work came).
struct retire {
  connector_id connector;
  std::optional<std::int64_t> shaper_state;
};

/// Node → persistence → supervisors: start no more deliveries; answered when those in flight are over and recorded.
struct drain {};

// -- supervisor ↔ delivery ------------------------------------------------------------------------------------------

struct delivery_job {
  std::shared_ptr<const delivery_profile> profile;
  log_sequence sequence = 0;
  std::uint32_t attempt_number = 1;
  event_id id;
  std::shared_ptr<const std::string> envelope;
};

/// Sign and POST these. Each is answered by one entry of a `deliveries_done`.
struct deliver {
  std::vector<delivery_job> jobs;
};

/// An attempt that is over, classified; whether there is a next one is not decided yet.
struct finished_delivery {
  log_sequence sequence = 0;
  attempt value;
  std::string retry_after; ///< the header as it came; empty without one
};

struct deliveries_done {
  std::vector<finished_delivery> deliveries;
};

/// The transport's threads → delivery: results wait in the inbox.
struct collect_results {};

// -- alarm ----------------------------------------------------------------------------------------------------------

/// Wake the sender at this time: once, or earlier if it asks for an earlier one meanwhile. A later request replaces
/// an earlier one.
struct wake_me {
  timestamp_ms at;
};

/// To the alarm itself: the nap that was to end then is over.
struct nap_over {
  timestamp_ms at;
};

/// A hint that time has come: look at the clock.
struct wake_up {};

/// To oneself: time to look at what comes round.
struct tick {};

/// Record inbox → persistence: what is there has waited long enough for a commit that would take it along.
struct attempts_waited {};

/// Store → persistence: it has failed, or a full disk stopped its background work; and to oneself, while that lasts.
struct look_at_store {
  bool again = false; ///< to oneself
};

// -- history --------------------------------------------------------------------------------------------------------

/// History → a partition's reader: the partition's own log positions instead of the node's cursor.
struct read_partition_run {
  std::string run;
  log_sequence after = 0;
  std::uint32_t limit = 0;
};

struct partition_run_event {
  log_sequence sequence = 0;
  event_history history;
};

struct partition_run_page {
  std::vector<partition_run_event> events;
  bool more = false;
};

struct read_partition_outcomes {
  log_sequence after = 0;
  std::uint32_t limit = 0;
  std::size_t max_bytes = 0;
};

struct partition_outcome {
  log_sequence sequence = 0;
  event_summary summary;
  attempt value;
};

struct partition_outcomes {
  std::vector<partition_outcome> entries;
};

/// Persistence → reader → history: attempts were committed. Sent once after `watch_feed`, which asks for it.
struct feed_grew {
  std::uint32_t partition = 0;
};
struct watch_feed {
  log_sequence after = 0; ///< attempts up to here were seen
};

/// Reader → persistence: forget what is below.
struct forget_below {
  log_sequence sequence = 0;
};

// -- status ---------------------------------------------------------------------------------------------------------

/// What a partition knows without reading its store.
struct live_counts {
  partition_status partition;
  std::uint64_t connectors_configured = 0;
  std::vector<connector_status> connectors; ///< pending: only those that are not in the due index
};
struct get_live_counts {};

/// A connector's in-flight count, from the partition's delivery actor.
struct in_flight_counts {
  std::vector<std::pair<connector_id, std::uint64_t>> connectors;
};
struct get_in_flight {};

struct partition_overview {
  partition_status partition;
  std::uint64_t connectors_configured = 0;
  std::vector<connector_status> connectors;
};
struct get_partition_overview {};

} // namespace vicket
