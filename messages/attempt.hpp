#pragma once

#include "messages/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace vicket {

/// How an attempt ended: each attempt is in exactly one class. The names are those of the history's JSON; the
/// numbers are the wire and the store, append only.
enum class outcome : std::uint8_t {
  delivered = 1, ///< 2xx
  http_status,   ///< an answer with any other status
  timeout,       ///< the deadline passed before an answer's head was there
  dns,           ///< the name did not resolve
  connect,       ///< no TCP connection
  tls,           ///< no TLS session: certificate, name, version, or an answer that is not TLS
  protocol,      ///< what came back is not the HTTP answer it claims to be, or exceeds a bound
  blocked,       ///< the address guard refused an address of the name; nothing was sent
};

[[nodiscard]] std::string_view to_string(outcome value);
[[nodiscard]] bool from_integer(std::underlying_type_t<outcome> number, outcome& value);

template <class Inspector>
bool inspect(Inspector& f, outcome& x) {
  if constexpr (Inspector::is_loading) {
    auto number = std::underlying_type_t<outcome>{};
    return f.apply(number) && from_integer(number, x);
  } else {
    return f.apply(static_cast<std::underlying_type_t<outcome>>(x));
  }
}

/// Where an attempt's time went, in microseconds; absent: the attempt did not come to it, or a pooled connection
/// needed none.
struct phase_timings {
  std::optional<std::int64_t> dns_us;
  std::optional<std::int64_t> connect_us;
  std::optional<std::int64_t> tls_us;
  std::optional<std::int64_t>
      first_byte_us; ///< from the request's last byte written to the answer's first byte

  friend bool operator==(const phase_timings&, const phase_timings&) = default;

  template <class Inspector>
  friend bool inspect(Inspector& f, phase_timings& x) {
    return f.object(x).fields(f.field("dns_us", x.dns_us), f.field("connect_us", x.connect_us),
                              f.field("tls_us", x.tls_us), f.field("first_byte_us", x.first_byte_us));
  }
};

/// A header field of an answer: its name as it was sent, its value without white space around it. Raw bytes.
struct header_field {
  std::string name;
  std::string value;

  friend bool operator==(const header_field&, const header_field&) = default;

  template <class Inspector>
  friend bool inspect(Inspector& f, header_field& x) {
    return f.object(x).fields(f.field("name", x.name), f.field("value", x.value));
  }
};

/// A `Retry-After` that an answer had, and what was made of it.
struct retry_hint {
  static constexpr std::size_t max_heard_bytes = 128;

  std::string heard; ///< the value as it came, its first bytes
  /// The event is not tried again before. Absent: what was heard can't be meant, and counts as not said.
  std::optional<timestamp_ms> not_before;
  /// Until then nothing new is sent to the connector: after 429 and 503.
  std::optional<timestamp_ms> held_until;

  friend bool operator==(const retry_hint&, const retry_hint&) = default;

  template <class Inspector>
  friend bool inspect(Inspector& f, retry_hint& x) {
    return f.object(x).fields(f.field("heard", x.heard), f.field("not_before", x.not_before),
                              f.field("held_until", x.held_until));
  }
};

/// One POST, as it is remembered. A failed delivery is this value, not an error.
struct attempt {
  /// What is kept of a response body; seed: "surfaced in the workflow's run history with the raw response body".
  static constexpr std::size_t max_body_bytes = 64 * 1024;
  /// What is kept of the header fields of an answer that was no 2xx, as lines.
  static constexpr std::size_t max_header_bytes = 4 * 1024;

  std::uint32_t number = 0; ///< 1 for the first
  timestamp_ms started_at;
  std::int64_t duration_us = 0;
  phase_timings phases;
  outcome result = outcome::delivered;
  std::optional<std::uint16_t> status;   ///< absent: none is known
  std::string error;                     ///< empty for `delivered`; else a sentence for the one who debugs it
  std::string response_body;             ///< raw bytes, the first 64 KiB
  std::uint64_t response_body_bytes = 0; ///< how long the body was, as far as it was read
  bool response_truncated = false;       ///< there was more than `response_body` holds
  std::optional<timestamp_ms> next_attempt_at; ///< absent: it was the last one
  std::vector<header_field> response_headers;  ///< of an answer that was no 2xx, in its order
  bool response_headers_truncated = false;     ///< not all of them, or not whole
  std::optional<retry_hint> retry_after;       ///< of an answer that was no 2xx

  /// What is kept of the answer, for bounds on many of them.
  [[nodiscard]] std::size_t answer_bytes() const;

  friend bool operator==(const attempt&, const attempt&) = default;

  template <class Inspector>
  friend bool inspect(Inspector& f, attempt& x) {
    return f.object(x).fields(
        f.field("number", x.number), f.field("started_at", x.started_at),
        f.field("duration_us", x.duration_us), f.field("phases", x.phases), f.field("result", x.result),
        f.field("status", x.status), f.field("error", x.error), f.field("response_body", x.response_body),
        f.field("response_body_bytes", x.response_body_bytes),
        f.field("response_truncated", x.response_truncated), f.field("next_attempt_at", x.next_attempt_at),
        f.field("response_headers", x.response_headers),
        f.field("response_headers_truncated", x.response_headers_truncated),
        f.field("retry_after", x.retry_after));
  }
};

} // namespace vicket
