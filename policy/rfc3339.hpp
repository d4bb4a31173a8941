#pragma once

#include "messages/ids.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace vicket {

/// The years that RFC 3339 can write, 0001-01-01T00:00:00.000Z to 9999-12-31T23:59:59.999Z.
inline constexpr timestamp_ms min_rfc3339{-62'135'596'800'000};
inline constexpr timestamp_ms max_rfc3339{253'402'300'799'999};

/// Reads RFC 3339 `date-time`: any offset, a fraction of any length (cut to milliseconds), lower-case t and
/// z. A leap second (23:59:60 UTC) is the second after it. `nullopt` for anything else, days that no calendar
/// has included.
[[nodiscard]] std::optional<timestamp_ms> parse_rfc3339(std::string_view text);

/// `2026-05-23T14:21:11.412Z`: UTC, milliseconds. A time outside the years 0001–9999 is shown as the nearest
/// one in them.
[[nodiscard]] std::string format_rfc3339(timestamp_ms time);
/// The same, put behind what `text` has.
void append_rfc3339(std::string& text, timestamp_ms time);

} // namespace vicket
