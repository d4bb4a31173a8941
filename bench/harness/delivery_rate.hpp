#pragma once

#include <cstdint>
#include <utility>
#include <vector>

// How fast something came, from the times of its coming. Pure.

namespace vicket::bench {

/// The most that came within any `window_ns`; `times_ns` in any order.
[[nodiscard]] std::uint64_t most_within(std::vector<std::int64_t> times_ns, std::int64_t window_ns);

/// For a plot: (seconds since `zero_ns`, how many a second) for each whole `bucket_ns` of [from_ns, until_ns), at the
/// middle of it. `times_ns` in any order; what lies outside is left out.
[[nodiscard]] std::vector<std::pair<double, double>>
rate_over_time(const std::vector<std::int64_t>& times_ns, std::int64_t zero_ns, std::int64_t from_ns,
               std::int64_t until_ns, std::int64_t bucket_ns);

} // namespace vicket::bench
