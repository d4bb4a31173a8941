#pragma once

#include "tests/crash/plan.hpp"

#include <atomic>
#include <cstdint>
#include <filesystem>

namespace vicket::crash {

struct feeder_options {
  std::filesystem::path folder; ///< the run's: the node's address and the journal
  std::uint32_t events_per_s = 150;
};

[[nodiscard]] std::filesystem::path feeder_journal_in(const std::filesystem::path& folder);

/// Where the driver says which port the node is on.
void write_node_port(const std::filesystem::path& folder, std::uint16_t port);
[[nodiscard]] std::uint16_t read_node_port(const std::filesystem::path& folder);

/// The feeder process: sends the plan's events over the actor port, notes down what it sends and what is
/// answered, and after each lost connection sends what was not answered again, under the same ids. When
/// `stop` is set it makes no new events, and returns when all are answered: true, or false when that does not
/// come to pass.
[[nodiscard]] bool run_feeder(const plan& promises, const feeder_options& options,
                              const std::atomic<bool>& stop);

} // namespace vicket::crash
