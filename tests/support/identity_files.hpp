#pragma once

#include "net/tls_files.hpp"
#include "tests/support/certificates.hpp"

namespace vicket::testing {

/// A certificate of an authority's, as files, for as long as this lives.
struct identity_files {
  identity_files(const certificate_authority& issuer, const certificate& own)
      : cert{own.pem}, key{own.key_pem}, ca{issuer.pem()} {}
  [[nodiscard]] tls_files files() const { return {cert.path(), key.path(), ca.path()}; }

  temporary_file cert;
  temporary_file key;
  temporary_file ca;
};

} // namespace vicket::testing
