#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace vicket::testing {

/// A program of ours that runs beside the test. Its environment has no variable `VICKET_…` but those handed
/// in. It does not outlive this object: the destructor kills it, by its own id.
class process {
public:
  /// How long a test waits for anything before it says that it will not come. Never waited for when all is
  /// well.
  static constexpr std::chrono::seconds patience{60};

  /// `argv[0]` is the path. Throws `std::runtime_error` when it can't be started.
  explicit process(std::vector<std::string> argv, std::vector<std::string> environment = {});
  ~process();
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  /// The next line of standard output; nothing: it ended, or nothing came within the patience.
  [[nodiscard]] std::optional<std::string> line();

  /// The next line that contains `part`; those before it are skipped. Throws with all of standard error when
  /// there is none.
  [[nodiscard]] std::string line_with(const std::string& part);

  /// Waits until standard error contains `part`; throws as above.
  void wait_for_error(const std::string& part);

  void write(const std::string& text);
  void close_input();
  void signal(int number) const;
  [[nodiscard]] pid_t id() const noexcept { return id_; }

  /// The exit code, 128 + N for one that signal N ended. Throws when it does not end. After it, standard
  /// error is complete.
  int wait();

  [[nodiscard]] std::string errors() const;

private:
  void read_lines(int descriptor);
  void read_errors(int descriptor);
  [[noreturn]] void complain(const std::string& what) const;

  std::string name_;
  pid_t id_ = -1;
  int input_ = -1;
  std::optional<int> code_;
  mutable std::mutex mutex_; ///< guards what follows
  mutable std::condition_variable news_;
  std::deque<std::string> lines_;
  bool lines_ended_ = false;
  bool errors_ended_ = false;
  std::string errors_;
  std::thread lines_reader_;
  std::thread errors_reader_;
};

/// A process that ran to its end.
struct finished_process {
  int code = 0;
  std::vector<std::string> lines;
  std::string errors;
};

finished_process run_process(std::vector<std::string> argv, const std::string& input = {},
                             std::vector<std::string> environment = {});

/// A folder of its own below the temporary one, gone with its object.
class temporary_folder {
public:
  temporary_folder();
  ~temporary_folder();
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  [[nodiscard]] std::string path() const { return path_; }
  /// Writes a file into it; its path.
  [[nodiscard]] std::string file(const std::string& name, const std::string& content) const;

private:
  std::string path_;
};

} // namespace vicket::testing
