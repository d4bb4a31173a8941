#include "tests/bench/sink/raw_client.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <utility>

namespace vicket::testing {

namespace {

constexpr int patience_ms = 60'000;
/// Small, so that a server soon finds that its answers aren't taken.
constexpr int socket_buffer_bytes = 16 * 1'024;

void require(bool done, const char* what) {
  if (!done)
    throw std::runtime_error(what);
}

int connect_to(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  for (const int option : {SO_RCVBUF, SO_SNDBUF})
    ::setsockopt(socket, SOL_SOCKET, option, &socket_buffer_bytes, sizeof socket_buffer_bytes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  require(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
          "the sink can't be connected to");
  return socket;
}

std::size_t content_length_of(const std::string& head) {
  constexpr std::string_view name = "Content-Length: ";
  const auto at = head.find(name);
  return at == std::string::npos ? 0 : std::stoul(head.substr(at + name.size()));
}

} // namespace

void raw_client::release::operator()(SSL_CTX* context) const noexcept {
  SSL_CTX_free(context);
}

void raw_client::release::operator()(SSL* session) const noexcept {
  SSL_free(session);
}

raw_client::raw_client(std::uint16_t port, const std::string& ca_file)
    : raw_client{connect_to(port), ca_file} {}

raw_client::raw_client(int connected, const std::string& ca_file) : socket_{connected} {
  ::fcntl(socket_, F_SETFL, O_NONBLOCK);
  if (!ca_file.empty())
    start_tls(ca_file);
}

void raw_client::start_tls(const std::string& ca_file) {
  context_.reset(SSL_CTX_new(TLS_client_method()));
  require(SSL_CTX_load_verify_locations(context_.get(), ca_file.c_str(), nullptr) == 1, "no CA");
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  tls_.reset(SSL_new(context_.get()));
  SSL_set1_host(tls_.get(), "localhost");
  SSL_set_fd(tls_.get(), socket_);
  SSL_set_connect_state(tls_.get());
}

raw_client::~raw_client() {
  ::close(socket_);
}

raw_client::progress raw_client::progress_of(long count) const {
  if (count > 0)
    return progress::made;
  if (!tls_)
    return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? progress::none : progress::ended;
  const int error = SSL_get_error(tls_.get(), static_cast<int>(count));
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? progress::none : progress::ended;
}

raw_client::progress raw_client::try_send(std::string_view& bytes) {
  const long count = tls_ ? SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()))
                          : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  const auto result = progress_of(count);
  if (result == progress::made)
    bytes.remove_prefix(static_cast<std::size_t>(count));
  return result;
}

raw_client::progress raw_client::try_receive(std::string& into) {
  std::array<char, 16 * 1'024> piece;
  const long count = tls_ ? SSL_read(tls_.get(), piece.data(), static_cast<int>(piece.size()))
                          : ::recv(socket_, piece.data(), piece.size(), 0);
  const auto result = progress_of(count);
  if (result == progress::made)
    into.append(piece.data(), static_cast<std::size_t>(count));
  return result;
}

void raw_client::wait(short events) const {
  pollfd waited{socket_, events, 0};
  require(::poll(&waited, 1, patience_ms) == 1, "nothing comes from the sink");
}

void raw_client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto result = try_send(bytes);
    require(result != progress::ended, "the sink closed before it had all, or its TLS is refused");
    if (result == progress::none)
      wait(tls_ && SSL_want_read(tls_.get()) ? POLLIN : POLLOUT); // the first bytes wait for the handshake
  }
}

bool raw_client::offer(std::string_view& bytes) {
  auto result = progress::made;
  while (!bytes.empty() && result == progress::made)
    result = try_send(bytes);
  return result != progress::ended;
}

std::string raw_client::take_all() {
  while (try_receive(received_) == progress::made) {
  }
  return std::exchange(received_, {});
}

std::string raw_client::answer() {
  for (;;) {
    const auto head_end = received_.find("\r\n\r\n");
    if (head_end != std::string::npos) {
      const auto bytes = head_end + 4 + content_length_of(received_.substr(0, head_end));
      if (received_.size() >= bytes) {
        auto whole = received_.substr(0, bytes);
        received_.erase(0, bytes);
        return whole;
      }
    }
    const auto result = try_receive(received_);
    require(result != progress::ended, "the sink closed before it had answered");
    if (result == progress::none)
      wait(POLLIN);
  }
}

bool raw_client::ended() {
  for (;;) {
    const auto result = try_receive(received_);
    if (result == progress::ended)
      return received_.empty();
    if (result == progress::none)
      wait(POLLIN);
  }
}

std::string raw_client::flood(std::string_view bytes, std::size_t answer_bytes) {
  std::string answers;
  while (answers.size() < answer_bytes) {
    auto result = bytes.empty() ? progress::none : try_send(bytes);
    if (result == progress::none)
      result = try_receive(answers);
    require(result != progress::ended, "the sink closed in the middle");
    if (result == progress::none)
      wait(static_cast<short>(bytes.empty() ? POLLIN : POLLIN | POLLOUT));
  }
  return answers;
}

std::string raw_client::cipher() const {
  return std::string{SSL_get_version(tls_.get())} + " " + SSL_get_cipher_name(tls_.get());
}

} // namespace vicket::testing
