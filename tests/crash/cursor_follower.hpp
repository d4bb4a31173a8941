#pragma once

#include "tests/crash/plan.hpp"

#include <atomic>
#include <filesystem>

namespace vicket::crash {

[[nodiscard]] std::filesystem::path follower_journal_in(const std::filesystem::path& folder);

/// The follower process: reads the outcome feed as a workflow engine does that keeps its cursor in a file. It notes down
/// every entry, and saves the cursor after some of the pages; killed and started again, it reads on after the saved one.
/// When `stop` is set it reads to the end of the feed and returns true; false: the node stopped answering.
[[nodiscard]] bool run_cursor_follower(const plan& promises, const std::filesystem::path& folder,
                                       const std::atomic<bool>& stop);

} // namespace vicket::crash
