#pragma once

#include "policy/address_guard.hpp"

#include <string_view>

namespace vicket {

/// Whether a certificate's DNS name is that of a host (RFC 9525 6.3): the same, upper and lower case alike, or `*.` and
/// the host's name without its first label, if two labels or more are left. The host is one that `parse_endpoint_url` has
/// read, in xn-- form and without trailing dot; every name that it takes can match, those with `_` and those below
/// top-level domains like xn--p1ai too (OpenSSL's own comparison knows no wildcards for these). No other use of `*`.
[[nodiscard]] bool certificate_name_covers(std::string_view certificate_name, std::string_view host);

/// Whether a certificate's address, 4 or 16 bytes, is that of a numeric host; an IPv4 address may be written as the
/// IPv6 address that stands for it.
[[nodiscard]] bool certificate_address_covers(std::string_view bytes, const ip_address& host);

} // namespace vicket
