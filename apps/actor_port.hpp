#pragma once

#include "net/tls_files.hpp"
#include "apps/values.hpp"
#include "messages/actors.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace vicket {

/// CAF as both programs use it: I/O loaded, TLS where there are files for it, its own logs quiet, no config
/// file and no flags of its own, and workers that sleep when there is nothing to do (design.md: polling costs
/// a third of the throughput). `threads` 0: one for every two cores, since I/O and commits have threads of their own.
[[nodiscard]] std::unique_ptr<caf::actor_system_config>
make_actor_config(std::size_t threads, const std::optional<tls_files>& tls);

/// Why nobody could listen there right now ("address already in use"), else `nullopt`. CAF tells less.
[[nodiscard]] std::optional<std::string> listen_complaint(const host_port& place);

/// Makes the gateway reachable. The port is the one that was bound; else one clear line.
[[nodiscard]] std::variant<std::uint16_t, std::string>
publish_gateway(caf::actor_system& system, const gateway_actor& gateway, const host_port& place, bool tls);

/// No new connections from here on; open ones go on.
void close_actor_port(caf::actor_system& system, std::uint16_t port);

/// A connection to a node's gateway within `timeout_ms` in all, else one clear line.
[[nodiscard]] std::variant<gateway_actor, std::string>
connect_gateway(caf::actor_system& system, const host_port& place, bool tls, std::int64_t timeout_ms);

} // namespace vicket
