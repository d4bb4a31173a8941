#include "tests/system/real_node.hpp"

#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <utility>

namespace vicket::testing {

namespace {

std::vector<std::string> command_of(const std::filesystem::path& data_dir,
                                    const std::vector<std::string>& more_flags,
                                    std::optional<std::size_t> most_files) {
  std::vector<std::string> command;
  if (most_files)
    command = {"/bin/sh", "-c", "ulimit -n " + std::to_string(*most_files) + R"( && exec "$0" "$@")"};
  for (const auto& words : {node_command(data_dir), more_flags})
    command.insert(command.end(), words.begin(), words.end());
  return command;
}

} // namespace

std::vector<std::string> node_command(const std::filesystem::path& data_dir) {
  return {VICKETD_PATH,  "--data-dir",   data_dir.string(), "--listen",
          "127.0.0.1:0", "--allow-http", "--allow-cidr",    "127.0.0.0/8"};
}

std::uint16_t port_in(const std::string& ready_line) {
  return static_cast<std::uint16_t>(std::stoul(ready_line.substr(ready_line.rfind(':') + 1)));
}

real_node::real_node(const std::filesystem::path& data_dir, const std::vector<std::string>& more_flags,
                     std::optional<std::size_t> most_files)
    : process_{command_of(data_dir, more_flags, most_files)}, port_{port_in(process_.line_with(
                                                                  "vicketd ready actors="))} {}

real_node::~real_node() {
  end_is_asked_for();
}

void real_node::end_is_asked_for() {
  siginfo_t ended{};
  const auto known =
      ::waitid(P_PID, static_cast<id_t>(process_.id()), &ended, WEXITED | WNOHANG | WNOWAIT) == 0;
  if (!std::exchange(asked_to_end_, true) && known && ended.si_pid != 0)
    std::cerr << "the node ended by itself, " << (ended.si_code == CLD_EXITED ? "exit code " : "signal ")
              << ended.si_status << "; its log:\n"
              << log();
}

void real_node::let_open_only(std::size_t more) const {
  rlim_t highest = 0; // those below it count as open: the system gives the lowest that is free
  for (const auto& entry :
       std::filesystem::directory_iterator{"/proc/" + std::to_string(process_.id()) + "/fd"})
    highest = std::max<rlim_t>(highest, std::stoul(entry.path().filename().string()));
  rlimit limit{};
  if (::prlimit(process_.id(), RLIMIT_NOFILE, nullptr, &limit) != 0)
    throw std::runtime_error{"no limit of the node's files"};
  limit.rlim_cur = highest + 1 + more;
  if (::prlimit(process_.id(), RLIMIT_NOFILE, &limit, nullptr) != 0)
    throw std::runtime_error{"the limit of the node's files can't be lowered"};
}

void real_node::terminate() {
  end_is_asked_for();
  process_.signal(SIGTERM);
}

void real_node::kill() {
  end_is_asked_for();
  process_.signal(SIGKILL);
  static_cast<void>(process_.wait());
}

std::uint64_t real_node::memory_bytes(const std::string& line) const {
  std::ifstream file{"/proc/" + std::to_string(process_.id()) + "/status"};
  for (std::string one; std::getline(file, one);)
    if (one.starts_with(line + ":"))
      return std::stoull(one.substr(line.size() + 1)) * 1'024;
  throw std::runtime_error{"no " + line + " of the node; its log:\n" + log()};
}

connector connector_to(const std::string& id, const std::string& url) {
  connector value;
  value.id = {id};
  value.url = url;
  value.retry.base_ms = 500;
  value.retry.factor = 1;
  return value;
}

std::uint64_t folder_bytes(const std::filesystem::path& folder) {
  std::uint64_t sum = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{folder})
    if (entry.is_regular_file())
      sum += entry.file_size();
  return sum;
}

} // namespace vicket::testing
