#pragma once

#include "messages/attempt.hpp"
#include "messages/connector.hpp"
#include "messages/ids.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace vicket {

/// The longest wait that `parse_retry_after` returns: 366 days.
inline constexpr std::int64_t retry_after_limit_ms = 366LL * 24 * 60 * 60 * 1'000;

/// The value of a `Retry-After` header as a wait from `now` on, 0 to `retry_after_limit_ms`.
///
/// RFC 9110 (10.2.3, 5.6.7) knows whole seconds and three forms of a date. What servers send besides is taken where it
/// can be meant in one way only:
/// - seconds with a fraction (rounded up to milliseconds) or with a unit (`30s`, `2 minutes`, Go's `1m0s`); the same
///   wait several times (`30, 30`, which is what two equal fields become);
/// - dates in any case, with names spelled out, a one-digit day, no name of the day, no seconds, or dashes; of RFC 5322,
///   RFC 3339, `date` and JavaScript. The zone is GMT, UTC, UT, Z or an offset of four digits; only C's asctime, which
///   is UTC by definition, has none. A name of the day that does not fit its date is overlooked;
/// - quotes around all of it.
///
/// A negative number or a time that has passed is 0; anything else `nullopt`: a list of different waits, a decimal
/// comma, an exponent, a zone by another name, a date of digits only.
[[nodiscard]] std::optional<std::int64_t> parse_retry_after(std::string_view value, timestamp_ms now);

/// The longest time for which a `Retry-After` holds its connector.
inline constexpr std::int64_t longest_hold_ms = 10 * 60 * 1'000;

/// What is made of a `Retry-After` that came with a failed attempt at `now`.
///
/// It is a floor for the event's next attempt, at most `cap_ms` away, and with 429 and 503 it holds the connector, for at
/// most `longest_hold_ms`. A wait beyond `max_age_ms` can't be meant, since no event would live to see its end; that goes
/// for a Unix time, too, which read as seconds is decades.
[[nodiscard]] retry_hint heed_retry_after(std::string_view value, std::optional<std::uint16_t> status,
                                          const retry_policy& policy, timestamp_ms now);

} // namespace vicket
