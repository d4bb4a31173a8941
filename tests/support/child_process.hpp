#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace vicket::testing {

/// A process of ours. It dies with the one that starts it (PR_SET_PDEATHSIG) and at the end of its longest life at the
/// latest (an alarm that survives exec), and is killed and reaped when this object goes.
class child_process {
public:
  /// Starts `arguments[0]`. Standard output comes to `read_line()`; standard error is appended to `log`. Call
  /// in that one's first thread: a child dies with the thread that made it. Throws std::runtime_error if it
  /// can't.
  child_process(const std::vector<std::string>& arguments, const std::filesystem::path& log,
                unsigned longest_life_s);
  ~child_process();
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  /// The first line with this beginning, without it; absent: the time is over or the output ended.
  [[nodiscard]] std::optional<std::string> read_line(const std::string& beginning, std::int64_t limit_ms);

  void signal(int number) const;
  [[nodiscard]] pid_t id() const noexcept { return id_; }
  [[nodiscard]] bool running();
  /// What waitpid says when it has ended; absent: it did not within the time.
  [[nodiscard]] std::optional<int> wait(std::int64_t limit_ms);
  /// SIGKILL, and reaped.
  void kill();

private:
  pid_t id_ = -1;
  int output_ = -1;
  std::string received_;
  std::optional<int> status_; ///< present: it was reaped, `id_` may be another's
};

/// Whether a status of waitpid is `exit(0)`, and the status in words.
[[nodiscard]] bool exited_well(int status);
[[nodiscard]] std::string text_of_status(int status);

/// Ids of processes, not this one, whose command line contains `text`.
[[nodiscard]] std::vector<pid_t> processes_with(const std::string& text);

} // namespace vicket::testing
