#pragma once

#include "policy/address_guard.hpp"
#include "transport/http_transport.hpp"
#include "transport/socket_rules.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace vicket {

/// How the transport behaves; defaults are the product's.
struct transport_options {
  unsigned io_threads = 1;
  address_guard guard;                  ///< checked against every address of a name, right before dialling
  std::vector<std::string> ca_files;    ///< PEM files of trust roots besides the system's
  std::vector<std::string> dns_servers; ///< `HOST[:PORT]`; empty: the system's
  std::string resolv_conf = "/etc/resolv.conf"; ///< names the system's
  std::size_t max_idle_connections = 4'096;     ///< over all endpoints; the longest idle is closed first
  std::size_t max_idle_per_endpoint = 1'024;    ///< as many as one connector may have in flight
  std::int64_t idle_timeout_ms = 30'000;        ///< an idle connection is closed after it
  std::int64_t max_connection_age_ms =
      300'000;                              ///< an older one is not used again, so that DNS changes are seen
  std::size_t max_header_bytes = 64 * 1024; ///< of one answer, all its 1xx included
  std::uint64_t max_read_body_bytes =
      1024 * 1024; ///< a longer body is read no further, the connection closed
  socket_rules sockets;
  /// Told in one line what went on without being any request's failure: trust roots that can't be read again. From any
  /// thread of the transport; must not block; may be empty.
  std::function<void(const std::string&)> log_warning;
};

/// HTTP/1.1 over OpenSSL, timed by Boost.Asio, names by c-ares, on threads of its own. An endpoint's requests all go to one
/// thread. The destructor ends what is left with "the node is stopping"; not to be called from within a
/// completion. Throws `std::runtime_error` with one clear line when it can't be set up (a CA file that can't
/// be read, say).
[[nodiscard]] std::unique_ptr<http_transport> make_asio_transport(transport_options options);

} // namespace vicket
