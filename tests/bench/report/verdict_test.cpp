#include "bench/report/verdict.hpp"

#include "tests/bench/report/example_run.hpp"

#include <catch2/catch_test_macros.hpp>

#include <limits>
#include <string>
#include <vector>

namespace vicket::bench {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr goal at_least{0.35, 0.5, true};
constexpr goal at_most{10, 5, false};

figure measured(double value, std::optional<goal> wanted) {
  return {"key", "a figure", value, "1", wanted, {}};
}

} // namespace

TEST_CASE("a verdict is what the value makes of must and aim, and nothing measured misses") {
  struct row {
    double value;
    goal wanted;
    verdict said;
  };
  const std::vector<row> table{
      {0.349, at_least, verdict::missed},    {0.35, at_least, verdict::must_met},
      {0.499, at_least, verdict::must_met},  {0.5, at_least, verdict::aim_met},
      {9, at_least, verdict::aim_met},       {10.01, at_most, verdict::missed},
      {10, at_most, verdict::must_met},      {5.01, at_most, verdict::must_met},
      {5, at_most, verdict::aim_met},        {0, at_most, verdict::aim_met},
      {nan, at_least, verdict::missed},      {nan, at_most, verdict::missed},
      {infinity, at_least, verdict::missed}, {-infinity, at_most, verdict::missed},
  };
  for (const auto& [value, wanted, said] : table) {
    INFO(value << " against " << wanted.must << ", " << wanted.aim);
    CHECK(verdict_of(measured(value, wanted)) == said);
    CHECK(fast_enough(run_with({measured(value, wanted)})) == (said != verdict::missed));
  }
  CHECK(verdict_of(measured(nan, std::nullopt)) == verdict::no_goal);
  CHECK(to_string(verdict::missed) == "MISSED");
  CHECK(to_string(verdict::no_goal).empty());
}

TEST_CASE("one missed goal makes a run too slow, in whichever scenario it is") {
  auto run = example_run();
  CHECK_FALSE(fast_enough(run));
  const auto goals = count_goals(run);
  CHECK(goals.all == 6);
  CHECK(goals.met == 5);
  CHECK(goals.aim_met == 3);
  // When the one that is missed gets better
  run.scenarios[1].figures[1].value = 9.9;
  CHECK(fast_enough(run));
  CHECK(correct(run));
}

TEST_CASE("one violation makes a run incorrect, whatever its figures are") {
  auto run = run_with({measured(1, at_least)});
  REQUIRE(correct(run));
  run.scenarios.push_back({"other", "another", {}, {}, {}, {"lost: 1 id"}, 1});
  CHECK_FALSE(correct(run));
  CHECK(fast_enough(run));
}

TEST_CASE("the summary counts the goals, names the missed ones, and says whether the run was correct") {
  CHECK(summary_of(run_result{}) == "nothing was measured");
  CHECK(summary_of(run_with({measured(1, std::nullopt)})) ==
        "no goals were set; correct: nothing lost, doubled or wrongly signed");
  CHECK(summary_of(run_with({measured(1, at_least)})) ==
        "1 of 1 goal met, 1 of them with the aim; correct: nothing lost, doubled or wrongly signed");
  auto run = run_with({measured(0.4, at_least), measured(0.1, at_least)});
  run.scenarios[0].violations = {"lost: 1 id", "doubled: 1 id"};
  CHECK(summary_of(run) ==
        "1 of 2 goals met, 0 of them with the aim; MISSED: a figure (example); NOT CORRECT: 2 violations");
}

TEST_CASE("the summary names a few missed goals only, and says that there are more") {
  const auto text = summary_of(run_with(std::vector<figure>(7, measured(0, at_least))));
  CHECK(text.find("(example), …; correct") != std::string::npos);
}

TEST_CASE("of many violations a few are listed, and the others counted") {
  auto run = run_with({});
  auto& scenario = run.scenarios[0];
  scenario.violations.assign(most_violations_listed, "lost");
  CHECK(listed_violations(scenario) == scenario.violations);
  scenario.violations.assign(most_violations_listed + 1'234, "lost");
  const auto listed = listed_violations(scenario);
  REQUIRE(listed.size() == most_violations_listed + 1);
  CHECK(listed.back() == "and 1,234 more, all of them in the JSON report");
}

} // namespace vicket::bench
