#pragma once

#include "actors/delivery_profile.hpp"
#include "actors/feed_cursor.hpp"
#include "messages/event.hpp"
#include "messages/history.hpp"
#include "messages/status.hpp"
#include "policy/start_kind.hpp"
#include "storage/records.hpp"
#include "storage/store_status.hpp"
#include "transport/http_transport.hpp"

#include <caf/actor_control_block.hpp>

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

/// A connector's place in its partition's table.
using connector_slot = std::uint32_t;

/// Which supervisor of a connector speaks: a message of one that was replaced, or whose connector was deleted, must not
/// be taken for its successor's.
struct supervisor_seat {
  connector_slot slot = 0;
  std::uint32_t generation = 0;

  friend bool operator==(const supervisor_seat&, const supervisor_seat&) = default;
};

/// Events to deliver now. They stay the supervisor's until it has had their attempts recorded.
struct take_events {
  std::vector<waiting_event> events;
};

/// Events went into the due index instead, since the supervisor's window was full; `first` is the foremost of them.
struct backlog_grew {
  due_position first;
  /// They were there when this supervisor was started: stored by who knows which clock.
  bool of_earlier_life = false;
};

/// Supervisor → persistence: room for more. Answered by `refilled`.
struct refill_window {
  supervisor_seat seat;
  due_position from;              ///< nothing before it is there to be had
  timestamp_ms until;             ///< only what is due by then
  std::vector<log_sequence> held; ///< these the supervisor has already
  /// With it also what is due later than that, which cannot be, and what was never attempted: both are due now,
  /// whatever the clock was that stored them.
  std::optional<timestamp_ms> beyond = std::nullopt;
};

struct refilled {
  std::vector<waiting_event> events; ///< by position, those due by `until` first
  /// Of the first one not given; `until` for what is due now whatever its time. Absent: nothing more waits.
  std::optional<timestamp_ms> next_due;
};

/// An attempt that is over, with what the supervisor decided about it.
struct attempt_decision {
  due_position was; ///< the event's place before this attempt
  timestamp_ms accepted_at;
  std::size_t envelope_bytes = 0;
  event_state state_after = event_state::pending;
  attempt value;
  bool was_indexed = false; ///< set by persistence: the event had a place in the due index
};

/// What a supervisor leaves in its partition's `record_inbox`: commit these. Answered by `attempts_recorded`, in the same
/// order.
struct record_attempts {
  supervisor_seat seat;
  std::vector<attempt_decision> decisions;
  std::optional<std::string> state; ///< `connector_state`, when it is another than before
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
  supervisor_seat seat;
  std::string state; ///< `connector_state`
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
  start_kind what = start_kind::fresh;
};

/// Sign and POST these. Each is answered by one entry of a `deliveries_done`, or comes back in `returned` where no place in
/// flight is free for it. Who got some back gets in line by `wanted`, and sends nothing more of its own accord until it
/// has left the line: it is offered places, and answers each offer.
struct deliver {
  std::vector<delivery_job> jobs;
  std::uint32_t offer_answered = 0; ///< so many offered places this answers; `jobs` uses them or leaves them
  std::uint32_t wanted =
      0; ///< so many more could start now if there were places; 0: not in line, or not any more
  start_kind next = start_kind::fresh; ///< the first of those
};

/// An attempt that is over, classified; whether there is a next one is not decided yet.
struct finished_delivery {
  log_sequence sequence = 0;
  attempt value;
  std::string retry_after; ///< the header as it came; empty without one
};

/// All that delivery has for a supervisor.
struct deliveries_done {
  std::vector<finished_delivery> deliveries;
  std::vector<delivery_job> returned; ///< not started
  std::uint32_t offered = 0;          ///< so many places in flight are kept for the answer to this
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

/// The log's threads → persistence: the round on its way is durable, or not.
struct round_came_back {
  store_status status;
};

/// Store → persistence: it has failed, or a full disk stopped its background work; and to oneself, while that lasts.
struct look_at_store {
  bool again = false; ///< to oneself
};

// -- history --------------------------------------------------------------------------------------------------------

/// A partition's part of the answer to `get_event`; often nothing, since an id does not say its partition.
struct partition_events {
  std::vector<event_history> events;
};

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
  std::optional<feed_position> from; ///< absent: from the oldest that is kept
  std::uint32_t limit = 0;
  std::size_t max_bytes = 0;
};

struct partition_outcome {
  feed_position at; ///< reading on after this entry starts here
  event_summary summary;
  attempt value;
};

/// What follows `from`, up to and including `through`, is `entries` and nothing else.
struct partition_outcomes {
  bool gap = false;   ///< between the asked position and `from` something is gone
  feed_position from; ///< the asked position, or where the log goes on after the gap
  std::vector<partition_outcome> entries;
  feed_position through; ///< without entries the end of the log, or of what was looked at after a gap
};

/// Persistence → reader → history: attempts were committed. Sent once after `watch_feed`, which asks for it.
struct feed_grew {
  std::uint32_t partition = 0;
};
struct watch_feed {
  log_sequence after = 0; ///< the log was looked through up to here
};

/// Reader → persistence, a step of the retention after the other; each is answered when it is durable. See
/// storage/partition_retention.cpp.
struct prepare_edge {
  log_sequence edge = 0;
};
struct carry_over {
  std::vector<carried_event> carried;
  std::vector<expired_event> expired;
  std::vector<late_event> late;
};
struct move_edge {
  log_sequence edge = 0;
  log_sequence last_lost_attempt = 0; ///< below it; 0: the edge passes none
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

// -- the node's watch ----------------------------------------------------------------------------------------------

/// Node → watch: the node cannot be without this actor.
struct watch_over {
  caf::strong_actor_ptr who;
  std::string called;
};

} // namespace vicket
