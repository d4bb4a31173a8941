#include "tests/support/http_peer.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace vicket::testing {

namespace {

void require(bool done, const char* what) {
  if (!done)
    throw std::runtime_error{std::string{"http_peer: "} + what};
}

void use_certificate(SSL_CTX* context, const certificate& own) {
  BIO* bio = BIO_new_mem_buf(own.pem.data(), static_cast<int>(own.pem.size()));
  X509* x = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  while (X509* issuer = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr))
    SSL_CTX_add_extra_chain_cert(context, issuer); // its owner now
  ERR_clear_error();
  BIO_free(bio);
  bio = BIO_new_mem_buf(own.key_pem.data(), static_cast<int>(own.key_pem.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  const auto usable = SSL_CTX_use_certificate(context, x) == 1 && SSL_CTX_use_PrivateKey(context, key) == 1;
  X509_free(x);
  EVP_PKEY_free(key);
  require(usable, "certificate");
}

/// The length of the first whole request in `bytes`; 0: it is not there yet.
std::size_t request_size(const std::string& bytes) {
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string::npos)
    return 0;
  const auto length = bytes.find("Content-Length: ");
  const auto body = length < end ? std::stoul(bytes.substr(length + 16)) : 0;
  return bytes.size() >= end + 4 + body ? end + 4 + body : 0;
}

std::size_t number_at(const std::string& from, std::size_t at, unsigned bytes) {
  std::size_t result = 0;
  for (; bytes > 0; --bytes)
    result = result << 8 | static_cast<unsigned char>(from.at(at++));
  return result;
}

/// Of a record with a whole ClientHello (RFC 8446 4.1.2): TLS 1.3 names a session in its extension 41, TLS 1.2 gives a
/// ticket in extension 35.
bool offers_session(const std::string& hello) {
  if (hello.size() < 50)
    return false;
  auto at = std::size_t{5 + 4 + 2 + 32};
  at += 1 + number_at(hello, at, 1);
  at += 2 + number_at(hello, at, 2);
  at += 1 + number_at(hello, at, 1);
  const auto end = at + 2 + number_at(hello, at, 2);
  for (at += 2; at + 4 <= end;) {
    const auto type = number_at(hello, at, 2);
    const auto size = number_at(hello, at + 2, 2);
    if (type == 41 || (type == 35 && size > 0))
      return true;
    at += 4 + size;
  }
  return false;
}

} // namespace

http_peer::http_peer(script on_connection, const place& at) : script_{std::move(on_connection)} {
  listen(at);
}

http_peer::http_peer(script on_connection, const certificate& own, const place& at)
    : script_{std::move(on_connection)} {
  context_.reset(SSL_CTX_new(TLS_server_method()));
  use_certificate(context_.get(), own);
  listen(at);
}

http_peer::~http_peer() {
  ::close(stop_[1]); // everything that polls wakes up
  acceptor_.join();
  for (auto& thread : connections_)
    thread.join();
  ::close(stop_[0]);
  ::close(listener_);
}

std::vector<std::string> http_peer::requests() const {
  const std::lock_guard guard{mutex_};
  return requests_;
}

void http_peer::limit_tls_version(int highest) {
  SSL_CTX_set_security_level(context_.get(), 0); // OpenSSL 3 refuses old versions at its default level
  SSL_CTX_set_min_proto_version(context_.get(), 0);
  SSL_CTX_set_max_proto_version(context_.get(), highest);
}

void http_peer::listen(const place& at) {
  require(::pipe(stop_) == 0, "pipe");
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(at.port);
  require(::inet_pton(AF_INET, at.address.c_str(), &address.sin_addr) == 1, "address");
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  require(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
  require(::listen(listener_, 128) == 0, "listen");
  socklen_t size = sizeof address;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread{[this] { accept_all(); }};
}

void http_peer::accept_all() {
  for (;;) {
    std::array<pollfd, 2> polled{pollfd{listener_, POLLIN, 0}, pollfd{stop_[0], POLLIN, 0}};
    ::poll(polled.data(), polled.size(), -1);
    if (polled[1].revents)
      return;
    const auto fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
      continue;
    const auto number = ++accepted_;
    connections_.emplace_back([this, fd, number] { serve(fd, number); });
  }
}

void http_peer::serve(int fd, unsigned number) {
  sigset_t pipe_signal; // OpenSSL writes to sockets that the client may have closed
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, nullptr);
  connection served{*this, fd, number};
  if (on_hello_)
    on_hello_(served, offers_session(served.peek_hello()));
  if (served.fd_ < 0)
    return;
  if (!context_ || served.secure(context_.get()))
    script_(served);
  served.close();
}

