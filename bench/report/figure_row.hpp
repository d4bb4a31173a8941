#pragma once

#include "bench/report/results.hpp"
#include "bench/report/verdict.hpp"

#include <string>

namespace vicket::bench {

/// A figure as the cells of a table; plain text that is not escaped for any form yet.
struct figure_row {
  std::string title;
  std::string value;  ///< "12,431/s"; "n/a" when it was not measured
  std::string must;   ///< "≥ 0.35", "≤ 10 ms"; empty without a goal
  std::string aim;    ///< the same
  std::string rounds; ///< their spread: "0.41 – 0.44, 5 rounds"; empty without rounds
  verdict said = verdict::no_goal;
};

/// Value, goal and rounds are in one unit, the goal's if there is one, so that they compare at a glance. The
/// value gets as many digits as it takes to see why its verdict is what it is: 0.3498 against 0.35 is not
/// shown as 0.350.
[[nodiscard]] figure_row row_of(const figure& value);

} // namespace vicket::bench
