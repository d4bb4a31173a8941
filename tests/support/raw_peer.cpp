#include "tests/support/raw_peer.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace vicket::testing {

namespace {

constexpr long patience_s = 30;

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error{what + ": " + std::strerror(errno)};
}

int connected(int family, const sockaddr* address, socklen_t size) {
  const int number = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (number < 0)
    fail("no socket");
  const timeval patience{patience_s, 0};
  ::setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  ::setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  if (::connect(number, address, size) != 0) {
    ::close(number);
    fail("no connection");
  }
  return number;
}

} // namespace

struct raw_peer::tls {
  ~tls() {
    SSL_free(ssl);
    SSL_CTX_free(context);
  }
  SSL_CTX* context = nullptr;
  SSL* ssl = nullptr;
};

raw_peer::raw_peer(int socket) : socket_{socket} {
  std::signal(SIGPIPE, SIG_IGN);
}

raw_peer::raw_peer(raw_peer&& other) noexcept
    : socket_{std::exchange(other.socket_, -1)}, tls_{std::move(other.tls_)} {}

raw_peer::~raw_peer() {
  hang_up();
}

raw_peer raw_peer::tcp(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int number = connected(AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  // What follows the end of a TLS handshake would wait for the other side's delayed acknowledgement, 40 ms.
  const int on = 1;
  ::setsockopt(number, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return raw_peer{number};
}

raw_peer raw_peer::unix_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  return raw_peer{connected(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof(address))};
}

void raw_peer::start_tls(const tls_files& files) {
  tls_ = std::make_unique<tls>();
  tls_->context = SSL_CTX_new(TLS_client_method());
  if (!files.cert.empty())
    if (SSL_CTX_use_certificate_chain_file(tls_->context, files.cert.c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls_->context, files.key.c_str(), SSL_FILETYPE_PEM) != 1)
      throw std::runtime_error{"the certificate can't be read"};
  tls_->ssl = SSL_new(tls_->context);
  SSL_set_fd(tls_->ssl, socket_);
  ERR_clear_error();
  if (SSL_connect(tls_->ssl) != 1)
    throw std::runtime_error{"no TLS"};
}

bool raw_peer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    long sent = 0;
    if (tls_) {
      ERR_clear_error();
      sent = SSL_write(tls_->ssl, bytes.data(), static_cast<int>(bytes.size()));
    } else {
      sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    if (sent <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

long raw_peer::receive(char* into, std::size_t size) {
  errno = 0;
  long got = 0;
  if (tls_) {
    ERR_clear_error();
    got = SSL_read(tls_->ssl, into, static_cast<int>(size));
  } else {
    got = ::recv(socket_, into, size, 0);
  }
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
    throw std::runtime_error{"nothing came in time"};
  return std::max(got, 0L);
}

std::string raw_peer::read(std::size_t size) {
  std::string result(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const auto got = receive(result.data() + have, size - have);
    if (got == 0)
      break;
    have += static_cast<std::size_t>(got);
  }
  result.resize(have);
  return result;
}

std::string raw_peer::read_to_end() {
  std::string result;
  std::array<char, 4096> piece{};
  for (long got = receive(piece.data(), piece.size()); got > 0; got = receive(piece.data(), piece.size()))
    result.append(piece.data(), static_cast<std::size_t>(got));
  return result;
}

std::string raw_peer::read_head() {
  std::string result;
  while (!result.ends_with("\r\n\r\n")) {
    const auto one = read(1);
    if (one.empty())
      break;
    result += one;
  }
  return result;
}

void raw_peer::hang_up() {
  if (socket_ >= 0)
    ::close(std::exchange(socket_, -1));
}

std::string upgrade_request(std::string_view sub_protocol, std::string_view more, std::string_view target) {
  std::string result = "GET ";
  result.append(target);
  result +=
      " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ";
  result.append(sub_protocol);
  result += "\r\n";
  result.append(more);
  return result + "\r\n";
}

std::string client_frame_head(unsigned opcode, std::uint64_t size, bool last) {
  std::string result(1, static_cast<char>((last ? 0x80u : 0u) | opcode));
  constexpr unsigned masked = 0x80;
  if (size < 126) {
    result += static_cast<char>(masked | size);
  } else {
    const bool wide = size > 0xffff;
    result += static_cast<char>(masked | (wide ? 127u : 126u));
    for (int shift = wide ? 56 : 8; shift >= 0; shift -= 8)
      result += static_cast<char>(size >> shift);
  }
  return result + "\x11\x22\x33\x44";
}

std::string client_frame(unsigned opcode, std::string_view payload, bool last) {
  auto result = client_frame_head(opcode, payload.size(), last);
  constexpr std::string_view mask = "\x11\x22\x33\x44";
  for (std::size_t i = 0; i < payload.size(); ++i)
    result += static_cast<char>(payload[i] ^ mask[i % mask.size()]);
  return result;
}

unsigned server_frame::close_code() const {
  if (opcode != 8 || payload.size() < 2)
    return 0;
  return static_cast<unsigned>(static_cast<unsigned char>(payload[0])) << 8 |
         static_cast<unsigned char>(payload[1]);
}

std::string server_frame::close_text() const {
  return close_code() == 0 ? std::string{} : payload.substr(2);
}

std::optional<server_frame> read_frame(raw_peer& from) {
  const auto head = from.read(2);
  if (head.size() < 2)
    return std::nullopt;
  std::uint64_t size = static_cast<unsigned char>(head[1]) & 0x7f;
  if (size >= 126) {
    const auto wide = from.read(size == 126 ? 2 : 8);
    size = 0;
    for (const char c : wide)
      size = size << 8 | static_cast<unsigned char>(c);
  }
  return server_frame{static_cast<unsigned>(head[0]) & 0x0f, from.read(size)};
}

std::optional<server_frame> read_message(raw_peer& from) {
  for (;;) {
    auto frame = read_frame(from);
    if (!frame || (frame->opcode != 9 && frame->opcode != 10))
      return frame;
  }
}

} // namespace vicket::testing
