#pragma once

#include <filesystem>

namespace vicket::crash {

/// A certificate authority of one run, and the receivers' certificate for 127.0.0.1 that it signed.
struct tls_identity {
  std::filesystem::path authority;   ///< PEM, for the node's --ca-file
  std::filesystem::path certificate; ///< PEM
  std::filesystem::path key;         ///< PEM
};

/// Makes one (P-256, valid for two days) in `folder`. Throws std::runtime_error where OpenSSL fails.
[[nodiscard]] tls_identity make_tls_identity(const std::filesystem::path& folder);

/// Where the identity of a folder lies.
[[nodiscard]] tls_identity tls_identity_in(const std::filesystem::path& folder);

} // namespace vicket::crash
