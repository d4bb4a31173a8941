#pragma once

#include "net/openssl.hpp"
#include "net/tls_files.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>

namespace vicket::internal {

/// The TLS settings of all connections of an actor port, or of all that an engine dials: one context to accept with and
/// one to dial with, made of the same files. Mutual TLS 1.2 or later; no renegotiation, no compression, and no sessions to
/// resume, so that every connection is judged by the files of its time. Thread-safe.
class tls_contexts {
public:
  /// Else one clear line.
  [[nodiscard]] static std::variant<std::shared_ptr<tls_contexts>, std::string> make(tls_files files);

  /// Reads the files again, for connections from now on. Else why those of before stay.
  [[nodiscard]] std::optional<std::string> reload();

  /// For a connection that came in: a certificate is demanded. Null where there is no memory for it.
  [[nodiscard]] ssl_ptr accept() const;
  /// For one that was dialled: the peer's certificate must be for `host`, by a DNS name or, where it is numeric, by an
  /// address; a common name counts for nothing. Null where there is no memory for it.
  [[nodiscard]] ssl_ptr dial(const std::string& host) const;

private:
  struct pair {
    ssl_context_ptr server;
    ssl_context_ptr client;
  };

  explicit tls_contexts(tls_files files) : files_{std::move(files)} {}
  [[nodiscard]] std::variant<pair, std::string> read() const;

  const tls_files files_;
  mutable std::mutex mutex_;
  pair now_; ///< guarded by mutex_; what was opened with one keeps it
};

/// Why a handshake failed, for the log and for who dialled, of an `SSL` whose last call failed: the peer's certificate
/// where that was it, else OpenSSL's words or the peer's alert. Empties this thread's queue of errors.
[[nodiscard]] std::string handshake_failure(const SSL* ssl, const std::string& host);

} // namespace vicket::internal
