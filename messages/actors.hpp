#pragma once

#include "messages/type_id.hpp"

#include <caf/fwd.hpp>
#include <caf/result.hpp>
#include <caf/typed_actor.hpp>

#include <string>
#include <string_view>

namespace vicket {

// A node's interfaces, by who may use them. Requests that are refused answer an error with a code of `errc` and, as its
// context, one sentence (`refusal_of()` takes it apart); any other error is the caller's own, such as a time-out.
//
// Ordering: messages of one sender are handled in order; answers may overtake each other.

/// What a workflow engine sends (role `sender` on the actor port).
using gateway_actor = caf::typed_actor<
    /// One event. The answer comes after the event was synced to disk, not before.
    /// Errors: unknown_connector, connector_disabled, filtered, invalid_event, too_large, overloaded, storage_full,
    /// unavailable.
    caf::result<accepted>(send_to_connector),

    /// Up to `send_batch::max_items` events, answered item by item, in order, when all are decided. The same codes, per
    /// item; the message as a whole only fails when it is too long (invalid_event).
    caf::result<batch_result>(send_batch),

    /// One event for all connectors that rules name for it. The answer comes when all that its rules make of it is decided.
    /// Errors: invalid_event, too_large, overloaded, unavailable (some of it may be there: see `trigger_answer`).
    caf::result<trigger_result>(trigger),

    /// Up to `trigger_batch::max_items` triggers, answered in order, when all are decided. The same codes, per item.
    caf::result<trigger_batch_result>(trigger_batch),

    /// What was sent with an id, with its attempts: one history for each connector that it was sent to, a page at a time.
    /// Errors: not_found, invalid_event (bad cursor), overloaded, unavailable.
    caf::result<event_page>(get_event),

    /// A page of a run's events. Errors: not_found, invalid_event (bad cursor), overloaded, unavailable.
    caf::result<run_page>(get_run),

    /// The attempts after a cursor; waits up to `wait_ms` for the first one. Says when some of them are gone. Errors:
    /// invalid_event (bad cursor), overloaded, unavailable.
    caf::result<outcome_page>(read_outcomes)>;

/// What an operator sends (role `operator`): the connectors, the status, and the reads of an engine.
using operator_actor = caf::typed_actor<
    /// Creates or replaces; makes a secret when there is none in the put and none to keep.
    /// Errors: invalid_connector, connector_busy (it is being deleted), storage_full, unavailable.
    caf::result<connector_view>(put_connector),

    /// Errors: not_found.
    caf::result<connector_view>(get_connector),

    /// With `force` the answer may take as long as it takes to fail what is pending. Errors: not_found, connector_busy (also
    /// while rules name it), unavailable.
    caf::result<void>(delete_connector),

    /// A page of connectors, by id.
    caf::result<connector_page>(list_connectors),

    /// Creates or replaces. Errors: invalid_rule, unknown_connector, too_large, storage_full, unavailable.
    caf::result<rule>(put_rule),
    /// Errors: not_found, unavailable.
    caf::result<rule>(get_rule), caf::result<void>(delete_rule),
    /// A page of rules, by id.
    caf::result<rule_page>(list_rules),
    /// Errors: invalid_event, too_large, unavailable.
    caf::result<trial_page>(try_rules),

    /// As an engine's.
    caf::result<event_page>(get_event), caf::result<run_page>(get_run),
    caf::result<outcome_page>(read_outcomes),

    /// The node's and its partitions' totals, and a page of the connectors that are busy, by id.
    caf::result<node_status>(get_status),

    /// Answered when the backup is whole and synced, which takes as long as there are bytes. Errors: forbidden (not below the
    /// folder that the node was given for backups, or it was given none), storage_full, unavailable (the detail says why).
    caf::result<backup_made>(make_backup)>;

/// Both: what a node is to who embeds it.
using node_actor =
    gateway_actor::extend<caf::result<connector_view>(put_connector),
                          caf::result<connector_view>(get_connector), caf::result<void>(delete_connector),
                          caf::result<connector_page>(list_connectors), caf::result<node_status>(get_status),
                          caf::result<rule>(put_rule), caf::result<rule>(get_rule),
                          caf::result<void>(delete_rule), caf::result<rule_page>(list_rules),
                          caf::result<trial_page>(try_rules), caf::result<backup_made>(make_backup)>;

/// An `errc` with its sentence as a CAF error, and back. An error that is not one of ours (a lost connection, say)
/// becomes `unavailable` with CAF's own text.
[[nodiscard]] caf::error make_refusal(errc code, std::string_view detail);
[[nodiscard]] caf::error make_refusal(const refusal& reason);
[[nodiscard]] refusal refusal_of(const caf::error& reason);

/// Registers the message types with CAF, and CAF's own. Call once, before the first actor
/// system is made.
void register_message_types();

} // namespace vicket
