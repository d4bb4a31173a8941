#pragma once

#include "link/roles.hpp"
#include "messages/actors.hpp"
#include "messages/peer_actor.hpp"
#include "net/place.hpp"
#include "net/tls_files.hpp"

#include <caf/fwd.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace vicket {

namespace internal {
struct link_server_options;
}

/// A node's actor port: connections of engines, operators and the command line, and for each a session actor that speaks
/// for it. No other actor can be reached through it, and nothing but what the table of kinds has.
class actor_port {
public:
  struct options {
    std::vector<place> listen;
    std::optional<tls_files> tls; ///< of TCP places; Unix sockets have none
    std::vector<role_rule> roles; ///< empty: every certificate of the CA is sender and operator
    std::function<void(const std::string&)> log_warning; ///< from any thread; not empty
    /// For tests: changes bounds.
    std::function<void(internal::link_server_options&)> change = {};
    /// What other nodes of the cluster may ask (role `peer`); null: there are none.
    peer_actor peer = {};
    /// Who comes in without TLS, so from this machine, may be a peer, too: for a cluster on one machine.
    bool local_peers = false;
  };

  /// Listens everywhere, or one clear line says why not. The actor system outlives the port.
  [[nodiscard]] static std::variant<std::unique_ptr<actor_port>, std::string>
  open(caf::actor_system& system, const node_actor& node, options with);
  /// Ends all connections.
  ~actor_port();

  /// Where it listens, with the ports that were picked.
  [[nodiscard]] std::vector<place> places() const;
  /// What reads the TLS files again, for connections from then on, or says why those of before stay. For any thread, since
  /// the files may be on a mount that hangs; also when this has ended.
  [[nodiscard]] std::function<std::optional<std::string>()> reloader() const;
  /// No new connections from here on; open ones go on.
  void close_for_new();
  /// Closes those that are open, after what is to be written on them.
  void close_all(std::chrono::milliseconds patience);

private:
  struct rep;
  explicit actor_port(std::unique_ptr<rep> made);
  std::unique_ptr<rep> rep_;
};

} // namespace vicket
