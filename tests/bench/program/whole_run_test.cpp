// The harness as a whole: real node, real sink, and a sink that loses, doubles or forges one of thousands.

#include "tests/support/process.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

using vicket::testing::process;

namespace {

struct finished_run {
  int code = -1;
  std::string output; ///< both streams
};

finished_run run_latency(const std::vector<std::string>& more) {
  std::vector<std::string> arguments{VICKET_BENCH_PATH, "--scenario", "latency", "--quick"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  process bench{arguments};
  finished_run result;
  constexpr std::size_t most_output_bytes = 1'000'000;
  for (auto line = bench.line(); line && result.output.size() < most_output_bytes; line = bench.line())
    result.output += *line + '\n';
  result.code = bench.wait();
  result.output += bench.errors();
  return result;
}

bool says(const finished_run& run, const std::string& what) {
  return run.output.find(what) != std::string::npos;
}

} // namespace

TEST_CASE("a run in which all is well exits with 0 and says so") {
  const auto run = run_latency({});
  INFO(run.output);
  CHECK(run.code == 0);
  CHECK(says(run, "correct: nothing lost, doubled or wrongly signed"));
  CHECK(!says(run, "VIOLATION"));
}

TEST_CASE("a run whose sink does one thing wrong exits with 1 and names it") {
  struct row {
    const char* fault;
    const char* sentence;
  };
  const row table[] = {
      {"lose:2000", "1 event(s) were accepted and never came to the sink"},
      {"double:2000", "1 event(s) were delivered more than once"},
      {"forge:2000", "1 request(s) had a signature that does not fit"},
  };
  for (const auto& [fault, sentence] : table) {
    const auto run = run_latency({"--sink-flag=--fault", "--sink-flag=" + std::string{fault}});
    INFO(fault << '\n' << run.output);
    CHECK(run.code == 1);
    CHECK(says(run, sentence));
    CHECK(says(run, "NOT CORRECT"));
  }
}
