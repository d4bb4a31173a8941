#pragma once

#include <sys/types.h>

#include <cstdint>

namespace vicket::bench {

/// CPU time of a process so far, user and system, all its threads, those that ended too.
/// Throws std::runtime_error when there is no such process.
[[nodiscard]] std::int64_t cpu_time_ns(pid_t process);

/// What all processors of the machine have worked so far, for whomever, a host that took them away included; in steps of
/// a clock tick, 10 ms as a rule.
[[nodiscard]] std::int64_t busy_time_ns();

/// What of it is in memory now, and the most that ever was.
struct memory_use {
  std::uint64_t resident_bytes = 0;
  std::uint64_t peak_bytes = 0;
};
[[nodiscard]] memory_use memory_of(pid_t process);

/// What part of one core a process takes in the next `duration_ms`; above 1 where it has several.
[[nodiscard]] double cpu_of_a_core(pid_t process, std::int64_t duration_ms);

/// Until a process takes next to nothing: after its start a node compacts what was built in seconds. False: it was
/// still busy after `limit_ms`.
[[nodiscard]] bool becomes_calm(pid_t process, std::int64_t limit_ms);

} // namespace vicket::bench
