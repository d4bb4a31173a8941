#include "bench/harness/process_usage.hpp"

#include <ctime>
#include <fstream>
#include <stdexcept>
#include <string>

namespace vicket::bench {

std::int64_t cpu_time_ns(pid_t process) {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &time) != 0)
    throw std::runtime_error("process " + std::to_string(process) + " is gone: its CPU time can't be read");
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

memory_use memory_of(pid_t process) {
  memory_use use;
  std::ifstream status{"/proc/" + std::to_string(process) + "/status"};
  for (std::string name; status >> name;) {
    std::uint64_t kib = 0;
    if (name == "VmRSS:" && status >> kib)
      use.resident_bytes = kib * 1024;
    else if (name == "VmHWM:" && status >> kib)
      use.peak_bytes = kib * 1024;
    status.ignore(1'000, '\n');
  }
  if (use.resident_bytes == 0)
    throw std::runtime_error("process " + std::to_string(process) + " is gone: its memory can't be read");
  return use;
}

} // namespace vicket::bench
