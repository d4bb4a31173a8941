#pragma once

#include "bench/findings/percentiles.hpp"
#include "bench/report/results.hpp"

#include <limits>
#include <string>
#include <vector>

// Figures as the scenarios make them. Pure.

namespace vicket::bench {

/// Misses every goal.
inline constexpr double not_measured = std::numeric_limits<double>::quiet_NaN();

/// In microseconds, of samples in nanoseconds; `not_measured` without any, where `at` says 0, the best there is.
[[nodiscard]] double percentile_us(const percentiles& of_ns, double p);

[[nodiscard]] figure plain_figure(const std::string& key, const std::string& title, double value,
                                  const std::string& unit);

/// The median of rounds. `not_measured` without any, or when one was not.
[[nodiscard]] figure median_figure(const std::string& key, const std::string& title,
                                   std::vector<double> rounds, const std::string& unit);

/// The largest of rounds, for what may never be more than its goal; else as above.
[[nodiscard]] figure worst_figure(const std::string& key, const std::string& title,
                                  std::vector<double> rounds, const std::string& unit);

/// Of the two sides of pairs, in their order. `smallest`: a divisor below it counts as it, since what is too short to
/// be measured would make any ratio.
[[nodiscard]] std::vector<double> ratios(const std::vector<double>& with, const std::vector<double>& without,
                                         double smallest);

} // namespace vicket::bench
