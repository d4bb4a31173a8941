// 8: what a delivery costs, in instructions; in CPU time it is in the throughput scenario.

#include "bench/cost/expected_cost.hpp"
#include "bench/cost/instructions.hpp"
#include "bench/findings/figures.hpp"
#include "bench/scenarios/scenario.hpp"

namespace vicket::bench {

scenario_result run_cost(const bench_context& with) {
  scenario_result result;
  with.say("counting under callgrind");
  const auto counted = count_instructions(with.options().programs / "vicket-bench-load");
  if (const auto* why = std::get_if<std::string>(&counted)) {
    result.violations.push_back(*why);
    return result;
  }
  const auto& found = std::get<instruction_count>(counted);
  result.figures.push_back(plain_figure("instructions", "instructions per delivery, without network and TLS",
                                        found.per_delivery, "instructions"));
  const auto expected = read_expected_cost(
      std::filesystem::path{VICKET_SOURCE_DIR} / "bench/cost/expected.json", platform_name());
  if (expected) {
    result.figures.push_back(plain_figure("expected_instructions",
                                          "stored for this platform (`make test` compares)",
                                          expected->per_delivery, "instructions"));
    if (const auto complaint = cost_complaint(found.per_delivery, *expected))
      result.notes.push_back(complaint->substr(0, complaint->find('\n')));
  }
  result.notes.push_back(
      "Counted by " + found.tool +
      ": real actors and store on the deterministic scheduler, scripted transport. Some 42,000 of "
      "them are SHA-256, which valgrind's processor has no instructions for and real ones do.");
  return result;
}

} // namespace vicket::bench
