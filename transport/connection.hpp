#pragma once

#include "policy/address_guard.hpp"
#include "transport/http_transport.hpp"
#include "transport/socket_rules.hpp"
#include "transport/socket_watch.hpp"
#include "transport/tls_context.hpp"

#include <boost/intrusive/list.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace vicket {

struct destination;
class connection_pool;

/// One TCP connection to a checked address, with TLS on it or not. Its calls never block: after
/// `want_read`/`want_write` its user is told when the socket is ready, and calls again.
///
/// OpenSSL works on the socket itself, without Asio's stream in between: that one keeps four buffers of 17 KB
/// for each connection, and copies every byte twice more.
class connection final : private tls_session_owner, private socket_watch::listener {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Whoever has the connection: a request, or the pool. One at a time.
  class user {
  public:
    /// The socket has become ready; maybe only for what was known. May destroy the connection.
    virtual void on_ready(connection& which, readiness what) = 0;

  protected:
    ~user() = default;
  };

  /// A TLS 1.3 server may send tickets at any time, usually two; one that does not stop is cut off.
  static constexpr unsigned max_tickets = 64;

  enum class io : std::uint8_t {
    done,       ///< `bytes` were read or written, or the handshake is complete
    want_read,  ///< nothing to do until the socket is readable
    want_write, ///< nothing to do until the socket is writable
    closed,     ///< the peer ended the stream in order
    cut,        ///< the peer ended TCP without ending TLS
    reset,      ///< the socket failed; `error()` says how
    tls_failed, ///< the TLS layer failed; `error()` is a predicate to the peer's address
  };
  struct progress {
    io state;
    std::size_t bytes = 0;
  };

  /// `rules` outlive it.
  connection(socket_watch& watch, connection_pool& pool, destination& to, const ip_address& address,
             std::uint16_t port, const socket_rules& rules);
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection();

  /// Who is told from now on.
  void belong_to(user& whom) { user_ = &whom; }

  [[nodiscard]] std::string peer_text() const; ///< "1.2.3.4:443", "[2606::1]:443"
  [[nodiscard]] const ip_address& address() const { return address_; }

  /// Begins to connect: `want_write` or `done`; or `reset`: `error()` says why. What is short is taken from the pool's idle
  /// connections first.
  [[nodiscard]] progress connect();
  /// Whether it has, once the socket is ready.
  [[nodiscard]] progress continue_connect();
  /// It is connected: its age counts from now.
  void connected(time_point now) { connected_at_ = now; }

  /// Offers the destination's TLS session, if it has one and `may_resume`. False: out of memory.
  [[nodiscard]] bool start_tls(const tls_context& context, bool may_resume);
  [[nodiscard]] progress handshake();
  /// A session was offered, and nothing the peer has said since is a proof that it can be used.
  [[nodiscard]] bool resumption_unproven() const { return offered_session_ != 0; }
  [[nodiscard]] bool certificate_refused() const { return !refused_certificate_.empty(); }
  /// What was offered is offered to nobody any more.
  void forget_offered_session();
  [[nodiscard]] progress read(std::span<char> into);
  [[nodiscard]] progress write(std::string_view bytes);

  /// Whether it has nothing to say, neither its end nor bytes that no request asked for: asks the socket.
  [[nodiscard]] bool silent();

  /// The same right after a complete answer, without asking where what is known will do. From then on the pool hears
  /// of anything that comes.
  [[nodiscard]] bool silent_after_answer();

  /// Tells the peer that this is the end, if that takes no waiting.
  void say_goodbye();

  /// The socket is reset when it is closed, instead of keeping its local port for a minute.
  void reset_at_close();

  [[nodiscard]] const std::string& error() const { return error_; }
  /// After `reset`, `tls_failed` or a `start_tls` that did not: what failed is this node, for want of that.
  [[nodiscard]] const std::optional<own_shortage>& shortage() const { return shortage_; }
  [[nodiscard]] destination& to() const { return to_; }
  [[nodiscard]] time_point connected_at() const { return connected_at_; }

private:
  friend class connection_pool;

  void on_ready(readiness what) override;
  void on_ticket(ssl_session_ptr session) override;
  void on_certificate_refused(std::string reason) override;
  void on_certificate_asked() override;
  void on_shortage(std::string what) override;
  const std::string& host() const override;
  progress read_some(std::span<char> into);
  progress tls_result(int result, std::size_t bytes);
  progress socket_failed(int number);
  progress begin_to_connect();
  progress no_socket(int number);
  progress connect_failed(int number);
  [[nodiscard]] bool has_source_address() const;
  void close();
  std::string handshake_error(unsigned long code) const;

  socket_watch& watch_;
  connection_pool& pool_;
  user* user_ = nullptr;
  destination& to_; ///< outlives the connection: the pool keeps it while it has connections or requests
  ip_address address_;
  std::uint16_t port_;
  const socket_rules& rules_;
  int socket_ = -1;
  bool counted_ = false; ///< in the budget
  std::optional<socket_watch::ticket> watched_;
  bool ended_ = false; ///< the peer has said its last
  std::size_t read_since_silent_ = 0;
  const tls_context* trust_ = nullptr;
  ssl_ptr tls_;
  std::uint64_t offered_session_ = 0; ///< its number, until something was read over it; 0: none
  std::string error_;
  std::optional<own_shortage> shortage_;
  std::string refused_certificate_;
  bool asked_for_certificate_ = false; ///< by the peer, of us
  unsigned tickets_ = 0;
  time_point connected_at_;
  time_point offered_verified_at_; ///< when the certificate of the session that we offered had been checked
  time_point idle_since_;

public:
  using hook = boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::safe_link>>;
  hook by_age;      ///< in the pool's list of idle connections
  hook by_endpoint; ///< in its destination's
};

} // namespace vicket
