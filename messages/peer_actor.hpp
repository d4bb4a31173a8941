#pragma once

#include "messages/actors.hpp"
#include "messages/peer.hpp"

#include <caf/result.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

/// What nodes of a cluster say to each other, and what a node's front says to a partition. Apart from the wire of engines,
/// whose programs have numbers of their own, and not registered by `register_message_types`. A frame of the link has none
/// of these numbers: they are CAF's, inside a process.
CAF_BEGIN_TYPE_ID_BLOCK(vicket_peer, caf::first_custom_type_id + 100)

CAF_ADD_TYPE_ID(vicket_peer, (vicket::composed_event))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::accept_events))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::find_partition_events))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::find_partition_run))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::found_events))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::read_partition_histories))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::partition_histories))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::read_partition_outcomes))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::partition_outcomes))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::get_partition_overview))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::partition_overview))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::of_partition<vicket::accept_events>))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::of_partition<vicket::put_connector>))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::of_partition<vicket::get_connector>))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::of_partition<vicket::delete_connector>))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::of_partition<vicket::list_connectors>))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::of_partition<vicket::get_partition_overview>))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::of_partition<vicket::find_partition_events>))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::of_partition<vicket::find_partition_run>))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::of_partition<vicket::read_partition_histories>))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::of_partition<vicket::read_partition_outcomes>))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::await_feed))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::feed_awaited))

CAF_ADD_TYPE_ID(vicket_peer, (vicket::put_setting))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::delete_setting))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::get_setting))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::list_settings))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::setting))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::settings_page))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::of_partition<vicket::put_setting>))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::of_partition<vicket::delete_setting>))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::of_partition<vicket::get_setting>))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::of_partition<vicket::list_settings>))

CAF_ADD_TYPE_ID(vicket_peer, (vicket::open_checkpoint))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::checkpoint_file))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::opened_checkpoint))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::read_checkpoint))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::checkpoint_bytes))
CAF_ADD_TYPE_ID(vicket_peer, (vicket::close_checkpoint))

CAF_END_TYPE_ID_BLOCK(vicket_peer)

namespace vicket {

/// Another node of the cluster, as a node asks it for its partitions. All may be refused with `not_owner`: the partition
/// is not that node's (any more), and nothing was done; and with `unavailable`: it may or may not have been done.
using peer_actor = caf::typed_actor<
    /// Seat → peer. Codes of the items: as of `send_batch`, and not_owner.
    caf::result<batch_result>(of_partition<accept_events>),
    /// As an operator's.
    caf::result<connector_view>(of_partition<put_connector>),
    caf::result<connector_view>(of_partition<get_connector>),
    caf::result<void>(of_partition<delete_connector>),
    caf::result<connector_page>(of_partition<list_connectors>),
    caf::result<partition_overview>(of_partition<get_partition_overview>),
    /// The run history.
    caf::result<found_events>(of_partition<find_partition_events>),
    caf::result<found_events>(of_partition<find_partition_run>),
    caf::result<partition_histories>(of_partition<read_partition_histories>),
    caf::result<partition_outcomes>(of_partition<read_partition_outcomes>),
    /// Errors: overloaded (too many wait already).
    caf::result<feed_awaited>(await_feed),
    /// Of the partition `settings`.
    caf::result<void>(of_partition<put_setting>), caf::result<void>(of_partition<delete_setting>),
    caf::result<setting>(of_partition<get_setting>), caf::result<settings_page>(of_partition<list_settings>),
    /// A copy of the node's store, for one that has to begin with it. Errors: not_owner (it has none that is of use),
    /// overloaded (too many are open), unavailable; not_found of one that is not open (any more).
    caf::result<opened_checkpoint>(open_checkpoint), caf::result<checkpoint_bytes>(read_checkpoint),
    caf::result<void>(close_checkpoint)>;

/// Registers with CAF what is above. After `register_message_types`, before the first actor system.
void register_peer_types();

} // namespace vicket
