#pragma once

#include "net/connection_caps.hpp"
#include "net/deadlines.hpp"
#include "net/io_thread.hpp"
#include "net/place.hpp"
#include "net/tls_contexts.hpp"
#include "net/upgrade_rules.hpp"
#include "net/web_socket.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace vicket::internal {

/// How a port takes connections.
struct link_server_options {
  std::vector<place> listen;
  std::shared_ptr<tls_contexts> tls; ///< of the TCP places; null: they are plain. Unix sockets always are
  std::string path;                  ///< the only one that is served
  std::vector<std::string> sub_protocols;
  connection_limits connections;
  deadline_limits deadlines;
  web_socket_limits messages;
  std::size_t budget_bytes = 256u << 20; ///< see byte_budget
  std::size_t always_bytes = 64u << 10;
  std::function<void(const std::string&)> log_warning; ///< from the I/O thread; not empty

  /// Who asks and what for, once it is an upgrade to one of the sub-protocols: the answer, which may still be a refusal, or
  /// one with header fields added. On the I/O thread.
  std::function<upgrade_answer(const request_head&, const peer_identity&, upgrade_answer)> judge;
  /// It is open now. Null: it is ended.
  std::function<std::shared_ptr<web_socket_owner>(const request_head&, const std::string& sub_protocol,
                                                  std::shared_ptr<web_socket>)>
      open;
};

/// A port of WebSocket connections: listens, speaks TLS, upgrades, keeps the caps. One I/O thread serves all of it.
class link_server {
public:
  /// Listens at all places, or one clear line says why not.
  [[nodiscard]] static std::variant<std::unique_ptr<link_server>, std::string>
  start(link_server_options options);
  /// Ends all connections.
  ~link_server();

  /// As bound, in the order of the options.
  [[nodiscard]] std::vector<place> places() const;
  /// No new connections from here on.
  void close_for_new();
  /// Closes those that are open, as going away, and waits until they are, for as long as that at most.
  void close_all(const std::string& why, std::chrono::milliseconds patience);
  /// How many are open.
  [[nodiscard]] std::size_t established() const;

private:
  struct rep;
  explicit link_server(std::unique_ptr<rep> made);
  std::unique_ptr<rep> rep_;
};

} // namespace vicket::internal
