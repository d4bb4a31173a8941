#include "bench/report/results.hpp"

#include "bench/report/verdict.hpp"

#include <algorithm>

namespace vicket::bench {

bool correct(const run_result& run) {
  return std::all_of(run.scenarios.begin(), run.scenarios.end(),
                     [](const auto& scenario) { return scenario.violations.empty(); });
}

bool fast_enough(const run_result& run) {
  const auto goals = count_goals(run);
  return goals.met == goals.all;
}

} // namespace vicket::bench
