#include "tests/sim/world_process.hpp"

#include "actors/node.hpp"
#include "policy/assertion.hpp"
#include "tests/sim/driver.hpp"
#include "tests/sim/plan.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <numeric>
#include <poll.h>
#include <stdexcept>
#include <string_view>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace vicket::sim {

namespace {

// What a child writes to its pipe, a line each: "finding RULE\tDETAIL", "story …", "hash N", "handlers N", "met N N …",
// "end".

/// A world that has had a processor for less than its limit by so many times that limit waits for something.
constexpr unsigned hangs_after = 10;

int results_fd = -1; // of this child; the assertion handler has no other way to it

void tell(const std::string& line) {
  const auto text = line + "\n";
  for (std::size_t at = 0; at < text.size();) {
    const auto count = ::write(results_fd, text.data() + at, text.size() - at);
    if (count < 0 && errno != EINTR)
      std::_Exit(4);
    at += count > 0 ? static_cast<std::size_t>(count) : 0;
  }
}

std::string one_line(std::string text) {
  for (auto& c : text)
    if (c == '\n' || c == '\t')
      c = ' ';
  return text;
}

[[noreturn]] void assertion_ended_the_world(const char* expression, const char* file, int line) {
  tell("finding an assertion holds\t" + std::string{expression} + " at " + file + ":" + std::to_string(line));
  std::_Exit(3);
}

/// FNV-1a, line after line.
class line_hash {
public:
  void add(std::string_view line) {
    for (const char c : line)
      add_byte(c);
    add_byte('\n');
  }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_; }

private:
  void add_byte(char c) { value_ = (value_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL; }
  std::uint64_t value_ = 0xcbf29ce484222325ULL;
};

/// The events that a complaint names, `#17`.
std::vector<std::uint64_t> serials_in(const std::string& detail) {
  std::vector<std::uint64_t> all;
  for (auto at = detail.find("event #"); at != detail.npos; at = detail.find("event #", at + 1)) {
    std::uint64_t serial = 0;
    std::from_chars(detail.data() + at + 7, detail.data() + detail.size(), serial);
    all.push_back(serial);
  }
  return all;
}

void run_here(const world_order& order, const world_settings& settings) {
  const auto made = make_plan(order.seed, order.steps);
  const auto folder = settings.folder / ("partitions-" + std::to_string(made.shape.partitions));
  line_hash hash;
  tracer trace;
  if (settings.trace || settings.hash)
    trace.to(
        [&hash, prints = settings.trace](std::string_view line) {
          hash.add(line);
          if (!prints)
            return;
          std::fwrite(line.data(), 1, line.size(), stdout);
          std::fputc('\n', stdout);
        },
        settings.folder.string());
  driver drives{made, {folder, settings.ignored}, trace};
  const auto found = drives.run(order.kept);
  if (found) {
    tell("finding " + one_line(found->rule) + "\t" + one_line(found->detail));
    for (const auto serial : serials_in(found->detail))
      tell("story " + one_line(drives.story(serial)));
  }
  tell("hash " + std::to_string(hash.value()));
  tell("handlers " + std::to_string(drives.handlers_run()));
  tell("met " + drives.met().to_line());
  std::fflush(stdout);
  tell("end");
}

[[noreturn]] void be_child(const world_order& order, const world_settings& settings, int results) {
  results_fd = results;
  const ::rlimit processor{settings.limit_s, settings.limit_s + 1};
  if (::setrlimit(RLIMIT_CPU, &processor) != 0)
    std::_Exit(4);
  set_assertion_handler(assertion_ended_the_world);
  check_invariants(true);
  register_all_types();
  if (!settings.trace &&
      std::freopen("/dev/null", "w", stdout) == nullptr) // CAF tells of each actor that dies
    std::_Exit(4);
  try {
    run_here(order, settings);
  } catch (const std::exception& problem) {
    tell(std::string{"finding no exception leaves the node\t"} + one_line(problem.what()));
  }
  std::fflush(stdout);
  std::_Exit(0);
}

/// The other end of the pipe.
class child_results {
public:
  void take(std::string_view bytes) {
    rest_ += bytes;
    for (auto end = rest_.find('\n'); end != rest_.npos; end = rest_.find('\n')) {
      take_line(rest_.substr(0, end));
      rest_.erase(0, end + 1);
    }
  }
  /// The world came to its end, and the process has nothing more to say.
  [[nodiscard]] bool complete() const noexcept { return complete_; }
  [[nodiscard]] world_result& world() noexcept { return world_; }

private:
  void take_line(const std::string& line) {
    const auto space = std::min(line.find(' '), line.size());
    const auto word = line.substr(0, space);
    const auto text = line.substr(std::min(space + 1, line.size()));
    if (word == "finding") {
      const auto tab = std::min(text.find('\t'), text.size());
      world_.found = complaint{text.substr(0, tab), text.substr(std::min(tab + 1, text.size()))};
    } else if (word == "story") {
      world_.stories.push_back(text);
    } else if (word == "hash") {
      world_.trace_hash = std::strtoull(text.c_str(), nullptr, 10);
    } else if (word == "handlers") {
      world_.handlers = std::strtoull(text.c_str(), nullptr, 10);
    } else if (word == "met") {
      static_cast<void>(world_.met.add_line(text));
    } else if (word == "end") {
      complete_ = true;
    }
  }

