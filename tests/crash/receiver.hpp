#pragma once

#include "tests/crash/plan.hpp"

#include <atomic>
#include <filesystem>

namespace vicket::crash {

struct receiver_options {
  int index = 0;                ///< which of the plan's receivers it is
  std::filesystem::path folder; ///< the run's: TLS identity and journals
};

[[nodiscard]] std::filesystem::path receiver_journal_in(const std::filesystem::path& folder, int index);

/// The receiver process: an HTTPS server on 127.0.0.1 that checks, notes down and answers as the plan says.
/// Prints `receiver ready port=N` on standard output. Returns when `stop` is set; all its connections are
/// closed then.
void run_receiver(const plan& promises, const receiver_options& options, const std::atomic<bool>& stop);

} // namespace vicket::crash
