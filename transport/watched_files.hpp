#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace vicket {

/// Whether files or folders have changed since they were read: others are in their places, or were written to. A file
/// that comes or goes has changed, too. Not thread-safe.
class watched_files {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Nobody looks more often, so that asking costs nothing.
  static constexpr std::chrono::seconds look_interval{1};

  /// They count as read now.
  explicit watched_files(std::vector<std::string> paths);

  /// True: read them again; they count as read now.
  [[nodiscard]] bool changed(time_point now);

  /// They could not be read: they count as changed at the next look.
  void look_again() { seen_.clear(); }

private:
  struct state {
    dev_t device = 0;
    ino_t inode = 0;
    std::int64_t modified_ns = 0;
    off_t size = -1; ///< -1: not there
    friend bool operator==(const state&, const state&) = default;
  };

  [[nodiscard]] static state state_of(const std::string& path);
  [[nodiscard]] std::vector<state> look() const;

  std::vector<std::string> paths_;
  std::vector<state> seen_;
  time_point next_look_{};
};

} // namespace vicket
