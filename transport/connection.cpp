#include "transport/connection.hpp"

#include "transport/connection_pool.hpp"

#include <openssl/err.h>

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace vicket {

namespace asio = boost::asio;

connection::connection(asio::io_context& context, connection_pool& pool, destination& to,
                       const ip_address& address, std::uint16_t port)
    : socket{context}, pool_{pool}, to_{to}, address_{address}, port_{port} {}

asio::ip::tcp::endpoint connection::peer() const {
  if (address_.v6) {
    asio::ip::address_v6::bytes_type bytes{};
    std::copy_n(address_.bytes.begin(), 16, bytes.begin());
    return {asio::ip::address_v6{bytes}, port_};
  }
  asio::ip::address_v4::bytes_type bytes{};
  std::copy_n(address_.bytes.begin(), 4, bytes.begin());
  return {asio::ip::address_v4{bytes}, port_};
}

std::string connection::peer_text() const {
  const auto address = address_.to_string();
  return (address_.v6 ? "[" + address + "]" : address) + ":" + std::to_string(port_);
}

void connection::open(boost::system::error_code& ec) {
  socket.open(peer().protocol(), ec);
  if (!ec)
    socket.non_blocking(true, ec);
  if (!ec) // a request is one write: waiting to fill a segment can only delay it
    socket.set_option(asio::ip::tcp::no_delay{true}, ec);
}

void connection::connected(time_point now, boost::system::error_code& ec) {
  connected_at_ = now;
  const auto descriptor = socket.release(ec);
  if (!ec)
    socket.assign(peer().protocol(), descriptor, ec);
  if (!ec)
    socket.non_blocking(true, ec);
}

bool connection::start_tls(const tls_context& context) {
  auto* session = pool_.session_of(to_, connected_at_);
  offered_verified_at_ = to_.verified_at;
  tls_ = context.open(socket.native_handle(), to_.key.host, session, *this);
  return tls_ != nullptr;
}

connection::progress connection::handshake() {
  ERR_clear_error();
  errno = 0;
  return tls_result(SSL_do_handshake(tls_.get()), 0);
}

connection::progress connection::read(std::span<char> into) {
  errno = 0;
  if (tls_) {
    ERR_clear_error();
    std::size_t bytes = 0;
    const auto result = SSL_read_ex(tls_.get(), into.data(), into.size(), &bytes);
    return tls_result(result, bytes);
  }
  const auto n = ::recv(socket.native_handle(), into.data(), into.size(), 0);
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
  const auto n = ::send(socket.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
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
  return {io::reset};
}

std::string connection::handshake_error(unsigned long code) const {
  if (!refused_certificate_.empty())
    return refused_certificate_;
  if (ERR_GET_LIB(code) == ERR_LIB_SSL) {
    switch (ERR_GET_REASON(code)) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
      return "answered with something that is not TLS (is it a plain HTTP port?)";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      return "speaks no TLS 1.2 or newer";
    default:
      break;
    }
  }
  const auto* reason = ERR_reason_error_string(code);
  return std::string{"failed the TLS session: "} + (reason ? reason : "unknown error");
}

bool connection::silent() {
  std::array<char, 1> byte{};
  return read(byte).state == io::want_read;
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
    ::shutdown(socket.native_handle(), SHUT_RDWR);
    return;
  }
  const auto verified_at = SSL_session_reused(tls_.get()) ? offered_verified_at_ : connected_at_;
  pool_.remember_session(to_, std::move(session), verified_at);
}

void connection::on_certificate_refused(std::string reason) {
  refused_certificate_ = std::move(reason);
}

} // namespace vicket
