#pragma once

#include "net/openssl.hpp"

#include <memory>
#include <string>
#include <utility>

namespace vicket {

using internal::ssl_context_ptr;
using internal::ssl_ptr;
using internal::ssl_session_ptr;
using internal::take_tls_errors;

/// What a TLS session tells its owner, through OpenSSL's callbacks. Attached to the `SSL` with `attach`.
class tls_session_owner {
public:
  /// The peer gave a ticket that a later connection may resume.
  virtual void on_ticket(ssl_session_ptr session) = 0;

  /// The peer's certificate was refused; a predicate such as "has a certificate that expired on …".
  virtual void on_certificate_refused(std::string reason) = 0;

  /// The peer asks for a client certificate; it gets none.
  virtual void on_certificate_asked() = 0;

  /// The peer's certificate could not be judged, since this node is short of `what`. Told after it was refused.
  virtual void on_shortage(std::string what) = 0;

  /// Whose certificate is expected.
  [[nodiscard]] virtual const std::string& host() const = 0;

protected:
  ~tls_session_owner() = default;
};

/// Settings that all outbound TLS connections share, as an I/O thread has them: TLS 1.2 or newer, certificates and host
/// names verified, always. A host is named by subjectAltName alone (RFC 9525): a name by a DNS entry, an address by an
/// IP entry, a common name counts for nothing.
class tls_context {
public:
  /// Of `make`, with trust roots in it (trust_roots.hpp).
  explicit tls_context(ssl_context_ptr context) : context_{std::move(context)} {}

  /// These settings, for any number of threads to share; nobody is trusted yet. Throws `std::runtime_error` where there is
  /// no memory for it.
  [[nodiscard]] static ssl_context_ptr make();
  /// One more owner.
  [[nodiscard]] static ssl_context_ptr share(SSL_CTX* context);

  /// Others are trusted from now on.
  void take(ssl_context_ptr fresh) { context_ = std::move(fresh); }
  /// Whether `ssl` was opened with the trust roots of now.
  [[nodiscard]] bool is_current(const SSL* ssl) const { return SSL_get_SSL_CTX(ssl) == context_.get(); }

  /// A client session on the connected, non-blocking socket `fd` that accepts only the certificate of the owner's
  /// host, which is `host`; resumes `session` when there is one. Null when OpenSSL has no memory for it.
  [[nodiscard]] ssl_ptr open(int fd, const std::string& host, SSL_SESSION* session,
                             tls_session_owner& owner) const;

private:
  ssl_context_ptr context_;
};

} // namespace vicket
