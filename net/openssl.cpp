#include "net/openssl.hpp"

#include <openssl/err.h>

#include <array>

namespace vicket::internal {

void ssl_deleter::operator()(SSL* ssl) const {
  // Without it OpenSSL takes the connection's end for an error and makes its session unusable for resumption.
  SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(ssl);
}

std::string take_tls_errors() {
  const auto code = ERR_get_error();
  ERR_clear_error();
  if (code == 0)
    return "unknown error";
  if (const auto* reason = ERR_reason_error_string(code))
    return reason;
  std::array<char, 256> text{};
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

} // namespace vicket::internal
