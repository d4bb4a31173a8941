#pragma once

#include "bench/scenarios/scenario.hpp"

#include <filesystem>
#include <string>
#include <variant>
#include <vector>

namespace vicket::bench {

/// What the command line asked for.
struct bench_command {
  bench_options options;
  std::vector<std::string> scenarios; ///< names; empty: all
  std::filesystem::path folder;       ///< where the run's folder is made: on the disk that is to be measured
  bool keep_folder = false;
  bool check_goals = false; ///< a goal's `must` that is missed fails the run, too
  std::filesystem::path json;
  std::filesystem::path html;
  std::filesystem::path markdown;
};

/// The program ends here: its exit code, and what goes to standard output (code 0) or standard error.
struct command_end {
  int code = 0;
  std::string text;
};

[[nodiscard]] std::variant<bench_command, command_end> parse_bench_command(int argc, const char* const* argv);

} // namespace vicket::bench
