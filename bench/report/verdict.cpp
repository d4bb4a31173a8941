#include "bench/report/verdict.hpp"

#include "bench/report/measure_text.hpp"

#include <algorithm>
#include <cmath>

namespace vicket::bench {

namespace {

constexpr std::size_t most_missed_named = 5;

std::string count_of(std::size_t number, std::string_view one, std::string_view many) {
  return show_bound(static_cast<double>(number)) + ' ' + std::string{number == 1 ? one : many};
}

std::string goals_clause(const run_result& run) {
  const auto goals = count_goals(run);
  if (goals.all == 0)
    return run.scenarios.empty() ? "nothing was measured" : "no goals were set";
  return show_bound(static_cast<double>(goals.met)) + " of " + count_of(goals.all, "goal", "goals") +
         " met, " + show_bound(static_cast<double>(goals.aim_met)) + " of them with the aim";
}

/// "; MISSED: restart to first delivery (backlog), …", or nothing.
std::string missed_clause(const run_result& run) {
  std::string clause;
  std::size_t named = 0;
  for (const auto& scenario : run.scenarios)
    for (const auto& one : scenario.figures) {
      if (verdict_of(one) != verdict::missed)
        continue;
      if (named == most_missed_named)
        return clause + ", …";
      clause += (named++ == 0 ? "; MISSED: " : ", ") + one.title + " (" + scenario.name + ')';
    }
  return clause;
}

std::string correctness_clause(const run_result& run) {
  if (correct(run))
    return run.scenarios.empty() ? "" : "; correct: nothing lost, doubled or wrongly signed";
  std::size_t violations = 0;
  for (const auto& scenario : run.scenarios)
    violations += scenario.violations.size();
  return "; NOT CORRECT: " + count_of(violations, "violation", "violations");
}

} // namespace

verdict verdict_of(const figure& value) {
  if (!value.wanted)
    return verdict::no_goal;
  if (!std::isfinite(value.value) || !value.wanted->met(value.value))
    return verdict::missed;
  return value.wanted->aim_met(value.value) ? verdict::aim_met : verdict::must_met;
}

std::string_view to_string(verdict value) {
  switch (value) {
  case verdict::no_goal:
    return "";
  case verdict::aim_met:
    return "aim met";
  case verdict::must_met:
    return "must met";
  case verdict::missed:
    return "MISSED";
  }
  return "";
}

goal_count count_goals(const run_result& run) {
  goal_count goals;
  for (const auto& scenario : run.scenarios)
    for (const auto& one : scenario.figures) {
      const auto said = verdict_of(one);
      goals.all += said != verdict::no_goal ? 1U : 0U;
      goals.met += said == verdict::must_met || said == verdict::aim_met ? 1U : 0U;
      goals.aim_met += said == verdict::aim_met ? 1U : 0U;
    }
  return goals;
}

std::string summary_of(const run_result& run) {
  return goals_clause(run) + missed_clause(run) + correctness_clause(run);
}

std::vector<std::string> listed_violations(const scenario_result& scenario) {
  const auto& all = scenario.violations;
  const auto shown = std::min(all.size(), most_violations_listed);
  std::vector<std::string> lines{all.begin(), all.begin() + static_cast<std::ptrdiff_t>(shown)};
  if (shown < all.size())
    lines.push_back("and " + show_bound(static_cast<double>(all.size() - shown)) +
                    " more, all of them in the JSON report");
  return lines;
}

} // namespace vicket::bench
