#pragma once

#include "net/openssl.hpp"

#include <optional>
#include <string>
#include <vector>

// What TLS is made of, read from PEM files: for the actor port, for deliveries, and for whoever only asks whether the files are
// good. A complaint is one clear line that names the file; without one it is done. OpenSSL's queue of errors is empty after each.

namespace vicket::internal {

using tls_complaint = std::optional<std::string>;

/// A context for TLS 1.2 or later, which never asks a terminal for a pass phrase. Null where there is no memory for it.
[[nodiscard]] ssl_context_ptr new_tls_context(const SSL_METHOD* method);

/// The context's own certificate, its intermediates after it in the same file, and its key.
[[nodiscard]] tls_complaint read_certificate(SSL_CTX* context, const std::string& cert,
                                             const std::string& key);
/// Certificates that it trusts, besides those of before.
[[nodiscard]] tls_complaint read_trust_roots(SSL_CTX* context, const std::string& ca);
/// Certificates that are revoked, which it looks at from then on. After the trust roots: each of their CAs that issues
/// certificates has to have a list that is valid now, or none of its certificates would be accepted.
[[nodiscard]] tls_complaint read_revocations(SSL_CTX* context, const std::string& crl);

/// One of the files is something else by now: to open a pipe that has come in its place could wait for ever. What is not
/// there, or has no name, is passed over.
[[nodiscard]] tls_complaint replaced_by_no_file(const std::vector<std::string>& files);

} // namespace vicket::internal
