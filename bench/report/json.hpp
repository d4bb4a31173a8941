#pragma once

#include "bench/report/results.hpp"

#include <string>

namespace vicket::bench {

/// All of a run, two blanks per level, fields always in this order, a line end last:
/// `{"started_at":…,"command":…,"version":…,"commit":…,"machine":…,"tools":…,"took_s":…,"correct":…,
/// "fast_enough":…,"goals":{"all":…,"met":…,"aim_met":…},"scenarios":[{"name":…,"title":…,"took_s":…,
/// "figures":[{"key":…,"title":…,"value":…,"unit":…,
/// "goal":{"must":…,"aim":…,"more_is_better":…,"verdict":…},"rounds":[…]}],
/// "plots":[{"title":…,"x":{"title":…,"scale":…},"y":{…},"lines":[{"title":…,"points":[[x,y],…]}]}],
/// "notes":[…],"violations":[…]}]}`.
///
/// `goal` is null where there is none; `verdict` is aim_met, must_met or missed; `scale` linear, logarithmic
/// or nines. A number that is not finite is null; bytes of a text that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string json_of(const run_result& run);

} // namespace vicket::bench
