#pragma once

#include "transport/connection.hpp"
#include "transport/http_transport.hpp"

#include <boost/intrusive/list.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

namespace vicket {

/// Where connections go: requests with the same key may share them.
struct destination_key {
  std::string host;
  std::uint16_t port;
  bool tls;
};

/// An endpoint with its hash, computed once: it picks the I/O thread and finds the destination there.
struct hashed_endpoint {
  const http_endpoint& endpoint;
  std::size_t hash;
};

[[nodiscard]] std::size_t hash_of(const http_endpoint& endpoint);

struct destination_line;

/// What an I/O thread keeps for one endpoint: idle connections and a TLS session to resume.
struct destination {
  using idle_list = boost::intrusive::list<
      connection, boost::intrusive::member_hook<connection, connection::hook, &connection::by_endpoint>>;

  destination_key key;
  std::size_t hash = 0;
  std::size_t requests = 0;           ///< that use it now; it stays while there are any
  std::size_t connections = 0;        ///< idle, in use, or being dialled
  idle_list idle;                     ///< the last used one at the back
  ssl_session_ptr session;            ///< the newest ticket
  std::uint64_t session_number = 0;   ///< tells it from those before it
  connection::time_point verified_at; ///< when the certificate behind `session` was last checked
  boost::intrusive::list_member_hook<> by_session_age;
  std::shared_ptr<destination_line> line; ///< who waits for a connection; null: nobody has yet
};

/// Bounds of the pool of one I/O thread.
struct pool_limits {
  std::size_t max_idle;
  std::size_t max_idle_per_endpoint;
  std::chrono::milliseconds idle_timeout;
  std::chrono::milliseconds
      max_age;              ///< an older connection is not used again, so that changes of DNS are seen
  std::size_t max_sessions; ///< the oldest is forgotten
  std::chrono::minutes max_session_age;
};

/// The idle connections of one I/O thread. Taken last in, first out, so that a burst's connections go idle
/// and are closed; at the bound the longest idle is closed, and so is one whose peer closes it or speaks unasked, when
/// it does. Not thread-safe.
class connection_pool final : private connection::user {
public:
  using time_point = connection::time_point;

  explicit connection_pool(const pool_limits& limits) : limits_{limits} {}
  connection_pool(const connection_pool&) = delete;
  connection_pool& operator=(const connection_pool&) = delete;
  ~connection_pool() { clear(); }

  /// A request begins to use the endpoint's destination; `release` ends it.
  [[nodiscard]] destination& acquire(const hashed_endpoint& to);
  void release(destination& to);

  /// The connection used last; null: there is none.
  [[nodiscard]] std::unique_ptr<connection> take(destination& from, time_point now);

  void put(std::unique_ptr<connection> idle, time_point now);

  /// Closes all idle connections to it.
  void close_idle(destination& to);
  /// Closes the longest idle ones, so that their descriptors are there for others. False: none is idle.
  bool give_up(std::size_t count);
  /// Closes one to this address, so that its local port is there at once. False: none is idle.
  bool give_up_port(const ip_address& address, std::uint16_t port);

  /// Closes what has been idle for too long.
  void sweep(time_point now);

  void clear();
  [[nodiscard]] bool empty() const { return by_age_.empty(); }

  /// The session to resume; null: there is none, or its certificate was checked too long ago (resuming skips
  /// that).
  [[nodiscard]] SSL_SESSION* session_of(destination& to, time_point now);
  void remember_session(destination& to, ssl_session_ptr session, time_point verified_at);
  /// The one with that number, unless there is a newer one by now.
  void forget_session(destination& of, std::uint64_t number);
  /// All of them: who is trusted has changed, and resuming skips that check.
  void forget_sessions();

private:
  struct hasher {
    using is_transparent = void;
    std::size_t operator()(const destination_key& key) const;
    std::size_t operator()(const hashed_endpoint& endpoint) const { return endpoint.hash; }
  };
  struct same {
    using is_transparent = void;
    bool operator()(const destination_key& a, const destination_key& b) const;
    bool operator()(const destination_key& a, const hashed_endpoint& b) const;
    bool operator()(const hashed_endpoint& a, const destination_key& b) const { return (*this)(b, a); }
  };

  void on_ready(connection& idle, readiness what) override;
  std::unique_ptr<connection> unlink(connection& idle);
  void close(connection& idle);
  void forget_session(destination& of);
  void drop_if_unused(destination& what);

  const pool_limits limits_;
  std::uint64_t sessions_ = 0; ///< how many there have been
  std::unordered_map<destination_key, destination, hasher, same> destinations_;
  boost::intrusive::list<connection,
                         boost::intrusive::member_hook<connection, connection::hook, &connection::by_age>>
      by_age_; ///< all idle connections, the longest idle first
  boost::intrusive::list<destination,
                         boost::intrusive::member_hook<destination, boost::intrusive::list_member_hook<>,
                                                       &destination::by_session_age>>
      by_session_age_; ///< destinations with a session, the oldest first
};

} // namespace vicket
