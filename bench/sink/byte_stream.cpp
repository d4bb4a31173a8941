#include "bench/sink/byte_stream.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace vicket::bench {

namespace {

byte_stream::result bare_result(ssize_t count, byte_stream::state when_it_would_block) {
  if (count > 0)
    return {byte_stream::state::done, static_cast<std::size_t>(count)};
  const bool would_block = count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
  return {would_block ? when_it_would_block : byte_stream::state::ended, 0};
}

} // namespace

byte_stream::byte_stream(descriptor socket, tls_session tls) noexcept
    : socket_{std::move(socket)}, tls_{std::move(tls)} {}

byte_stream::~byte_stream() = default;

byte_stream::result byte_stream::read(std::span<char> into) {
  if (!tls_)
    return bare_result(::recv(number(), into.data(), into.size(), 0), state::wait_to_read);
  std::size_t bytes = 0;
  ERR_clear_error(); // SSL_get_error looks at what others left there
  const int code = SSL_read_ex(tls_.get(), into.data(), into.size(), &bytes);
  return tls_result(code, bytes);
}

byte_stream::result byte_stream::write(std::string_view bytes) {
  if (!tls_)
    return bare_result(::send(number(), bytes.data(), bytes.size(), MSG_NOSIGNAL), state::wait_to_write);
  std::size_t written = 0;
  ERR_clear_error();
  const int code = SSL_write_ex(tls_.get(), bytes.data(), bytes.size(), &written);
  return tls_result(code, written);
}

byte_stream::result byte_stream::tls_result(int code, std::size_t bytes) {
  if (code == 1)
    return {state::done, bytes};
  switch (SSL_get_error(tls_.get(), code)) {
  case SSL_ERROR_WANT_READ:
    return {state::wait_to_read, 0};
  case SSL_ERROR_WANT_WRITE:
    return {state::wait_to_write, 0};
  case SSL_ERROR_ZERO_RETURN:
    return {state::ended, 0};
  default:
    broken_ = true;
    return {state::ended, 0};
  }
}

bool byte_stream::holds_more() const {
  return tls_ && SSL_has_pending(tls_.get()) == 1;
}

void byte_stream::finish() {
  if (tls_ && !broken_ && SSL_is_init_finished(tls_.get()) == 1)
    SSL_shutdown(tls_.get()); // ours is sent, the other side's is not waited for
  ERR_clear_error();
  ::shutdown(number(), SHUT_WR);
}

} // namespace vicket::bench