bool http_peer::connection::resumed() const {
  return ssl_ && SSL_session_reused(ssl_);
}

/// Leaves it to be read.
std::string http_peer::connection::peek_hello() {
  std::string result(16 * 1024, '\0');
  while (wait(POLLIN)) {
    const auto n = ::recv(fd_, result.data(), result.size(), MSG_PEEK);
    if (n <= 0)
      return {};
    const auto size = static_cast<std::size_t>(n);
    if (size >= 5 && size >= 5 + number_at(result, 3, 2))
      return result.substr(0, size);
  }
  return {};
}

bool http_peer::connection::secure(SSL_CTX* context) {
  ssl_ = SSL_new(context);
  SSL_set_fd(ssl_, fd_);
  for (;;) {
    ERR_clear_error();
    const auto result = SSL_accept(ssl_);
    if (result == 1)
      return true;
    const auto error = SSL_get_error(ssl_, result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
      return false;
    if (!wait(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT))
      return false;
  }
}

bool http_peer::connection::wait(short events) {
  std::array<pollfd, 2> polled{pollfd{fd_, events, 0}, pollfd{peer_.stop_[0], POLLIN, 0}};
  ::poll(polled.data(), polled.size(), -1);
  return polled[1].revents == 0;
}

/// 0: the client is gone, or the peer ends.
long http_peer::connection::receive(char* into, std::size_t size) {
  while (fd_ >= 0) {
    if (ssl_) {
      ERR_clear_error();
      const auto n = SSL_read(ssl_, into, static_cast<int>(size));
      if (n > 0)
        return n;
      if (SSL_get_error(ssl_, n) != SSL_ERROR_WANT_READ)
        return 0;
    } else {
      const auto n = ::recv(fd_, into, size, 0);
      if (n > 0)
        return n;
      if (n == 0 || (errno != EAGAIN && errno != EINTR))
        return 0;
    }
    if (!wait(POLLIN))
      return 0;
  }
  return 0;
}

std::optional<std::string> http_peer::connection::read_request() {
  std::array<char, 16 * 1024> chunk{};
  for (;;) {
    if (const auto size = request_size(rest_)) {
      auto request = rest_.substr(0, size);
      rest_.erase(0, size);
      const std::lock_guard guard{peer_.mutex_};
      peer_.requests_.push_back(request);
      return request;
    }
    const auto n = receive(chunk.data(), chunk.size());
    if (n <= 0)
      return std::nullopt;
    rest_.append(chunk.data(), static_cast<std::size_t>(n));
  }
}

bool http_peer::connection::send(std::string_view bytes) {
  while (!bytes.empty() && fd_ >= 0) {
    long n = 0;
    bool full = false;
    if (ssl_) {
      ERR_clear_error();
      n = SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
      full = n <= 0 && SSL_get_error(ssl_, static_cast<int>(n)) == SSL_ERROR_WANT_WRITE;
    } else {
      n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      full = n < 0 && (errno == EAGAIN || errno == EINTR);
    }
    if (n > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
      peer_.bytes_sent_ += static_cast<std::uint64_t>(n);
    } else if (!full || !wait(POLLOUT)) {
      return false;
    }
  }
  return bytes.empty();
}

void http_peer::connection::hang() {
  std::array<char, 4096> ignored{};
  while (receive(ignored.data(), ignored.size()) > 0) {
  }
}

void http_peer::connection::close() {
  if (ssl_) {
    ERR_clear_error();
    SSL_shutdown(ssl_);
  }
  cut();
}

void http_peer::connection::cut() {
  if (ssl_)
    SSL_free(ssl_);
  ssl_ = nullptr;
  if (fd_ >= 0)
    ::close(fd_);
  fd_ = -1;
}

void http_peer::connection::reset() {
  const linger at_once{1, 0};
  if (fd_ >= 0)
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  cut();
}

std::string answer(int status, std::string_view body, std::string_view headers) {
  std::string result = "HTTP/1.1 " + std::to_string(status) + " Reason\r\n";
  result += headers;
  return result + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
}

http_peer::script always(std::string bytes) {
  return [bytes = std::move(bytes)](http_peer::connection& c) {
    while (c.read_request() && c.send(bytes)) {
    }
  };
}

} // namespace vicket::testing
