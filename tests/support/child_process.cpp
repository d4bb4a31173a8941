#include "tests/support/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

namespace vicket::testing {

namespace {

constexpr std::int64_t poll_ms = 2;
constexpr std::int64_t reap_limit_ms = 10'000;

std::int64_t steady_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

/// Between fork and exec: calls that are safe after a fork of a process with threads, and nothing else.
[[noreturn]] void become(char* const* arguments, int output, int log, pid_t parent, unsigned longest_life_s) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent)
    ::_exit(126); // the parent ended before the line above
  ::alarm(longest_life_s);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::close_range(3, ~0U, 0);
  ::execv(arguments[0], arguments);
  ::_exit(127);
}

} // namespace

child_process::child_process(const std::vector<std::string>& arguments, const std::filesystem::path& log,
                             unsigned longest_life_s) {
  std::vector<char*> pointers;
  for (const auto& one : arguments)
    pointers.push_back(const_cast<char*>(one.c_str()));
  pointers.push_back(nullptr);
  int ends[2] = {-1, -1};
  const int log_file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log_file < 0 || ::pipe2(ends, O_CLOEXEC) != 0)
    throw std::runtime_error{std::string{"can't start a process: "} + std::strerror(errno)};
  const auto parent = ::getpid();
  id_ = ::fork();
  if (id_ == 0)
    become(pointers.data(), ends[1], log_file, parent, longest_life_s);
  ::close(ends[1]);
  ::close(log_file);
  output_ = ends[0];
  if (id_ < 0) {
    ::close(output_);
    throw std::runtime_error{std::string{"can't start a process: "} + std::strerror(errno)};
  }
}

child_process::~child_process() {
  kill();
  ::close(output_);
}

std::optional<std::string> child_process::read_line(const std::string& beginning, std::int64_t limit_ms) {
  const auto end = steady_ms() + limit_ms;
  while (true) {
    for (auto newline = received_.find('\n'); newline != std::string::npos; newline = received_.find('\n')) {
      const auto line = received_.substr(0, newline);
      received_.erase(0, newline + 1);
      if (line.starts_with(beginning))
        return line.substr(beginning.size());
    }
    pollfd watched{output_, POLLIN, 0};
    const auto left_ms = end - steady_ms();
    if (left_ms <= 0 || ::poll(&watched, 1, static_cast<int>(left_ms)) == 0)
      return std::nullopt;
    char chunk[512];
    const auto count = ::read(output_, chunk, sizeof chunk);
    if (count <= 0)
      return std::nullopt;
    received_.append(chunk, static_cast<std::size_t>(count));
  }
}

void child_process::signal(int number) const {
  if (!status_)
    ::kill(id_, number);
}

bool child_process::running() {
  return !wait(0);
}

std::optional<int> child_process::wait(std::int64_t limit_ms) {
  const auto end = steady_ms() + limit_ms;
  while (!status_) {
    int status = 0;
    if (::waitpid(id_, &status, WNOHANG) == id_)
      status_ = status;
    else if (steady_ms() >= end)
      return std::nullopt;
    else
      std::this_thread::sleep_for(std::chrono::milliseconds{poll_ms});
  }
  return status_;
}

void child_process::kill() {
  signal(SIGKILL);
  (void)wait(reap_limit_ms);
}

bool exited_well(int status) {
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string text_of_status(int status) {
  if (WIFEXITED(status))
    return "exit status " + std::to_string(WEXITSTATUS(status));
  return "signal " + std::to_string(WTERMSIG(status));
}

std::vector<pid_t> processes_with(const std::string& text) {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
    const auto name = entry.path().filename().string();
    if (!std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; }))
      continue;
    std::ifstream file{entry.path() / "cmdline", std::ios::binary};
    const std::string line{std::istreambuf_iterator<char>{file}, {}};
    const auto id = static_cast<pid_t>(std::stol(name));
    if (id != ::getpid() && line.find(text) != std::string::npos)
      found.push_back(id);
  }
  return found;
}

} // namespace vicket::testing
