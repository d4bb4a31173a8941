#pragma once

#include "tests/crash/event_trace.hpp"
#include "tests/crash/records.hpp"

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

namespace vicket::crash {

/// An entry of the feed: connector, event, number of the attempt.
using feed_key = std::tuple<std::string, std::string, std::uint32_t>;

/// Judges what the follower with its cursor in a file noted down, over all its lives, against the whole feed as it is
/// at the end, in any order.
[[nodiscard]] std::vector<violation> check_follower(const std::vector<follower_record>& records,
                                                    const std::vector<feed_key>& whole);

} // namespace vicket::crash
