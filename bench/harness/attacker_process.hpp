#pragma once

#include "bench/attacker/attack_count.hpp"
#include "net/tls_files.hpp"
#include "tests/support/child_process.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace vicket::bench {

/// What an attack came to.
struct attack_report {
  std::map<std::string, attack_count> attacks;
  double seconds = 0;
  std::size_t crowd = 0; ///< upgraded connections that it had at the end, and kept
  std::size_t burst = 0; ///< tried at once

  [[nodiscard]] double connections_per_s() const;
  [[nodiscard]] double messages_per_s() const;
};

/// What an attack is to be.
struct attack_demand {
  double connections_per_s = 0;
  double least_part = 0;    ///< of these, or it was another attack
  double least_reached = 0; ///< of each kind's connections
  std::size_t crowd = 0;
  std::size_t burst = 0;
};

/// In what an attack was less than it was to be, so that what was measured beside it says nothing. Pure.
[[nodiscard]] std::vector<std::string> complaints_of(const attack_report& report,
                                                     const attack_demand& wanted);

/// Reads what `vicket-bench-attacker` says at its end, line by line. Pure.
class attack_report_reader {
public:
  /// Whether it was the last line. Throws std::runtime_error for one that it does not say.
  bool read(const std::string& line);
  [[nodiscard]] const attack_report& report() const { return report_; }

private:
  attack_report report_;
};

/// Strangers at a node's actor port: a process of their own, which ends with this object, and with the harness.
class attacker_process {
public:
  struct setup {
    std::filesystem::path program; ///< vicket-bench-attacker
    std::filesystem::path log;
    std::uint16_t port = 0;
    tls_files sender;
    tls_files foreign;
    std::vector<std::string> more_flags;
  };

  /// Attacks from here on. Throws std::runtime_error with the end of its log when it can't be started.
  explicit attacker_process(const setup& with);

  [[nodiscard]] pid_t id() const { return process_.id(); }
  /// Ends it. Throws std::runtime_error when it does not end well.
  [[nodiscard]] attack_report stop();

private:
  std::filesystem::path log_;
  testing::child_process process_;
};

} // namespace vicket::bench
