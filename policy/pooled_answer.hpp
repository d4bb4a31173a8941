#pragma once

#include <cstdint>

namespace vicket {

/// Whether an answer on a connection from the pool may have been sent to the connection, before our request reached the
/// server: it was about to close it, and says so. Such an answer is no verdict on the request.
///
/// - 408: the server waited too long for a request (RFC 9110, 15.5.9: "MAY repeat that request on a new connection").
/// - 421: the connection is the wrong one for this host (15.5.20, likewise).
/// - 400 that closes: what proxies and servers say to a connection that they cannot make sense of any more.
/// - 503 that closes and names no time: a server that is being stopped. With `Retry-After` the endpoint asks for a rest.
///
/// Anything else is said by whoever handled the request: 500, 502 and 504 may have had effects, 401, 404, 413 or 429
/// would be the same on a fresh connection, and a 2xx must not be asked for twice.
[[nodiscard]] constexpr bool may_be_unasked(std::uint16_t status, bool says_close, bool names_time) {
  switch (status) {
  case 408:
  case 421:
    return true;
  case 400:
    return says_close;
  case 503:
    return says_close && !names_time;
  default:
    return false;
  }
}

} // namespace vicket
