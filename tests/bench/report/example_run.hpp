#pragma once

#include "bench/report/results.hpp"

#include <string>
#include <utility>
#include <vector>

namespace vicket::bench {

/// A run as the harness makes one: scenarios whose goals are met with the aim, met and missed, and plots of
/// every scale. Its numbers are made up.
[[nodiscard]] run_result example_run();

/// A run of one scenario, `example`, with these figures.
[[nodiscard]] run_result run_with(std::vector<figure> figures);

[[nodiscard]] plot plot_with(std::vector<std::pair<double, double>> points, axis_scale x = axis_scale::linear,
                             axis_scale y = axis_scale::linear);

} // namespace vicket::bench
