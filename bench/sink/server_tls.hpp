#pragma once

#include <openssl/types.h>

#include <filesystem>
#include <memory>

namespace vicket::bench {

struct tls_context_release {
  void operator()(SSL_CTX* context) const noexcept;
};
using tls_context = std::unique_ptr<SSL_CTX, tls_context_release>;

struct tls_session_release {
  void operator()(SSL* session) const noexcept;
};
using tls_session = std::unique_ptr<SSL, tls_session_release>;

/// TLS 1.2 and 1.3, AES-128-GCM before all others, one session ticket per connection and no session kept
/// here, buffers given back whenever they are empty. Throws std::runtime_error that names the file and what
/// is wrong with it.
[[nodiscard]] tls_context make_server_context(const std::filesystem::path& certificate_chain,
                                              const std::filesystem::path& private_key);

/// The server's side of one connection. The descriptor stays the caller's. Throws std::runtime_error when
/// memory ends.
[[nodiscard]] tls_session make_server_session(SSL_CTX& context, int descriptor);

} // namespace vicket::bench
