#pragma once

#include "tests/sim/coverage.hpp"
#include "tests/sim/facts.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace vicket::sim {

/// One world to run: the plan follows from seed and steps, `kept` are the places of the actions to carry out.
struct world_order {
  std::uint64_t seed = 0;
  std::uint32_t steps = 0;
  std::vector<std::uint32_t> kept;
};

struct world_settings {
  std::filesystem::path folder; ///< for the data folders' markers, one for each number of partitions
  std::vector<std::string> ignored;
  bool trace = false;    ///< to standard output
  bool hash = false;     ///< make the trace also where nobody sees it, for its hash
  unsigned limit_s = 60; ///< of a processor, so that a busy machine ends no world
};

struct world_result {
  std::optional<complaint> found;   ///< also where the process died or did not come to an end
  std::vector<std::string> stories; ///< of the events that the complaint names
  coverage met;
  std::uint64_t handlers = 0;
  std::uint64_t trace_hash = 0; ///< of all lines that a trace has
};

/// A world in a process of its own: so one that crashes or hangs is a finding like any other, and nothing that a
/// process keeps leads from one world to the next. Not to be used once this process has other threads.
class running_world {
public:
  running_world(const world_order& order, const world_settings& settings);
  ~running_world(); ///< of one whose result nobody wants
  running_world(running_world&& other) noexcept;
  running_world& operator=(running_world&&) = delete;

  [[nodiscard]] world_result wait_for_end();

private:
  unsigned limit_s_;
  std::chrono::steady_clock::time_point until_;
  int child_ = -1; ///< -1: it has ended
  int results_ = -1;
};

/// One world from its beginning to its end.
[[nodiscard]] world_result run_world(const world_order& order, const world_settings& settings);

/// All places of a world's actions.
[[nodiscard]] std::vector<std::uint32_t> all_places(std::uint32_t steps);

} // namespace vicket::sim
