#pragma once

#include "actors/delivery_profile.hpp"
#include "actors/pending_times.hpp"
#include "messages/partition.hpp"
#include "policy/start_kind.hpp"
#include "storage/records.hpp"
#include "storage/store_status.hpp"
#include "transport/http_transport.hpp"

#include <boost/container/small_vector.hpp>
#include <caf/actor_control_block.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

// Messages between the actors of one node. They share memory (bodies, profiles) or handles, and never leave the process.
// What a partition is asked, which may be another node's, is in messages/partition.hpp.

namespace vicket {

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

/// What a supervisor needs of an event that waits. There may be one for each of very many connectors, so it is small.
struct due_event {
  due_position position;
  timestamp_ms accepted_at;
  event_id id;
  std::uint32_t attempts_made = 0;
  std::shared_ptr<const std::string> envelope; ///< the bytes of every POST of it

  due_event() = default;
  explicit due_event(waiting_event&& of)
      : position{of.position}, accepted_at{of.event.accepted_at}, id{of.event.id},
        attempts_made{of.attempts_made}, envelope{std::move(of.event.envelope)} {}
};

/// Events to deliver now. They stay the supervisor's until it has had their attempts recorded.
struct take_events {
  boost::container::small_vector<due_event, 1> events; ///< of many connectors there is one of each
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
  std::vector<due_event> events; ///< by position, those due by `until` first
  /// Of the first one not given; `until` for what is due now whatever its time. Absent: nothing more waits.
  std::optional<timestamp_ms> next_due;
  /// Nothing was given since the partition's windows are full: `room_for_more` comes when there is room.
  bool no_room = false;
};

/// There is room for what a refill did not get. Answered by the next `refill_window`, or by `room_declined`.
struct room_for_more {};
struct room_declined {
  supervisor_seat seat;
};

/// Persistence → supervisor: others have no room at all, so give back about so much of what waits. Answered by
/// `given_back`, empty when all of it is under way.
struct give_back {
  std::size_t bytes = 0;
};

struct returned_event {
  due_position position;
  std::size_t envelope_bytes = 0;
};

/// They are the due index's again. `backlog_grew` comes when those that had no place there have one.
struct given_back {
  supervisor_seat seat;
  std::vector<returned_event> events;
};

/// An attempt that is over, with what the supervisor decided about it.
struct attempt_decision {
  due_position was; ///< the event's place before this attempt
  timestamp_ms accepted_at;
  std::size_t envelope_bytes = 0;
  event_state state_after = event_state::pending;
  attempt value;
  bool was_indexed = false;      ///< set by persistence: the event had a place in the due index
  std::size_t counted_bytes = 0; ///< of the answer, in the window budget; set by the record inbox
};

/// What a supervisor leaves in its partition's `record_inbox`: commit these. The inbox knows when they are durable; only
/// where there is more to say `attempts_recorded` comes as well, in the same order.
struct record_attempts {
  supervisor_seat seat;
  std::vector<attempt_decision> decisions;
  std::optional<std::string> state; ///< `connector_state`, when it is another than before
};

struct recorded_attempt {
  log_sequence sequence = 0;
  std::optional<timestamp_ms> next_due; ///< absent: settled
};

/// Persistence → supervisor: these are durable. Comes where one of them is to be tried again, where the connector has more
/// in the index, which may have its turn now, and to a supervisor that drains.
struct attempts_recorded {
  std::vector<recorded_attempt> attempts;
};

/// The connector was replaced.
struct reconfigure {
  std::shared_ptr<const delivery_profile> profile;
};

/// Persistence → supervisor: the connector is being deleted. Whatever waits for it, in memory and in the store, is failed
/// with this reason and not sent; what is in flight is not tried again.
struct give_up_all {
  std::string why;
};

/// Persistence → itself: whether there is room on the disk for what is to be given up.
struct look_for_room {};

/// Supervisor → persistence: nothing is held, and nothing can start by now; may I go? Answered by true (quit) or false
/// (work came).
struct retire {
  supervisor_seat seat;
  std::string state; ///< `connector_state`
  /// How many `backlog_grew`, `reconfigure` and `give_up_all` it has had: with fewer than were sent it does not know what there is.
  std::uint32_t heard = 0;
  std::optional<timestamp_ms> next_due;     ///< of what is in the due index; absent: nothing is
  std::optional<timestamp_ms> closed_until; ///< whatever is due, nothing may start before
  bool unjudged = false;                    ///< what an earlier life left there was not all looked at
};

/// Persistence → itself: it is time for answers to changes of settings.
struct settings_settled {};

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

class order_inbox;

/// Order inbox → delivery: there are some.
struct orders_wait {
  std::shared_ptr<order_inbox> inbox;
};

/// What a supervisor leaves in its `order_inbox`: sign and POST these. Each is answered by one entry of a `deliveries_done`, or comes back: in `returned` where no place
/// in flight is free for it, in a `deliveries_returned` where the node is short of what it takes. Who got some back for
/// want of a place gets in line by `wanted`, and sends nothing more of its own accord until it has left the line: it is
/// offered places, and answers each offer.
struct deliver {
  boost::container::small_vector<delivery_job, 1> jobs; ///< of many connectors there is one of each
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

/// These were not sent, since the node is short of what that takes. They are no attempts.
struct deliveries_returned {
  std::vector<delivery_job> jobs;
  /// Short only towards this connector's endpoint: try again after a while. Else: start nothing until `start_again`.
  bool of_destination = false;
};

/// After `deliveries_returned`: it is this supervisor's turn.
struct start_again {};

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

/// Rule desk → itself: there are triggers of which not all rules are judged.
struct judge_more {};

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

/// Persistence → pending counter: what the store holds of the next connectors.
struct count_more {};
struct counted_page {
  std::vector<std::pair<connector_id, pending_times>> connectors;
  bool more = false;
};

// -- partitions of a clustered node ---------------------------------------------------------------------------------------

// With the handles of actors, so they are defined behind those: see interfaces.hpp.
struct owner_changed;
struct serve_partition;

/// Makes a checkpoint of this node's store of a partition in a folder that is not there yet, between two rounds: up to which record
/// of the log it has all; `foreign`: this node has no copy that is of use. `done` from any thread.
using make_checkpoint =
    std::function<void(std::uint32_t partition, const std::filesystem::path& to,
                       std::function<void(std::variant<std::uint64_t, store_status>)> done)>;

/// Cluster → source: from now on checkpoints can be made.
struct lend_checkpoints {
  make_checkpoint make;
};

/// Whoever has made one → source.
struct checkpoint_made {
  std::uint64_t id = 0;
  std::variant<std::uint64_t, store_status> record;
};

// -- the node's watch ----------------------------------------------------------------------------------------------

/// Node → watch: the node cannot be without this actor.
struct watch_over {
  caf::strong_actor_ptr who;
  std::string called;
};
/// Node → watch: this one is about to be ended, on purpose.
struct let_end {
  caf::strong_actor_ptr who;
};

} // namespace vicket
