#pragma once

#include <optional>
#include <string>

namespace vicket {

/// The PEM files of mutual TLS on the actor port. Both sides show a certificate, and each accepts what the other's CA file
/// vouches for. The side that dials also compares the name that it dialled with the certificate's DNS names and addresses.
struct tls_files {
  std::string cert;     ///< the certificate, its intermediates after it
  std::string key;      ///< its private key, without a pass phrase
  std::string ca;       ///< whom to trust
  std::string crl = {}; ///< certificates that are revoked, of each issuer that `ca` has; empty: none are

  friend bool operator==(const tls_files&, const tls_files&) = default;
};

/// What is wrong with the files: unreadable, no PEM, a key of another certificate.
[[nodiscard]] std::optional<std::string> tls_files_complaint(const tls_files& files);

/// The same for certificate and key alone (`vicket listen`), and for a file of trust roots.
[[nodiscard]] std::optional<std::string> certificate_complaint(const std::string& cert,
                                                               const std::string& key);
[[nodiscard]] std::optional<std::string> trust_roots_complaint(const std::string& ca);

} // namespace vicket
