#pragma once

#include "tests/crash/plan.hpp"

#include <cstdint>
#include <filesystem>

namespace vicket::crash {

struct driver_options {
  std::filesystem::path program; ///< this one, to play the other roles
  std::filesystem::path node;    ///< vicketd
  std::uint64_t kills = 20;
  std::uint64_t seconds = 0; ///< not 0: kill for so long instead of so often
  std::uint32_t events_per_s = 150;
  std::int64_t slow_node_ms = 0; ///< a commit may take so much longer, since the node is built to be slow
  std::int64_t slow_sync_ms = 0; ///< not 0: every sync of the node takes so much longer
  bool keep = false;             ///< the run's folder stays
};

/// One run: starts everything, kills the node as the plan says, waits until all is settled, asks everyone,
/// judges, and leaves nothing behind. Prints as it goes. True: no violation.
[[nodiscard]] bool run_driver(const plan& promises, const driver_options& options);

} // namespace vicket::crash
