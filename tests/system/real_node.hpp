#pragma once

#include "messages/connector.hpp"
#include "tests/support/process.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vicket::testing {

/// A sanitizer's shadow, red zones and quarantine are memory of its own: how much a node takes says nothing then.
constexpr bool memory_is_ours = VICKET_SANITIZED == 0;
/// And it takes a second or more to say at the end that there is nothing to say.
constexpr std::int64_t sanitizer_exit_us = VICKET_SANITIZED == 0 ? 0 : 4'000'000;

/// A `vicketd` that may deliver to 127.0.0.1, by http too. Killed when this object goes.
class real_node {
public:
  /// Starts it and waits until it is ready. Throws std::runtime_error, with its log, if it is not. `most_files`: its
  /// hard limit of open files; absent: the test's own.
  explicit real_node(const std::filesystem::path& data_dir, const std::vector<std::string>& more_flags = {},
                     std::optional<std::size_t> most_files = std::nullopt);
  /// Prints the log of a node that ended without being asked to.
  ~real_node();
  real_node(const real_node&) = delete;
  real_node& operator=(const real_node&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string log() const { return process_.errors(); }

  /// From now on it may open only so many files more than it has open. It had raised the limit when it started.
  void let_open_only(std::size_t more) const;

  void terminate();
  /// SIGKILL, and gone.
  void kill();
  /// The exit code.
  int wait() { return process_.wait(); }

  /// A line of /proc/<pid>/status: `VmRSS`, what is in memory now, or `VmHWM`, the most that ever was.
  [[nodiscard]] std::uint64_t memory_bytes(const std::string& line) const;

private:
  /// Prints why when the node has ended without being asked to.
  void end_is_asked_for();

  process process_;
  bool asked_to_end_ = false;
  std::uint16_t port_ = 0;
};

/// `vicketd ready actors=HOST:PORT` → PORT.
[[nodiscard]] std::uint16_t port_in(const std::string& ready_line);

/// The flags of a node that may deliver to 127.0.0.1, by http too.
[[nodiscard]] std::vector<std::string> node_command(const std::filesystem::path& data_dir);

/// A connector with retries quick enough for a test: every half second.
[[nodiscard]] connector connector_to(const std::string& id, const std::string& url);

/// Bytes of all files below.
[[nodiscard]] std::uint64_t folder_bytes(const std::filesystem::path& folder);

} // namespace vicket::testing
