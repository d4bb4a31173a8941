#pragma once

#include "tests/crash/plan.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>

namespace vicket::crash {

struct feeder_options {
  std::filesystem::path folder; ///< the run's: the node's address and the journal
  std::uint32_t events_per_s = 150;
  /// Of the receivers, and at last the one on which nobody listens.
  std::array<std::uint16_t, plan::receivers + 1> ports{};
};

[[nodiscard]] std::filesystem::path feeder_journal_in(const std::filesystem::path& folder);

/// Where the driver says which port the node is on.
void write_node_port(const std::filesystem::path& folder, std::uint16_t port);
[[nodiscard]] std::uint16_t read_node_port(const std::filesystem::path& folder);

/// The feeder process: sends the plan's events over the actor port, and its puts and deletes between them; notes down what it sends and what is
/// answered, and after each lost connection sends what was not answered again, under the same ids. With
/// each one more in `bursts` it sends a burst, which ends with the connection at the latest, and says so with a line
/// `burst N group M` for each group. When `stop` is set it makes
/// no new events, puts each changed connector as it shall stay, and returns when all is answered: true, or false when
/// that does not come to pass.
[[nodiscard]] bool run_feeder(const plan& promises, const feeder_options& options,
                              const std::atomic<bool>& stop, const std::atomic<std::uint32_t>& bursts);

} // namespace vicket::crash
