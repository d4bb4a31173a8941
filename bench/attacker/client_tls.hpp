#pragma once

#include "bench/sink/server_tls.hpp"

#include <filesystem>
#include <string>

namespace vicket::bench {

/// A client's side of TLS that believes any server. `certificate` and `key`: what it shows; empty: nothing. Throws
/// std::runtime_error that names the file.
[[nodiscard]] tls_context make_client_context(const std::filesystem::path& certificate,
                                              const std::filesystem::path& key);

/// One connection's. The descriptor stays the caller's. Throws std::runtime_error when memory ends.
[[nodiscard]] tls_session make_client_session(SSL_CTX& context, int descriptor);

/// The first bytes that such a client sends: the same ones do for any number of connections.
[[nodiscard]] std::string client_hello(SSL_CTX& context);

} // namespace vicket::bench
