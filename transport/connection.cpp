#include "transport/connection.hpp"

#include "transport/connection_pool.hpp"
#include "transport/tls_failure.hpp"

#include <openssl/err.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace vicket {

namespace {

/// An answer up to this size came with one read that had room for more, so nothing is left behind it.
constexpr std::size_t max_surely_read = 8 * 1024;

struct socket_address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};

socket_address address_of(const ip_address& address, std::uint16_t port) {
  socket_address result;
  if (address.v6) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, address.bytes.data(), sizeof v6.sin6_addr);
    std::memcpy(&result.bytes, &v6, result.size = sizeof v6);
  } else {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, address.bytes.data(), sizeof v4.sin_addr);
    std::memcpy(&result.bytes, &v4, result.size = sizeof v4);
  }
  return result;
}

} // namespace

connection::connection(socket_watch& watch, connection_pool& pool, destination& to, const ip_address& address,
                       std::uint16_t port)
    : watch_{watch}, pool_{pool}, to_{to}, address_{address}, port_{port} {}

connection::~connection() {
  if (socket_ < 0)
    return;
  if (watched_)
    watch_.remove(*watched_);
  ::close(socket_);
}

std::string connection::peer_text() const {
  const auto address = address_.to_string();
  return (address_.v6 ? "[" + address + "]" : address) + ":" + std::to_string(port_);
}

connection::progress connection::connect() {
  socket_ = ::socket(address_.v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket_ < 0)
    return no_socket(errno);
  const int on = 1; // a request is one write: waiting to fill a segment can only delay it
  if (::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
    return no_socket(errno);
  const auto to = address_of(address_, port_);
  const auto result = ::connect(socket_, reinterpret_cast<const sockaddr*>(&to.bytes), to.size);
  if (result != 0 && errno != EINPROGRESS && errno != EINTR)
    return socket_failed(errno);
  // Not before: a socket that has not begun to connect counts as one that was hung up.
  watched_ = watch_.add(socket_, *this);
  if (!watched_)
    return no_socket(errno);
  return result == 0 ? continue_connect() : progress{io::want_write};
}

connection::progress connection::no_socket(int number) {
  error_ = "no socket: " + std::generic_category().message(number);
  return {io::reset};
}

connection::progress connection::continue_connect() {
  int number = 0;
  socklen_t size = sizeof number;
  if (::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &number, &size) != 0)
    number = errno;
  if (number != 0)
    return socket_failed(number);
  return {io::done};
}

void connection::on_ready(readiness what) {
  ended_ |= what.ended;
  if (user_)
    user_->on_ready(*this, what);
}

bool connection::start_tls(const tls_context& context, bool may_resume) {
  auto* session = may_resume ? pool_.session_of(to_, connected_at_) : nullptr;
  offered_session_ = session ? to_.session_number : 0;
  offered_verified_at_ = to_.verified_at;
  trust_ = &context;
  tls_ = context.open(socket_, to_.key.host, session, *this);
  return tls_ != nullptr;
}

connection::progress connection::handshake() {
  ERR_clear_error();
  errno = 0;
  const auto result = tls_result(SSL_do_handshake(tls_.get()), 0);
  if (result.state == io::done && !SSL_session_reused(tls_.get()))
    offered_session_ = 0;
  return result;
}

void connection::forget_offered_session() {
  if (offered_session_ != 0)
    pool_.forget_session(to_, std::exchange(offered_session_, 0));
}

connection::progress connection::read(std::span<char> into) {
  const auto result = read_some(into);
  if (result.state == io::done) {
    read_since_silent_ += result.bytes;
    offered_session_ = 0;
    return result;
  }
  read_since_silent_ = 0;
  if (offered_session_ != 0 && result.state != io::want_read && result.state != io::want_write)
    forget_offered_session(); // a server of TLS 1.3 may change its mind after our side of the handshake has ended
  return result;
}

connection::progress connection::read_some(std::span<char> into) {
  errno = 0;
  if (tls_) {
    ERR_clear_error();
    std::size_t bytes = 0;
    const auto result = SSL_read_ex(tls_.get(), into.data(), into.size(), &bytes);
    return tls_result(result, bytes);
  }
  const auto n = ::recv(socket_, into.data(), into.size(), 0);
  if (n > 0)
    return {io::done, static_cast<std::size_t>(n)};
  if (n == 0)
    return {io::closed};
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
    return {io::want_read};
  return socket_failed(errno);
}

connection::progress connection::write(std::string_view bytes) {
  errno = 0;
  if (tls_) {
    ERR_clear_error();
    std::size_t written = 0;
    const auto result = SSL_write_ex(tls_.get(), bytes.data(), bytes.size(), &written);
    return tls_result(result, written);
  }
  const auto n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (n >= 0)
    return {io::done, static_cast<std::size_t>(n)};
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
    return {io::want_write};
  return socket_failed(errno);
}

connection::progress connection::tls_result(int result, std::size_t bytes) {
  if (result == 1)
    return {io::done, bytes};
  const auto number = errno;
  switch (SSL_get_error(tls_.get(), result)) {
  case SSL_ERROR_WANT_READ:
    return {io::want_read};
  case SSL_ERROR_WANT_WRITE:
    return {io::want_write};
  case SSL_ERROR_ZERO_RETURN:
    return {io::closed};
  case SSL_ERROR_SYSCALL:
    return number == 0 ? progress{io::cut} : socket_failed(number);
  default:
    break;
  }
  const auto code = ERR_peek_error();
  if (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    ERR_clear_error();
    return {io::cut};
  }
  error_ = handshake_error(code);
  ERR_clear_error();
  return {io::tls_failed};
}

connection::progress connection::socket_failed(int number) {
  ERR_clear_error();
  error_ = std::generic_category().message(number);
  if (asked_for_certificate_)
    error_ += "; it had asked for a client certificate, and deliveries have none";
  return {io::reset};
}

std::string connection::handshake_error(unsigned long code) const {
  if (!refused_certificate_.empty())
    return refused_certificate_;
  return tls_failure(code, asked_for_certificate_, to_.key.host);
}

bool connection::silent() {
  std::array<char, 1> byte{};
  return read(byte).state == io::want_read;
}

bool connection::silent_after_answer() {
  if (ended_ || (tls_ && SSL_has_pending(tls_.get())))
    return false;
  const auto was_read = std::exchange(read_since_silent_, 0);
  return was_read <= max_surely_read || silent();
}

void connection::say_goodbye() {
  if (tls_ && SSL_is_init_finished(tls_.get())) {
    ERR_clear_error();
    SSL_shutdown(tls_.get());
    ERR_clear_error();
  }
}

void connection::on_ticket(ssl_session_ptr session) {
  if (++tickets_ > max_tickets) { // OpenSSL is in the middle of reading: it will find the stream ended
    ::shutdown(socket_, SHUT_RDWR);
    return;
  }
  if (!trust_->is_current(tls_.get())) // its certificate was checked by trust roots of the past
    return;
  const auto verified_at = SSL_session_reused(tls_.get()) ? offered_verified_at_ : connected_at_;
  pool_.remember_session(to_, std::move(session), verified_at);
  if (offered_session_ != 0) // what an unproven one leads to is as unproven
    offered_session_ = to_.session_number;
}

void connection::on_certificate_asked() {
  asked_for_certificate_ = true;
}

const std::string& connection::host() const {
  return to_.key.host;
}

void connection::on_certificate_refused(std::string reason) {
  refused_certificate_ = std::move(reason);
}

} // namespace vicket
