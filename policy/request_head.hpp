#pragma once

#include "messages/connector.hpp"
#include "messages/ids.hpp"
#include "policy/connector_secrets.hpp"
#include "policy/signer.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace vicket {

/// The header lines of a connector's requests: all that stands between the request line plus `Host:` and the
/// empty line. What does not change is rendered once per connector. The connector has passed
/// `connector_complaint`: its headers hold no line ends and none of the engine's own names.
class request_head {
public:
  /// `secrets`: the connector's own, opened.
  request_head(const connector& settings, const opened_secrets& secrets, std::string_view version);

  /// To be zeroed when it was sent: it has the values of secret headers. Each line ended by CRLF: `Content-Type`, `User-Agent`, `Accept` and `Accept-Encoding` unless the connector's headers
  /// have their own, the connector's headers and secret headers, `Content-Length`, `X-Vicket-Signature`, and `webhook-id`, `webhook-timestamp`, `webhook-signature` unless the connector
  /// turned Standard Webhooks off. `unix_seconds` is the time of this attempt.
  [[nodiscard]] std::string header_lines(const event_id& id, std::int64_t unix_seconds, std::string_view body,
                                         const signing_key& key) const;

private:
  std::string constant_lines_;
  secret_bytes secret_lines_;
  bool standard_webhooks_;
};

} // namespace vicket
