#include "tests/support/process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <utility>

extern char** environ;

namespace vicket::testing {

namespace {

struct pipe_pair {
  std::array<int, 2> ends{-1, -1};

  pipe_pair() {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
      throw std::runtime_error("no pipe to be had");
  }
  [[nodiscard]] int read_end() const { return ends[0]; }
  [[nodiscard]] int write_end() const { return ends[1]; }
};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (auto& text : texts)
    pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> environment_with(std::vector<std::string> ours) {
  for (char** one = environ; *one != nullptr; ++one)
    if (!std::string_view{*one}.starts_with("VICKET_"))
      ours.emplace_back(*one);
  return ours;
}

/// Between fork and exec: calls that are safe after a fork of a process with threads, and nothing else.
[[noreturn]] void become(char* const* arguments, char* const* variables, int in, int out, int err,
                         pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL); // a test that dies takes it along
  if (::getppid() != parent)
    ::_exit(126); // it died before the line above
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  ::execve(arguments[0], arguments, variables);
  ::_exit(127);
}

/// By a thread that stays as long as the process is to: the kernel ends it with the thread.
pid_t spawn(std::vector<std::string> argv, std::vector<std::string> environment, const pipe_pair& in,
            const pipe_pair& out, const pipe_pair& err) {
  const auto arguments = pointers_to(argv);
  const auto variables = pointers_to(environment);
  const auto parent = ::getpid();
  const auto id = ::fork();
  if (id == 0)
    become(arguments.data(), variables.data(), in.read_end(), out.write_end(), err.write_end(), parent);
  return id;
}

/// Hands on what comes until the other end is closed, then closes ours.
template <class Take>
void drain(int descriptor, Take take) {
  std::array<char, 16 * 1024> piece;
  for (;;) {
    const auto count = ::read(descriptor, piece.data(), piece.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      break;
    take(std::string_view{piece.data(), static_cast<std::size_t>(count)});
  }
  ::close(descriptor);
}

} // namespace

process::process(std::vector<std::string> argv, std::vector<std::string> environment) : name_{argv.at(0)} {
  std::signal(SIGPIPE, SIG_IGN); // a process that ended early must not end the test
  const pipe_pair in;
  const pipe_pair out;
  const pipe_pair err;
  id_ = spawn(std::move(argv), environment_with(std::move(environment)), in, out, err);
  ::close(in.read_end());
  ::close(out.write_end());
  ::close(err.write_end());
  input_ = in.write_end();
  lines_reader_ = std::thread{[this, end = out.read_end()] { read_lines(end); }};
  errors_reader_ = std::thread{[this, end = err.read_end()] { read_errors(end); }};
  if (id_ < 0)
    complain("can't be started");
}

process::~process() {
  close_input();
  if (id_ > 0 && !code_) {
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
  }
  lines_reader_.join();
  errors_reader_.join();
}

void process::read_lines(int descriptor) {
  std::string open;
  drain(descriptor, [&](std::string_view piece) {
    const std::lock_guard guard{mutex_};
    for (const char c : piece) {
      if (c != '\n') {
        open += c;
        continue;
      }
      lines_.push_back(std::exchange(open, {}));
    }
    news_.notify_all();
  });
  const std::lock_guard guard{mutex_};
  if (!open.empty())
    lines_.push_back(std::move(open));
  lines_ended_ = true;
  news_.notify_all();
}

void process::read_errors(int descriptor) {
  drain(descriptor, [&](std::string_view piece) {
    const std::lock_guard guard{mutex_};
    errors_ += piece;
    news_.notify_all();
  });
  const std::lock_guard guard{mutex_};
  errors_ended_ = true;
  news_.notify_all();
}

void process::complain(const std::string& what) const {
  throw std::runtime_error(name_ + ": " + what + "; standard error:\n" + errors());
}

std::optional<std::string> process::line() {
  std::unique_lock lock{mutex_};
  news_.wait_for(lock, patience, [&] { return !lines_.empty() || lines_ended_; });
  if (lines_.empty())
    return std::nullopt;
  auto first = std::move(lines_.front());
  lines_.pop_front();
  return first;
}

std::string process::line_with(const std::string& part) {
  const auto end =
      std::chrono::steady_clock::now() + patience; // also for one that never stops to say other things
  for (auto next = line(); next && std::chrono::steady_clock::now() < end; next = line())
    if (next->find(part) != std::string::npos)
      return *next;
  complain("no line with \"" + part + "\" came");
}

void process::wait_for_error(const std::string& part) {
  {
    std::unique_lock lock{mutex_};
    const auto there = [&] { return errors_.find(part) != std::string::npos; };
    news_.wait_for(lock, patience, [&] { return there() || errors_ended_; });
    if (there())
      return;
  }
  complain("\"" + part + "\" did not come on standard error");
}

void process::write(const std::string& text) {
  for (std::size_t sent = 0; sent < text.size();) {
    const auto count = ::write(input_, text.data() + sent, text.size() - sent);
    if (count < 0)
      return; // it ended; its exit code tells
    sent += static_cast<std::size_t>(count);
  }
}

void process::close_input() {
  if (input_ >= 0)
    ::close(std::exchange(input_, -1));
}

void process::signal(int number) const {
  if (id_ > 0 && !code_)
    ::kill(id_, number);
}

int process::wait() {
  if (code_)
    return *code_;
  {
    // Both streams end when the process does.
    std::unique_lock lock{mutex_};
    if (!news_.wait_for(lock, patience, [&] { return lines_ended_ && errors_ended_; })) {
      lock.unlock();
      complain("does not end");
    }
  }
  int status = 0;
  ::waitpid(id_, &status, 0);
  code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return *code_;
}

std::string process::errors() const {
  const std::lock_guard guard{mutex_};
  return errors_;
}

finished_process run_process(std::vector<std::string> argv, const std::string& input,
                             std::vector<std::string> environment) {
  process run{std::move(argv), std::move(environment)};
  run.write(input);
  run.close_input();
  finished_process result;
  result.code = run.wait();
  while (auto line = run.line())
    result.lines.push_back(std::move(*line));
  result.errors = run.errors();
  return result;
}

temporary_folder::temporary_folder() {
  path_ = (std::filesystem::temp_directory_path() / "vicket-test-XXXXXX").string();
  if (::mkdtemp(path_.data()) == nullptr)
    throw std::runtime_error("no temporary folder to be had");
}

temporary_folder::~temporary_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string temporary_folder::file(const std::string& name, const std::string& content) const {
  auto path = path_ + "/" + name;
  std::ofstream{path, std::ios::binary} << content;
  return path;
}

} // namespace vicket::testing
