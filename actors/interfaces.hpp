#pragma once

#include "actors/actor_of.hpp"
#include "actors/local_type_id.hpp"
#include "messages/actors.hpp"
#include "messages/peer_actor.hpp"

#include <caf/result.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <string>

// The protocol inside a node, on one page. `messages/actors.hpp` has the one that other processes see.

namespace vicket {

/// One per process: the only timer.
using alarm_actor = caf::typed_actor<
    /// Supervisor → alarm. A `wake_up` comes back when it is time.
    caf::result<void>(wake_me),
    /// To itself.
    caf::result<void>(nap_over)>;

/// What the alarm wakes.
using sleeper_actor = caf::typed_actor<caf::result<void>(wake_up)>;

/// One per connector that has work now or within half a minute: queue, retry schedule, rate shaping, in-flight cap, breaker.
using supervisor_actor = sleeper_actor::extend<
    /// Persistence → supervisor. Deliver these.
    caf::result<void>(take_events),
    /// Persistence → supervisor. There is more in the store.
    caf::result<void>(backlog_grew),
    /// Persistence → supervisor. The answer to `refill_window`.
    caf::result<void>(refilled),
    /// Persistence → supervisor. The windows of the partition's connectors are dealt anew.
    caf::result<void>(room_for_more), caf::result<void>(give_back),
    /// Persistence → supervisor: the commit that held `record_attempts` is on disk, and there is something to do for it.
    caf::result<void>(attempts_recorded),
    /// Persistence → supervisor. The connector was replaced, or is being deleted.
    caf::result<void>(reconfigure), caf::result<void>(give_up_all),
    /// Delivery → supervisor. The answers to what it ordered, as they come in, and offers of places.
    caf::result<void>(deliveries_done), caf::result<void>(deliveries_returned),
    /// Delivery → supervisor.
    caf::result<void>(start_again),
    /// Persistence → supervisor. Answered when nothing is in flight or unrecorded any more.
    caf::result<void>(drain)>;

/// One or more per node: signs, POSTs, classifies; decides nothing.
using delivery_actor = sleeper_actor::extend<
    /// From supervisors, by the order inbox: `deliver`. `deliveries_done` or `deliveries_returned` comes back, maybe in
    /// parts. Also the answer to an offer.
    caf::result<void>(orders_wait),
    /// From the transport's threads.
    caf::result<void>(collect_results),
    /// To itself: the backlog's pace allows more by now.
    caf::result<void>(tick)>;

/// What the front of a node asks of a partition, wherever it is.
using partition_actor = caf::typed_actor<
    /// Router → partition, for the gateway. Answered after the commit, item by item. Codes: unknown_connector,
    /// connector_disabled, filtered, storage_full, unavailable; of a seat also overloaded.
    caf::result<batch_result>(accept_events),
    /// Router → partition, for the gateway. Checked by the gateway; answered after the commit.
    caf::result<connector_view>(put_connector), caf::result<connector_view>(get_connector),
    caf::result<void>(delete_connector),
    /// Gateway → partition.
    caf::result<connector_page>(list_connectors),
    /// Gateway → partition. From what is in memory: the store is not read.
    caf::result<partition_overview>(get_partition_overview)>;

/// What the front of a node asks of the partition `settings`, wherever it is. In a cluster a change is answered when no node
/// decides by what was before any more: see storage/settings_copy.hpp.
using settings_actor = caf::typed_actor<
    /// Errors: too_large (or too many), storage_full, unavailable; of a seat also overloaded.
    caf::result<void>(put_setting),
    /// Errors: not_found, storage_full, unavailable; of a seat also overloaded.
    caf::result<void>(delete_setting), caf::result<setting>(get_setting),
    caf::result<settings_page>(list_settings)>;

/// One per node: rules, and what they make of triggers. See rule_desk.hpp.
using rule_desk_actor = caf::typed_actor<
    /// Gateway → desk, as a client's.
    caf::result<trigger_result>(trigger), caf::result<trigger_batch_result>(trigger_batch),
    caf::result<rule>(put_rule), caf::result<rule>(get_rule), caf::result<void>(delete_rule),
    caf::result<rule_page>(list_rules), caf::result<trial_page>(try_rules),
    /// Of a connector that no rule names; handed on to its partition.
    caf::result<void>(delete_connector),
    /// To itself: look at what waits; judge triggers by the rules that are left.
    caf::result<void>(tick), caf::result<void>(judge_more)>;

/// One per partition: sole writer of its store, parent of its supervisors. Never answers `not_owner`: that is a peer's.
using persistence_actor = partition_actor::extend_with<sleeper_actor>::extend_with<settings_actor>::extend<
    /// Supervisor → persistence. See the messages.
    caf::result<void>(refill_window), caf::result<bool>(retire), caf::result<void>(room_declined),
    caf::result<void>(given_back),
    /// (And from the alarm, or to itself: the time of some connector that sleeps has come.)
    /// To itself: commit what is waiting; look at the disk again.
    caf::result<void>(tick),
    /// To itself.
    caf::result<void>(look_for_room),
    /// Record inbox → persistence: records of attempts are there, and have waited long enough.
    caf::result<void>(attempts_waited),
    /// The log → persistence.
    caf::result<void>(round_came_back),
    /// From the store's threads, and to itself: something went wrong there that no commit says.
    caf::result<void>(look_at_store),
    /// History reader → persistence. One `feed_grew` comes back at the next commit of an attempt.
    caf::result<void>(watch_feed),
    /// History reader → persistence, the steps of the retention. Answered when they are durable. Errors: storage_full,
    /// unavailable.
    caf::result<void>(prepare_edge), caf::result<void>(carry_over), caf::result<void>(move_edge),
    /// To itself: answers to changes of settings have waited long enough.
    caf::result<void>(settings_settled),
    /// Node → persistence. Answered when all its supervisors have drained and everything is committed.
    caf::result<void>(drain)>;

/// One per partition, as long as it takes: counts what the due index held at the start.
using pending_counter_actor = caf::typed_actor<
    /// Persistence → counter. Asked until there is no more.
    caf::result<counted_page>(count_more)>;

/// Who is told that a partition's feed has grown, once after each `watch_feed`.
using feed_watcher_actor = caf::typed_actor<
    /// Persistence → reader → history, or seat → history.
    caf::result<void>(feed_grew)>;

/// What a node's history asks of a partition, wherever it is.
using partition_reader_actor = caf::typed_actor<
    /// History → partition. Errors: unavailable; of a seat also overloaded.
    caf::result<found_events>(find_partition_events), caf::result<found_events>(find_partition_run),
    caf::result<partition_histories>(read_partition_histories),
    caf::result<partition_outcomes>(read_partition_outcomes),
    /// History → partition, whose sender is a `feed_watcher_actor`.
    caf::result<void>(watch_feed)>;

/// One per partition: reads the store for the run history, beside the writer. Hands `watch_feed` on to persistence.
using history_reader_actor = partition_reader_actor::extend_with<feed_watcher_actor>::extend<
    /// To itself: retention.
    caf::result<void>(tick)>;

/// One per node: the run history over all partitions.
using history_actor = caf::typed_actor<
    /// Gateway → history, on behalf of a client.
    caf::result<event_page>(get_event), caf::result<run_page>(get_run),
    caf::result<outcome_page>(read_outcomes),
    /// Reader → history.
    caf::result<void>(feed_grew),
    /// To itself: readers have waited long enough.
    caf::result<void>(tick)>;

/// One per node: gives the disk back what dropped answers took.
using history_sweeper_actor = caf::typed_actor<
    /// To itself: look at the next file.
    caf::result<void>(tick)>;

/// One per node: copies all that it has to a folder, when it is told to.
using backup_clerk_actor = caf::typed_actor<caf::result<backup_made>(make_backup)>;

/// One per node: the one place that knows which actor serves a partition.
using router_actor = caf::typed_actor<
    /// Gateway → router. Handed on to the partition, which answers.
    caf::result<batch_result>(accept_events), caf::result<connector_view>(put_connector),
    caf::result<connector_view>(get_connector), caf::result<void>(delete_connector)>;

// -- partitions of a clustered node ---------------------------------------------------------------------------------------

/// Cluster → seat: who owns the partition from now on. `here` set: this node. `there` set: that node. Neither: nobody that
/// is known, or that can be reached.
struct owner_changed {
  std::uint64_t epoch = 0;
  persistence_actor here;
  history_reader_actor reader_here; ///< set with `here`
  std::string node;                 ///< the owner's name, this node's too; empty: nobody is known
  peer_actor there;
  std::string halted; ///< why the partition takes nothing, so that nobody has it; empty: it does
};

/// One per partition of a clustered node: the partition, as this node sees it, whoever owns it. See partition_seat.hpp.
using partition_seat_actor =
    partition_actor::extend_with<partition_reader_actor>::extend_with<settings_actor>::extend<
        /// Cluster → seat.
        caf::result<void>(owner_changed),
        /// Reader → seat.
        caf::result<void>(feed_grew),
        /// To itself: look at what waits.
        caf::result<void>(tick)>;

/// Cluster → door: this node has the partition, or, without handles, has it no more.
struct serve_partition {
  std::uint32_t partition = 0;
  persistence_actor here;
  history_reader_actor reader_here;
};

/// One per clustered node: gives others checkpoints. See checkpoint_source.hpp.
using checkpoint_source_actor = caf::typed_actor<
    /// As a peer's.
    caf::result<opened_checkpoint>(open_checkpoint), caf::result<checkpoint_bytes>(read_checkpoint),
    caf::result<void>(close_checkpoint), caf::result<void>(lend_checkpoints),
    caf::result<void>(checkpoint_made),
    /// To itself: look for those that nobody reads any more.
    caf::result<void>(tick)>;

/// One per checkpoint that this node takes. See checkpoint_taker.hpp.
using checkpoint_taker_actor = caf::typed_actor<
    /// To itself: go on.
    caf::result<void>(tick)>;

/// One per clustered node: what the others reach of it. See peer_door.hpp.
using peer_door_actor = peer_actor::extend<
    /// Cluster → door.
    caf::result<void>(serve_partition),
    /// Reader → door.
    caf::result<void>(feed_grew),
    /// To itself: look at who waits for the feed.
    caf::result<void>(tick)>;

// -------------------------------------------------------------------------------------------------------------------------

/// One per node: has it ended when one of the others died.
using node_watch_actor = caf::typed_actor<
    /// Node → watch, for each actor that it starts, and for each that it ends while the others go on.
    caf::result<void>(watch_over), caf::result<void>(let_end)>;

} // namespace vicket
