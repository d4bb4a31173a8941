#pragma once

#include <optional>
#include <string>

namespace vicket {

/// The three PEM files of mutual TLS on the actor port. Both sides show a certificate, and each accepts what
/// the other's CA file vouches for. There is no check of host names: who holds a certificate of this CA is
/// trusted, so the CA should sign nothing but nodes and those who may send to them.
struct tls_files {
  std::string cert; ///< the certificate, its intermediates after it
  std::string key;  ///< its private key, without a pass phrase
  std::string ca;   ///< whom to trust
};

/// What is wrong with the files: unreadable, no PEM, a key of another certificate. CAF reads them again for
/// each connection and would end the process, so they are looked at first.
[[nodiscard]] std::optional<std::string> tls_files_complaint(const tls_files& files);

/// The same for certificate and key alone (`vicket listen`), and for a file of trust roots.
[[nodiscard]] std::optional<std::string> certificate_complaint(const std::string& cert,
                                                               const std::string& key);
[[nodiscard]] std::optional<std::string> trust_roots_complaint(const std::string& ca);

} // namespace vicket
