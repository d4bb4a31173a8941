#include "bench/harness/process_usage.hpp"

#include "bench/harness/real_time.hpp"

#include <ctime>
#include <unistd.h>

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

std::int64_t busy_time_ns() {
  std::ifstream stat{"/proc/stat"};
  std::string name;
  std::int64_t user = 0, nice = 0, system = 0, idle = 0, waiting = 0, irq = 0, softirq = 0, steal = 0;
  if (!(stat >> name >> user >> nice >> system >> idle >> waiting >> irq >> softirq >> steal))
    throw std::runtime_error("/proc/stat can't be read");
  return (user + nice + system + irq + softirq + steal) * (1'000'000'000 / ::sysconf(_SC_CLK_TCK));
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

double cpu_of_a_core(pid_t process, std::int64_t duration_ms) {
  const auto from_ns = now_ns();
  const auto before_ns = cpu_time_ns(process);
  sleep_ms(duration_ms);
  return seconds(cpu_time_ns(process) - before_ns) / seconds(now_ns() - from_ns);
}

bool becomes_calm(pid_t process, std::int64_t limit_ms) {
  constexpr double calm_cpu = 0.02; // of a core
  constexpr std::int64_t sample_ms = 500;
  for (const auto from_ns = now_ns(); cpu_of_a_core(process, sample_ms) > calm_cpu;)
    if (now_ns() - from_ns > limit_ms * 1'000'000)
      return false;
  return true;
}

} // namespace vicket::bench
