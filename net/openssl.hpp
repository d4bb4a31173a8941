#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace vicket::internal {

struct ssl_deleter {
  /// Without a word to the peer: who wants to say goodbye calls SSL_shutdown before.
  void operator()(SSL* ssl) const;
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using ssl_ptr = std::unique_ptr<SSL, ssl_deleter>;
using ssl_context_ptr = std::unique_ptr<SSL_CTX, ssl_deleter>;
using ssl_session_ptr = std::unique_ptr<SSL_SESSION, ssl_deleter>;

/// OpenSSL's queue of errors of this thread as one phrase, and the queue is empty after it.
[[nodiscard]] std::string take_tls_errors();

} // namespace vicket::internal
