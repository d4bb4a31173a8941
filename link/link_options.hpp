#pragma once

#include "net/tls_files.hpp"

#include <caf/actor_addr.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace vicket {

/// How an engine reaches a node, or the nodes of a cluster.
struct link_options {
  /// `HOST:PORT` or `unix:PATH`; one is connected to at a time. After a failure the next one is dialled.
  std::vector<std::string> nodes;
  std::optional<tls_files> tls; ///< absent: plain TCP. Unix sockets are always without
  /// How long what is asked waits for a connection, then it fails with `unavailable`. (What was sent when a connection goes
  /// fails at once: it may or may not have been done.)
  std::chrono::milliseconds wait{2'000};
  /// Requests without an answer, and the bytes of their messages: beyond either, `overloaded`.
  std::size_t max_requests = 1'024;
  std::size_t max_bytes = 64u << 20;
  /// Gets a `link_state` whenever there is a connection, there is none any more, or one could not be made. Not kept alive.
  /// It is told of a loss before the answers `unavailable`.
  caf::actor_addr watcher = {};
};

} // namespace vicket
