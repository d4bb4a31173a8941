#pragma once

#include "tests/support/certificates.hpp"

#include <openssl/ssl.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace vicket::testing {

/// An IPv4 address; port 0 picks a free one.
struct peer_place {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
};

/// An HTTP(S) server on a loopback address that does to each connection exactly what a script says, right or wrong.
/// One thread per connection, blocking; everything blocking ends when the peer is destroyed.
class http_peer {
public:
  /// A connection that the script drives.
  class connection {
  public:
    [[nodiscard]] unsigned number() const { return number_; } ///< 1 for the peer's first
    [[nodiscard]] bool resumed() const;                       ///< the TLS session is an earlier one, resumed
    [[nodiscard]] bool over_tls() const { return ssl_ != nullptr; }

    /// The next request's bytes as they came, with its body by Content-Length; `nullopt`: the client is gone.
    std::optional<std::string> read_request();

    /// False: the client is gone.
    bool send(std::string_view bytes);

    /// Waits until the client closes (or the peer ends), reading and throwing away what comes.
    void hang();

    void close(); ///< in order: close_notify, then FIN
    void cut();   ///< FIN without close_notify
    void reset(); ///< RST

  private:
    friend class http_peer;
    connection(http_peer& peer, int fd, unsigned number) : peer_{peer}, fd_{fd}, number_{number} {}

    bool secure(SSL_CTX* context);
    [[nodiscard]] std::string peek_hello();
    long receive(char* into, std::size_t size);
    bool wait(short events);

    http_peer& peer_;
    int fd_;
    unsigned number_;
    SSL* ssl_ = nullptr;
    std::string rest_; ///< read already, of the next request
  };

  using script = std::function<void(connection&)>;

  using place = peer_place;

  /// Serves plain HTTP.
  explicit http_peer(script on_connection, const place& at = {});

  /// Serves HTTPS with `own` and the certificates behind it in its PEM; the script runs after the handshake.
  http_peer(script on_connection, const certificate& own, const place& at = {});

  http_peer(const http_peer&) = delete;
  http_peer& operator=(const http_peer&) = delete;
  ~http_peer();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] unsigned connections() const { return accepted_; }
  [[nodiscard]] std::vector<std::string> requests() const; ///< as `read_request` gave them
  [[nodiscard]] std::uint64_t bytes_sent() const { return bytes_sent_; }

  /// What it does before a handshake, having seen whether the client offers a session. Before the first connection.
  /// The handshake goes on where it has left the connection as it was.
  using hello_script = std::function<void(connection&, bool offers_session)>;
  void on_client_hello(hello_script what) { on_hello_ = std::move(what); }

  /// The highest TLS version it speaks, e.g. `TLS1_1_VERSION`. Before the first connection.
  void limit_tls_version(int highest);

  /// OpenSSL's own settings. Before the first connection.
  [[nodiscard]] SSL_CTX* tls() { return context_.get(); }

private:
  void listen(const place& at);
  void accept_all();
  void serve(int fd, unsigned number);

  script script_;
  hello_script on_hello_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_{nullptr, SSL_CTX_free};
  int listener_ = -1;
  int stop_[2] = {-1, -1}; ///< a pipe: readable once the peer ends
  std::uint16_t port_ = 0;
  std::atomic<unsigned> accepted_{0};
  std::atomic<std::uint64_t> bytes_sent_{0};
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;    ///< guarded by `mutex_`
  std::vector<std::thread> connections_; ///< touched by the accepting thread, and after its end
  std::thread acceptor_;
};

/// An answer's bytes with Content-Length; `headers` are lines ended by CRLF.
[[nodiscard]] std::string answer(int status, std::string_view body = "", std::string_view headers = "");

/// Gives `bytes` to every request of every connection.
[[nodiscard]] http_peer::script always(std::string bytes);

} // namespace vicket::testing