  std::string rest_;
  bool complete_ = false;
  world_result world_;
};

complaint end_of(int status, bool timed_out, unsigned limit_s) {
  if (timed_out)
    return {"a world comes to an end", "it hangs"};
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
    return {"a world comes to an end", "it did not within " + std::to_string(limit_s) + " s of a processor"};
  if (WIFSIGNALED(status))
    return {"the process lives", std::string{"it was ended by "} + ::strsignal(WTERMSIG(status))};
  return {"the process lives", "it ended with " + std::to_string(WEXITSTATUS(status))};
}

/// Until the world is complete, the child ends or its time is over; true: that.
bool collect(int from, std::chrono::steady_clock::time_point until, child_results& results) {
  char buffer[4'096];
  while (!results.complete()) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    ::pollfd waits{from, POLLIN, 0};
    const auto ready = ::poll(&waits, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready < 0 && errno == EINTR)
      continue;
    if (ready == 0)
      return true;
    const auto count = ::read(from, buffer, sizeof buffer);
    if (count <= 0)
      break;
    results.take({buffer, static_cast<std::size_t>(count)});
  }
  return false;
}

int wait_for_process(int child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR)
    continue;
  return status;
}

} // namespace

std::vector<std::uint32_t> all_places(std::uint32_t steps) {
  std::vector<std::uint32_t> all(steps);
  std::iota(all.begin(), all.end(), 0u);
  return all;
}

running_world::running_world(const world_order& order, const world_settings& settings)
    : limit_s_{settings.limit_s}, until_{std::chrono::steady_clock::now() +
                                         std::chrono::seconds{std::int64_t{hangs_after} * settings.limit_s}} {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw std::runtime_error("vicket-sim: no pipe");
  std::fflush(stdout);
  child_ = ::fork();
  if (child_ < 0)
    throw std::runtime_error("vicket-sim: no process");
  if (child_ == 0) {
    ::close(ends[0]);
    be_child(order, settings, ends[1]);
  }
  ::close(ends[1]);
  results_ = ends[0];
}

running_world::running_world(running_world&& other) noexcept
    : limit_s_{other.limit_s_}, until_{other.until_}, child_{std::exchange(other.child_, -1)},
      results_{std::exchange(other.results_, -1)} {}

running_world::~running_world() {
  if (child_ < 0)
    return;
  ::kill(child_, SIGKILL);
  wait_for_process(child_);
  ::close(results_);
}

world_result running_world::wait_for_end() {
  child_results results;
  const bool timed_out = collect(results_, until_, results);
  if (timed_out)
    ::kill(child_, SIGKILL);
  const auto status = wait_for_process(std::exchange(child_, -1));
  ::close(results_);
  if (!results.complete() && !results.world().found)
    results.world().found = end_of(status, timed_out, limit_s_);
  return std::move(results.world());
}

world_result run_world(const world_order& order, const world_settings& settings) {
  return running_world{order, settings}.wait_for_end();
}

} // namespace vicket::sim
