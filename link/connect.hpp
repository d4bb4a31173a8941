#pragma once

#include "link/link_options.hpp"
#include "messages/actors.hpp"
#include "messages/link_state.hpp"

#include <caf/fwd.hpp>

namespace vicket {

/// An actor of the caller's system that stands for a node, or for the nodes of a cluster: it connects by itself, and again,
/// in the order of the options, with pauses of 0.1 to 5 s. It ends with its last reference, which has to go before the
/// system does; requests that wait then get CAF's `broken_promise`. Beside the errors of the interface:
///   unavailable    there is no connection, or it went while the request was under way; also when the node does not answer
///   overloaded     too much waits for an answer already
///   too_large      the message is longer than a node takes (32 MiB)
/// Throws std::runtime_error with one clear line where the options can't be used: no node, a malformed one, TLS files that
/// can't be read.
[[nodiscard]] gateway_actor connect(caf::actor_system& system, const link_options& options);

/// The same for an operator.
[[nodiscard]] operator_actor connect_operator(caf::actor_system& system, const link_options& options);

/// Whatever the node lets this certificate be, in one connection; what is for another role is refused with `forbidden`.
[[nodiscard]] node_actor connect_node(caf::actor_system& system, const link_options& options);

} // namespace vicket
