#pragma once

#include "messages/ids.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace vicket {

/// The longest wait that `parse_retry_after` returns: 366 days. The retry schedule caps it much lower.
inline constexpr std::int64_t retry_after_limit_ms = 366LL * 24 * 60 * 60 * 1'000;

/// The value of a `Retry-After` header as a wait from `now` on, 0 to `retry_after_limit_ms`.
///
/// Reads delta-seconds and the three forms of an HTTP date (RFC 9110 10.2.3 and 5.6.7; a name of the day that
/// does not fit its date is overlooked). A negative number or a time that has passed is 0; anything else
/// `nullopt`.
[[nodiscard]] std::optional<std::int64_t> parse_retry_after(std::string_view value, timestamp_ms now);

} // namespace vicket
