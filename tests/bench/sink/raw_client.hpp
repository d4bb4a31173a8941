#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace vicket::testing {

/// A bare or a TLS connection that sends exactly the bytes it is told to. What never comes is given up after
/// a minute. Throws std::runtime_error for whatever a test does not expect.
class raw_client {
public:
  /// To 127.0.0.1. `ca_file`: PEM to verify the server by; empty: no TLS. The handshake comes with the first
  /// bytes.
  raw_client(std::uint16_t port, const std::string& ca_file);
  /// Over a socket that is connected, and becomes its own.
  raw_client(int connected, const std::string& ca_file);
  ~raw_client();
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;

  void send(std::string_view bytes);
  /// The next answer: its head and, by its Content-Length, its body.
  [[nodiscard]] std::string answer();
  /// No more comes: the server closed.
  [[nodiscard]] bool ended();
  /// Sends all of it without waiting for answers as long as the server takes it, reading those only when it
  /// doesn't; then reads up to `answer_bytes` in all.
  [[nodiscard]] std::string flood(std::string_view bytes, std::size_t answer_bytes);

  /// Sends as much as goes without waiting, and cuts that off. False: the server closed.
  [[nodiscard]] bool offer(std::string_view& bytes);
  /// What has come by now.
  [[nodiscard]] std::string take_all();

  [[nodiscard]] std::string cipher() const;

private:
  struct release {
    void operator()(SSL_CTX* context) const noexcept;
    void operator()(SSL* session) const noexcept;
  };
  enum class progress { made, none, ended };

  progress try_send(std::string_view& bytes);
  progress try_receive(std::string& into);
  progress progress_of(long count) const;
  void wait(short events) const;
  void start_tls(const std::string& ca_file);

  int socket_;
  std::unique_ptr<SSL_CTX, release> context_;
  std::unique_ptr<SSL, release> tls_;
  std::string received_; ///< and not handed out
};

} // namespace vicket::testing
