#include "bench/machine.hpp"

#include "bench/harness/nginx_sink.hpp"
#include "tests/support/child_process.hpp"

#include <sys/utsname.h>

#include <cmath>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

namespace vicket::bench {

namespace {

constexpr std::int64_t patience_ms = 10'000;

/// The value behind `name` and a separator, of the first line that begins with it.
std::string value_in(const std::string& file, const std::string& name, char separator) {
  std::ifstream lines{file};
  for (std::string line; std::getline(lines, line);) {
    const auto at = line.find(separator);
    if (!line.starts_with(name) || at == std::string::npos)
      continue;
    auto value = line.substr(at + 1);
    std::erase(value, '"');
    value.erase(0, value.find_first_not_of(" \t"));
    return value;
  }
  return {};
}

/// The first line that a program prints on standard output, or on standard error if `on_errors`.
std::string first_line_of(std::vector<std::string> command, bool on_errors = false) {
  const auto program = find_program(command.front());
  if (program.empty())
    return {};
  command.front() = program.string();
  if (on_errors)
    command = {"/bin/sh", "-c", program.string() + " " + command.at(1) + " 2>&1"};
  testing::child_process running{command, "/dev/null", 30};
  auto line = running.read_line("", patience_ms).value_or("");
  (void)running.wait(patience_ms);
  return line;
}

std::string last_word(const std::string& text) {
  return text.substr(text.rfind(' ') + 1);
}

} // namespace

std::string machine_text() {
  std::ostringstream text;
  text << std::thread::hardware_concurrency() << " × " << value_in("/proc/cpuinfo", "model name", ':');
  std::istringstream memory{value_in("/proc/meminfo", "MemTotal", ':')};
  if (double kib = 0; memory >> kib)
    text << ", " << std::lround(kib / 1024 / 1024) << " GiB";
  if (utsname kernel{}; ::uname(&kernel) == 0)
    text << ", " << kernel.sysname << ' ' << kernel.release;
  text << ", " << value_in("/etc/os-release", "PRETTY_NAME", '=');
  return text.str();
}

std::string tools_text() {
  std::string text = last_word(first_line_of({"nginx", "-v"}, true));
  std::istringstream wrk{first_line_of({"wrk", "-v"})};
  std::string name;
  std::string version;
  wrk >> name >> version;
  text += ", wrk " + version;
  text += ", " + first_line_of({"valgrind", "--version"});
  return text;
}

std::string commit_text() {
  const std::string source = VICKET_SOURCE_DIR;
  auto commit = first_line_of({"git", "-C", source, "rev-parse", "--short=12", "HEAD"});
  if (!commit.empty() && !first_line_of({"git", "-C", source, "status", "--porcelain"}).empty())
    commit += "-dirty";
  return commit;
}

} // namespace vicket::bench
