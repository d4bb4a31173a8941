#pragma once

#include <sys/types.h>

#include <cstdint>

namespace vicket::bench {

/// CPU time of a process so far, user and system, all its threads, those that ended too.
/// Throws std::runtime_error when there is no such process.
[[nodiscard]] std::int64_t cpu_time_ns(pid_t process);

/// What of it is in memory now, and the most that ever was.
struct memory_use {
  std::uint64_t resident_bytes = 0;
  std::uint64_t peak_bytes = 0;
};
[[nodiscard]] memory_use memory_of(pid_t process);

} // namespace vicket::bench
