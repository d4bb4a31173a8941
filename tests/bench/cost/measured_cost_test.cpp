// The one measurement among the tests: of instructions, not of time.

#include "bench/cost/expected_cost.hpp"
#include "bench/cost/instructions.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cmath>
#include <string>
#include <variant>

using namespace vicket::bench;

TEST_CASE("a delivery costs as many instructions as are stored for this platform", "[measured]") {
  if constexpr (!COMPARABLE_BUILD)
    SKIP("figures are of Release builds without sanitizers");
  const auto platform = platform_name();
  const auto expected = read_expected_cost(EXPECTED_COST_PATH, platform);
  const auto counted = count_instructions(BENCH_LOAD_PATH);
  if (const auto* why = std::get_if<std::string>(&counted))
    FAIL(*why);
  const auto& count = std::get<instruction_count>(counted);
  const auto entry = "\"" + platform +
                     "\": {\"per_delivery\": " + std::to_string(std::llround(count.per_delivery)) +
                     ", \"margin\": 0.02}";
  if (!expected)
    SKIP("no figure is stored for this platform; to have one, add to bench/cost/expected.json:\n  " << entry);
  if (const auto complaint = cost_complaint(count.per_delivery, *expected))
    FAIL(*complaint << "In bench/cost/expected.json (counted by " << count.tool << "):\n  " << entry);
  SUCCEED(count.per_delivery << " instructions per delivery");
}
