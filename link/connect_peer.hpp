#pragma once

#include "link/link_options.hpp"
#include "messages/link_state.hpp"
#include "messages/peer_actor.hpp"

#include <caf/fwd.hpp>

namespace vicket {

/// An actor that stands for another node of the cluster: see connect.hpp, whose errors it has beside those of the
/// interface. Of the node's addresses one is connected to at a time.
[[nodiscard]] peer_actor connect_peer(caf::actor_system& system, const link_options& options);

} // namespace vicket
