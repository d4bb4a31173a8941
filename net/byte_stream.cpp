#include "net/byte_stream.hpp"

#include <boost/asio/error.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace vicket::internal {

namespace {

boost::system::error_code system_error(int number) {
  return {number, boost::system::system_category()};
}

} // namespace

void byte_stream::prepare() {
  error_code ignored;
  socket_.native_non_blocking(true, ignored);
  const int on = 1; // fails on a Unix socket, which needs none
  ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

bool byte_stream::use_tls(ssl_ptr ssl) {
  if (!ssl || SSL_set_fd(ssl.get(), socket_.native_handle()) != 1) {
    ERR_clear_error();
    return false;
  }
  ssl_ = std::move(ssl);
  return true;
}

byte_stream::step byte_stream::tls_step(int result, error_code& problem) {
  const int number = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
  case SSL_ERROR_WANT_READ:
    return step::want_read;
  case SSL_ERROR_WANT_WRITE:
    return step::want_write;
  case SSL_ERROR_ZERO_RETURN:
    problem = boost::asio::error::eof;
    return step::failed;
  case SSL_ERROR_SYSCALL:
    problem = number == 0 ? error_code{boost::asio::error::eof} : system_error(number);
    return step::failed;
  default:
    problem = ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING
                  ? error_code{boost::asio::error::eof}
                  : error_code{boost::asio::error::connection_aborted};
    return step::failed; // the queue is left for `handshake_failure`; each call clears it before
  }
}

byte_stream::step byte_stream::try_handshake(error_code& problem) {
  ERR_clear_error();
  errno = 0;
  const int result = SSL_do_handshake(ssl_.get());
  return result == 1 ? step::done : tls_step(result, problem);
}

byte_stream::step byte_stream::try_read(void* into, std::size_t size, std::size_t& got, error_code& problem) {
  if (size == 0)
    return step::done;
  if (!socket_.is_open()) {
    problem = boost::asio::error::operation_aborted;
    return step::failed;
  }
  errno = 0;
  if (ssl_) {
    // All that is here already: each record would cost a turn of the loop else.
    do {
      std::size_t more = 0;
      ERR_clear_error();
      const int result = SSL_read_ex(ssl_.get(), static_cast<char*>(into) + got, size - got, &more);
      if (result != 1 && got == 0)
        return tls_step(result, problem);
      if (result != 1)
        break; // it will say so again
      got += more;
    } while (got < size && SSL_has_pending(ssl_.get()) == 1);
    read_ += got;
    return step::done;
  }
  const auto result = ::recv(socket_.native_handle(), into, size, 0);
  if (result > 0) {
    got = static_cast<std::size_t>(result);
    read_ += got;
    return step::done;
  }
  if (result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
    return step::want_read;
  problem = result == 0 ? error_code{boost::asio::error::eof} : system_error(errno);
  return step::failed;
}

byte_stream::step byte_stream::try_write(const void* from, std::size_t size, std::size_t& put,
                                         error_code& problem) {
  if (size == 0)
    return step::done;
  if (!socket_.is_open()) {
    problem = boost::asio::error::operation_aborted;
    return step::failed;
  }
  errno = 0;
  if (ssl_) {
    do {
      std::size_t more = 0;
      ERR_clear_error();
      const int result = SSL_write_ex(ssl_.get(), static_cast<const char*>(from) + put, size - put, &more);
      if (result != 1 && put == 0)
        return tls_step(result, problem);
      if (result != 1)
        break; // and is tried again with the same bytes, as OpenSSL wants it
      put += more;
    } while (put < size);
    written_ += put;
    return step::done;
  }
  const auto result = ::send(socket_.native_handle(), from, size, MSG_NOSIGNAL);
  if (result >= 0) {
    put = static_cast<std::size_t>(result);
    written_ += put;
    return step::done;
  }
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
    return step::want_write;
  problem = system_error(errno);
  return step::failed;
}

void byte_stream::end_writing() {
  error_code ignored;
  if (ssl_ && SSL_is_init_finished(ssl_.get())) {
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }
  socket_.shutdown(socket_type::shutdown_send, ignored);
}

void byte_stream::abort() {
  error_code ignored;
  socket_.close(ignored);
}

} // namespace vicket::internal
