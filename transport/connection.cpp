#include "transport/connection.hpp"

#include "transport/connection_pool.hpp"
#include "transport/shortage.hpp"
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
                       std::uint16_t port, const socket_rules& rules)
    : watch_{watch}, pool_{pool}, to_{to}, address_{address}, port_{port}, rules_{rules} {
  ++to_.connections;
}

connection::~connection() {
  --to_.connections;
  close();
}

void connection::close() {
  if (std::exchange(counted_, false))
    rules_.budget->give_back();
  if (socket_ < 0)
    return;
  if (watched_)
    watch_.remove(*std::exchange(watched_, std::nullopt));
  ::close(std::exchange(socket_, -1));
}

void connection::reset_at_close() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  static_cast<void>(::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
}

std::string connection::peer_text() const {
  const auto address = address_.to_string();
  return (address_.v6 ? "[" + address + "]" : address) + ":" + std::to_string(port_);
}

connection::progress connection::connect() {
  auto result = begin_to_connect();
  for (std::size_t count = 1; shortage_; count *= 2) {
    if (shortage_->of_destination ? !pool_.give_up_port(address_, port_) : !pool_.give_up(count))
      break;
    close();
    shortage_.reset();
    result = begin_to_connect();
  }
  return result;
}

connection::progress connection::begin_to_connect() {
  if (rules_.budget && !rules_.budget->take()) {
    error_ = "no socket: all that deliveries may have are in use";
    shortage_ = own_shortage{"file descriptors (what is left is the store's and the actor port's)"};
    return {io::reset};
  }
  counted_ = rules_.budget != nullptr;
  socket_ = ::socket(address_.v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket_ < 0)
    return no_socket(errno);
  const int on = 1; // a request is one write: waiting to fill a segment can only delay it
  if (::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
    return no_socket(errno);
  const auto to = address_of(address_, port_);
  const auto result = rules_.connect(socket_, reinterpret_cast<const sockaddr*>(&to.bytes), to.size);
  if (result != 0 && errno != EINPROGRESS && errno != EINTR)
    return connect_failed(errno);
  // Not before: a socket that has not begun to connect counts as one that was hung up.
  watched_ = watch_.add(socket_, *this);
  if (!watched_)
    return no_socket(errno);
  return result == 0 ? continue_connect() : progress{io::want_write};
}

connection::progress connection::no_socket(int number) {
  error_ = "no socket: " + std::generic_category().message(number);
  if (number == ENOSPC) // epoll_ctl(2)
    shortage_ = own_shortage{"places in epoll (fs.epoll.max_user_watches)"};
  else if (auto what = shortage_of(number))
    shortage_ = own_shortage{*std::move(what)};
  return {io::reset};
}

connection::progress connection::connect_failed(int number) {
  const auto result = socket_failed(number);
  if (number == EADDRNOTAVAIL && has_source_address())
    shortage_ = own_shortage{"local ports towards " + peer_text() + " (" + error_ + ")", true};
  return result;
}

/// EADDRNOTAVAIL is also how an IPv6 address is answered where no interface has an address that could reach it (a
/// container without IPv6, say), which no waiting changes. A UDP socket finds that out without a packet, and its ports are
/// others.
bool connection::has_source_address() const {
  const auto probe = ::socket(address_.v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (probe < 0)
    return shortage_of(errno).has_value();
  const auto to = address_of(address_, port_);
  const bool found =
      ::connect(probe, reinterpret_cast<const sockaddr*>(&to.bytes), to.size) == 0 || errno == EAGAIN;
  ::close(probe);
  return found;
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
  if (!tls_)
    shortage_ = own_shortage{"memory (for a TLS session)"};
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
  if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
    shortage_ = own_shortage{"memory (for a TLS session)"};
  ERR_clear_error();
  return {io::tls_failed};
}

connection::progress connection::socket_failed(int number) {
  ERR_clear_error();
  error_ = std::generic_category().message(number);
  if (const auto what = shortage_of(number))
    shortage_ = own_shortage{*what + " on the way to " + peer_text(), true};
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

void connection::on_shortage(std::string what) {
  shortage_ = own_shortage{std::move(what)};
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
