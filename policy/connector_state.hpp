#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vicket {

/// What a connector's supervisor must remember beyond its own life: one record, opaque to storage, written with the round
/// that changes it. A policy that has something to remember adds a field here, and its flag below.
struct connector_state {
  /// Of the rate shaper, so that a restart gives no new burst; absent without a rate limit.
  std::optional<std::int64_t> rate_taken_until_us;

  friend bool operator==(const connector_state&, const connector_state&) = default;
};

/// u8 version (1), u8 flags, then what the flags name: 0x01 rate taken until (8 bytes, two's complement, big-endian).
[[nodiscard]] std::string encode(const connector_state& value);
/// `nullopt`: not written by this or an older program. A supervisor then begins anew.
[[nodiscard]] std::optional<connector_state> decode_connector_state(std::string_view bytes);

} // namespace vicket
