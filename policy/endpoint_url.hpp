#pragma once

#include "policy/address_guard.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace vicket {

/// Longest URL a connector may have.
inline constexpr std::size_t max_url_bytes = 2'048;

/// A connector's URL, taken apart once so that nobody parses it a second, different way.
struct endpoint_url {
  bool tls = true;
  std::string host; ///< lower case: a name without trailing dot, a dotted quad, or an IPv6 address without []
  std::uint16_t port = 443;
  std::string target;      ///< path and query as written, starts with '/'
  std::string host_header; ///< for `Host:`, with the port where it is not the scheme's own
  bool numeric = false;    ///< `host` is an address; nothing is looked up

  friend bool operator==(const endpoint_url&, const endpoint_url&) = default;
};

/// The endpoint, or a sentence that says what is wrong and where. Stricter than browsers on purpose: every
/// spelling that two parsers could read differently is refused, and every one that a server could: RFC 3986
/// without user info and fragment, and without percent escapes in the host; numeric hosts as a canonical dotted
/// quad or RFC 4291 text in [] without zone only. The complaint says how to write what was meant, and never repeats
/// user info.
[[nodiscard]] std::variant<endpoint_url, std::string> parse_endpoint_url(std::string_view url,
                                                                         bool allow_http);

/// The same for the URL of a connector that is stored. What earlier versions took and `parse_endpoint_url` no longer
/// does, `"<>[]^`{|}` in path and query, goes on as it did: its deliveries must not stop with an upgrade. So does http.
[[nodiscard]] std::variant<endpoint_url, std::string> parse_stored_endpoint_url(std::string_view url);

/// What can be refused of an endpoint before anything is looked up, when the connector is put: an address
/// that the guard denies, and `localhost` (RFC 6761) unless the guard allows a loopback address. `nullopt`:
/// nothing yet; the addresses of a name are judged at each delivery.
[[nodiscard]] std::optional<std::string> endpoint_denied(const endpoint_url& endpoint,
                                                         const address_guard& guard);

} // namespace vicket
