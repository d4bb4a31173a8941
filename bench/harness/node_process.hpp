#pragma once

#include "apps/values.hpp"
#include "bench/harness/process_usage.hpp"
#include "bench/harness/workspace.hpp"
#include "tests/support/child_process.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vicket::bench {

/// A `vicketd` with a data folder of its own, as an operator would run it: nothing is set but what lets it deliver to
/// this machine. Killed when this object goes.
class node_process {
public:
  struct setup {
    std::filesystem::path program;  ///< vicketd
    std::filesystem::path data_dir; ///< made if it is not there
    std::filesystem::path ca_file;
    std::filesystem::path log;
    std::vector<std::string> more_flags;
    std::optional<std::uint64_t> open_files = {}; ///< the limit that it is started with
  };

  /// Starts it and waits until it is ready. Throws std::runtime_error with the end of its log if it is not.
  explicit node_process(setup with);
  /// A node that somebody else started: it can be measured from outside only.
  explicit node_process(const host_port& place) : place_{place} {}

  [[nodiscard]] const host_port& place() const { return place_; }
  /// Whether it is ours: what follows is for such a one only.
  [[nodiscard]] bool ours() const { return process_ != nullptr; }
  [[nodiscard]] pid_t id() const { return process_->id(); }
  [[nodiscard]] const std::filesystem::path& data_dir() const { return with_.data_dir; }
  /// From before it was started until it said that it is ready.
  [[nodiscard]] std::int64_t ready_after_ns() const { return ready_after_ns_; }
  [[nodiscard]] std::int64_t started_at_ns() const { return started_at_ns_; }

  /// SIGTERM; throws if it doesn't end well.
  void stop();
  /// SIGKILL, and gone.
  void kill();
  /// After `stop` or `kill`, on the same data folder.
  void start();

private:
  setup with_;
  std::unique_ptr<testing::child_process> process_;
  host_port place_{"127.0.0.1", 0};
  std::int64_t started_at_ns_ = 0;
  std::int64_t ready_after_ns_ = 0;
};

/// The last lines of a log file, for an error's text.
[[nodiscard]] std::string end_of(const std::filesystem::path& log);

} // namespace vicket::bench
