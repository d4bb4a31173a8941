#pragma once

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <variant>

namespace vicket::bench {

/// What the engine executes for one delivery of the fixed load: from a `send_batch` at the gateway to the
/// attempt that is committed, with the store, without a network.
struct instruction_count {
  double per_delivery = 0;
  std::string tool; ///< that counted: "callgrind-3.19.0"
};

/// Runs `load` (the program vicket-bench-load) under callgrind with few deliveries and with many, and divides
/// the difference, so that start and stop do not count: about 10 s. The count is the same within 0.2 %, on a
/// busy machine and on any x86-64 processor too. The error says what failed and what to do. Call in the
/// process's first thread.
[[nodiscard]] std::variant<instruction_count, std::string>
count_instructions(const std::filesystem::path& load);

/// A file that callgrind wrote, as far as it matters.
struct callgrind_totals {
  double instructions = 0;
  std::string tool;
};

/// Absent: it is none, or was not written to its end.
[[nodiscard]] std::optional<callgrind_totals> read_callgrind_totals(std::istream& file);

} // namespace vicket::bench
