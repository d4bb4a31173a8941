#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vicket {

/// Whether a connector takes this event: one of its patterns matches the whole name, or it has none. `*`
/// matches any run of characters, dots and nothing included; everything else is itself, case and all. Cost
/// per pattern: at most pattern bytes * event bytes, whatever stars there are (no backtracking).
[[nodiscard]] bool event_matches(const std::vector<std::string>& patterns, std::string_view event);

/// One pattern alone.
[[nodiscard]] bool pattern_matches(std::string_view pattern, std::string_view event);

} // namespace vicket
