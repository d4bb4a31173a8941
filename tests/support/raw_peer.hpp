#pragma once

#include "net/tls_files.hpp"

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vicket::testing {

/// A client that knows nothing of WebSocket but what a test has it say: bytes over TCP or a Unix socket, with TLS or
/// without, blocking. What does not come within half a minute throws std::runtime_error.
class raw_peer {
public:
  [[nodiscard]] static raw_peer tcp(std::uint16_t port);
  [[nodiscard]] static raw_peer unix_socket(const std::string& path);

  raw_peer(raw_peer&& other) noexcept;
  ~raw_peer();

  /// A handshake with a certificate, or without one (empty files).
  void start_tls(const tls_files& files);

  /// False: the other side has hung up.
  bool send(std::string_view bytes);
  /// Until there are that many, or the other side has hung up.
  [[nodiscard]] std::string read(std::size_t size);
  [[nodiscard]] std::string read_to_end();
  /// Of an HTTP answer, with the empty line.
  [[nodiscard]] std::string read_head();
  /// The other side hangs up; what it said before is thrown away.
  void await_end() { static_cast<void>(read_to_end()); }
  void hang_up();

  [[nodiscard]] int descriptor() const { return socket_; }

private:
  explicit raw_peer(int socket);
  [[nodiscard]] long receive(char* into, std::size_t size);

  struct tls;
  int socket_;
  std::unique_ptr<tls> tls_;
};

/// The head of an upgrade to `/v1/link`; `more` are lines of header fields, each with its CRLF.
[[nodiscard]] std::string upgrade_request(std::string_view sub_protocol, std::string_view more = {},
                                          std::string_view target = "/v1/link");

/// A client's frame, masked. `opcode` 1 text, 2 binary, 8 close, 9 ping, 10 pong, 0 goes on.
[[nodiscard]] std::string client_frame(unsigned opcode, std::string_view payload, bool last = true);
/// Only its head, for a payload that is said to have `size` bytes.
[[nodiscard]] std::string client_frame_head(unsigned opcode, std::uint64_t size, bool last = true);

/// A server's frame.
struct server_frame {
  unsigned opcode = 0;
  std::string payload;

  /// Of a close; 0: it is none.
  [[nodiscard]] unsigned close_code() const;
  [[nodiscard]] std::string close_text() const;
};
/// The next frame; nothing: the other side has hung up.
[[nodiscard]] std::optional<server_frame> read_frame(raw_peer& from);
/// The next that is no ping or pong.
[[nodiscard]] std::optional<server_frame> read_message(raw_peer& from);

} // namespace vicket::testing
