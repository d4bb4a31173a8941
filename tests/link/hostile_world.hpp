#pragma once

#include "link/connect.hpp"
#include "link/port.hpp"
#include "net/link_server.hpp"
#include "tests/link/echoing_peer.hpp"
#include "tests/link/quiet_config.hpp"
#include "tests/link/scripted_node.hpp"
#include "tests/support/raw_peer.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace vicket::testing {

/// A port with a scripted node behind it, for clients that mean harm, and an honest client beside them.
struct hostile_world {
  explicit hostile_world(const std::function<void(actor_port::options&)>& change = {}) {
    actor_port::options options;
    options.listen = {std::get<place>(parse_place("127.0.0.1:0"))};
    options.log_warning = [this](const std::string& line) {
      const std::lock_guard guard{mutex};
      lines.push_back(line);
    };
    options.peer = system.spawn(echoing_peer);
    options.local_peers = true;
    if (change)
      change(options);
    node = system.spawn(scripted_node);
    auto opened = actor_port::open(system, node, std::move(options));
    port = std::get<0>(std::move(opened));
    number = port->places().front().address.port;
    link_options link;
    link.nodes = {port->places().front().to_string()};
    honest = connect_node(system, link);
  }

  [[nodiscard]] raw_peer upgraded(std::string_view roles = "sender, operator",
                                  std::string_view sub_protocol = "vicket.caf.1") const {
    auto peer = raw_peer::tcp(number);
    peer.send(upgrade_request(sub_protocol, std::string{"Vicket-Roles: "}.append(roles).append("\r\n")));
    const auto head = peer.read_head();
    if (!head.starts_with("HTTP/1.1 101"))
      throw std::runtime_error{"no upgrade: " + head};
    return peer;
  }

  /// The honest client's connection has lived through it.
  [[nodiscard]] bool serves() {
    caf::scoped_actor self{system};
    bool good = false;
    self->request(honest, std::chrono::seconds{30}, get_status{})
        .receive([&](const node_status& status) { good = status.version == "scripted"; },
                 [](const caf::error&) {});
    return good;
  }

  quiet_config config;
  caf::actor_system system{config};
  std::mutex mutex;
  std::vector<std::string> lines; ///< guarded by mutex
  node_actor node;
  std::unique_ptr<actor_port> port;
  std::uint16_t number = 0;
  node_actor honest;
};

} // namespace vicket::testing
