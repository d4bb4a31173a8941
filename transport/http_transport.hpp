#pragma once

#include "messages/attempt.hpp"
#include "messages/connector.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vicket {

/// Where a connector's requests go: parsed once per connector, shared by its requests, and the key under
/// which connections are pooled (tls, host, port).
struct http_endpoint {
  bool tls = true;
  std::string host; ///< lower case; a name without trailing dot, a dotted quad, or an IPv6 address without []
  std::uint16_t port = 443;
  std::string target;      ///< path and query, starts with '/'
  std::string host_header; ///< as it goes into `Host:`, with the port where it is not the scheme's own
};

/// One POST. `header_lines` is what stands between the request line plus `Host:` and the empty line, each
/// line ended by CRLF, `Content-Length` included: the transport adds nothing.
struct http_request {
  std::shared_ptr<const http_endpoint> endpoint;
  secret_text header_lines; ///< may have values of secret headers
  std::shared_ptr<const std::string> body;
  std::int64_t timeout_ms = 10'000; ///< resolve, connect, TLS, write, headers and body in all
};

/// What this node was short of when it was to send a request.
struct own_shortage {
  std::string what;            ///< "file descriptors (Too many open files)"
  bool of_destination = false; ///< only towards this endpoint (local ports): requests to others may go
};

/// What came of it. Exactly one of: an answer (`failure` absent, `status` set), a failure (its class, and a
/// sentence for the one who debugs it), or a shortage. An answer that is no 2xx may have a sentence, too: how its body
/// ended before its end. Beside a failure there may be a status and a partial body, or the first bytes of what was no
/// HTTP.
struct http_result {
  /// Nothing of the request was sent, which says nothing about the endpoint: it may be posted again as if it never had
  /// been. All else is meaningless then.
  std::optional<own_shortage> shortage;
  std::optional<outcome> failure; ///< never `delivered` or `http_status`
  std::optional<std::uint16_t> status;
  std::string error;
  std::string body;             ///< raw bytes, the first `attempt::max_body_bytes`
  std::uint64_t body_bytes = 0; ///< how much there was, as far as it was read
  bool body_truncated = false;
  std::string retry_after; ///< the header's value as it came; empty without one
  /// Of an answer that was no 2xx, in its order: the first `attempt::max_header_bytes`, as lines.
  std::vector<header_field> headers;
  bool headers_truncated = false; ///< not all of them, or not whole
  phase_timings phases;
  std::int64_t duration_us = 0;
};

/// Sends requests without blocking the caller. An interface, so that actor tests script the answers.
///
/// Thread safety: `post` may be called from any thread. The completion is called exactly once per request,
/// from a thread of the transport (or from within `post`), must not block and must not throw.
class http_transport {
public:
  using completion = std::function<void(http_result)>;

  virtual ~http_transport() = default;

  virtual void post(http_request request, completion done) = 0;

  struct posting {
    http_request request;
    completion done;
  };
  /// The same as `post` for each of them, in order, and cheaper than that.
  virtual void post_all(std::vector<posting> postings) {
    for (auto& one : postings)
      post(std::move(one.request), std::move(one.done));
  }

  /// Begins to read again what the system says about name servers and whom to trust, and goes on meanwhile with what there
  /// is. From any thread.
  virtual void reload() {}

  /// For a completion that gathers results: runs `later` on its thread once the other results that are ready there
  /// have been handed out, or at once where nothing is ready.
  virtual void defer(std::function<void()> later) { later(); }
};

} // namespace vicket
