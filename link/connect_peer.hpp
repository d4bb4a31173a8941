#pragma once

#include "link/link_options.hpp"
#include "messages/link_state.hpp"
#include "messages/peer_actor.hpp"

#include <caf/fwd.hpp>

#include <memory>

namespace vicket {

namespace internal {
class tls_contexts;
}

/// An actor that stands for another node of the cluster: see connect.hpp, whose errors it has beside those of the
/// interface. Of the node's addresses one is connected to at a time. `tls`: what the connections use, instead of the files of
/// the options, if any; whoever has it can have them read again.
[[nodiscard]] peer_actor connect_peer(caf::actor_system& system, const link_options& options,
                                      std::shared_ptr<internal::tls_contexts> tls = {});

} // namespace vicket
