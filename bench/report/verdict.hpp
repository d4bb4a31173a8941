#pragma once

#include "bench/report/results.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// What the figures say about their goals, in the words that every form of the report uses.

namespace vicket::bench {

enum class verdict : std::uint8_t { no_goal, aim_met, must_met, missed };

/// What was not measured (not a finite number) misses its goal.
[[nodiscard]] verdict verdict_of(const figure& value);
/// "aim met", "must met", "MISSED"; empty without a goal.
[[nodiscard]] std::string_view to_string(verdict value);

struct goal_count {
  std::size_t all = 0;
  std::size_t met = 0;     ///< at least their `must`
  std::size_t aim_met = 0; ///< of those that are met
};
[[nodiscard]] goal_count count_goals(const run_result& run);

/// One line, without its end: how many goals are met, which are missed, and whether the run was correct.
[[nodiscard]] std::string summary_of(const run_result& run);

/// Of violations no more than these are listed for people; the JSON has all of them.
inline constexpr std::size_t most_violations_listed = 20;
/// Those that are listed, and a last line that counts the others.
[[nodiscard]] std::vector<std::string> listed_violations(const scenario_result& scenario);

} // namespace vicket::bench
