#pragma once

#include "messages/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vicket {

/// What a connector's supervisor must remember beyond its own life: one record, opaque to storage, written with the round
/// that changes it. A policy that has something to remember adds a field here, and its flag below.
struct connector_state {
  struct hold {
    timestamp_ms until;         ///< may have passed: then the slow start after it is not over
    std::uint64_t endpoint = 0; ///< whose: FNV-1a of the URL

    friend bool operator==(const hold&, const hold&) = default;
  };

  /// Of the rate shaper, so that a restart gives no new burst; absent without a rate limit.
  std::optional<std::int64_t> rate_taken_until_us;
  /// The endpoint asked for it, see `endpoint_hold`.
  std::optional<hold> held;

  friend bool operator==(const connector_state&, const connector_state&) = default;
};

/// Until when the endpoint at this URL is held. What another one has asked for does not bind it.
[[nodiscard]] std::optional<timestamp_ms> hold_of(const connector_state& value, std::string_view url);
[[nodiscard]] connector_state::hold make_hold(timestamp_ms until, std::string_view url);

/// u8 version (1), u8 flags, then what the flags name, numbers of 8 bytes, two's complement, big-endian: 0x01 rate taken
/// until, 0x02 held until, its endpoint.
[[nodiscard]] std::string encode(const connector_state& value);
/// `nullopt`: not written by this or an older program. A supervisor then begins anew.
[[nodiscard]] std::optional<connector_state> decode_connector_state(std::string_view bytes);

} // namespace vicket
