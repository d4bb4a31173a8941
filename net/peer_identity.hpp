#pragma once

#include "net/openssl.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vicket::internal {

/// Who is at the other end of a connection.
struct peer_identity {
  std::string address;    ///< "10.0.0.7", or "unix" for a Unix socket; connections are counted by it
  bool local = false;     ///< a Unix socket
  bool certified = false; ///< it showed a certificate of the CA
  std::vector<std::string>
      names; ///< the certificate's DNS and URI names, those only that are printable ASCII

  /// For the log: the first names, else the address.
  [[nodiscard]] std::string to_string() const;
};

/// The DNS and URI names of the certificate that the peer has shown.
[[nodiscard]] std::vector<std::string> certificate_names(const SSL* ssl);

/// Whether `name`, from a certificate, is what `pattern` means: the same (letters of DNS names in either case), or for
/// `*.example.com` one label more (`a.example.com`, not `a.b.example.com`, nor a certificate's own `*.example.com`). URIs
/// only as they are.
[[nodiscard]] bool name_fits(std::string_view pattern, std::string_view name);

/// Whether a pattern can mean anything: a DNS name, `*.` and one, or a URI.
[[nodiscard]] bool is_name_pattern(std::string_view pattern);

} // namespace vicket::internal
