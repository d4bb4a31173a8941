#pragma once

#include "bench/sink/arrival_log.hpp"
#include "bench/sink/descriptor.hpp"
#include "bench/sink/listening_socket.hpp"
#include "bench/sink/reception.hpp"
#include "bench/sink/server_tls.hpp"
#include "bench/sink/sink_connection.hpp"
#include "bench/sink/termination_watch.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace vicket::bench {

/// An HTTPS server of one thread that never waits but for all of its connections at once (epoll).
///
/// Invariants: `places_[n]` has a connection exactly when descriptor n is one that is open; `delayed_` holds
/// those with a `due_ns`, and `in_line_` at least those with `has_another_turn`.
class sink_server {
public:
  struct settings {
    listening_socket https;
    tls_context tls;
    std::optional<listening_socket> plain; ///< plain HTTP; every request is verified
    std::size_t max_connections = 0;       ///< at it, clients wait to be accepted until another is gone
  };

  sink_server(settings how, arrival_log& log, reception& desk, const termination_watch& end);

  /// Until `end` says so. Throws std::runtime_error when the system doesn't let it go on.
  void run();

private:
  struct place {
    std::unique_ptr<sink_connection> connection;
    std::uint32_t watched_events = 0;
    std::uint64_t due_ns = 0; ///< of a delayed answer; 0: none
    bool counted_as_new = false;
    bool counted_as_hanging = false;
    bool has_another_turn = false;
  };

  void watch(int number, std::uint32_t events, int operation);
  void watch_ports(std::uint32_t events, int operation);
  [[nodiscard]] int milliseconds_to_wait() const;
  [[nodiscard]] bool handle(int number);
  void accept_from(listening_socket& port, bool over_tls);
  void open(descriptor socket, bool over_tls);
  void close(int number);
  void count_as_old(place& one);
  void see_to(int number, sink_connection::need what);
  void serve_those_in_line();
  void answer_those_due();

  settings how_;
  arrival_log& log_;
  const termination_watch& end_;
  descriptor epoll_;
  sink_workspace space_;
  std::vector<place> places_; ///< by descriptor
  std::size_t open_ = 0;
  std::size_t new_ = 0;                             ///< of them, those that have not said anything
  std::size_t most_new_ = 0;                        ///< at a time, since there was none
  std::set<std::pair<std::uint64_t, int>> delayed_; ///< due_ns, descriptor
  std::vector<int> in_line_;
};

} // namespace vicket::bench
