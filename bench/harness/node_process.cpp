#include "bench/harness/node_process.hpp"

#include "bench/harness/real_time.hpp"

#include <signal.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace vicket::bench {

namespace {

constexpr std::int64_t ready_limit_ms = 60'000;
constexpr std::int64_t stop_limit_ms = 40'000;
constexpr unsigned longest_life_s = 1'800;
constexpr std::size_t shown_log_bytes = 2'000;

} // namespace

std::string end_of(const std::filesystem::path& log) {
  std::ifstream file{log, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  return text.substr(text.size() - std::min(text.size(), shown_log_bytes));
}

node_process::node_process(setup with) : with_{std::move(with)} {
  start();
}

void node_process::start() {
  std::vector<std::string> arguments{with_.program.string(),
                                     "--data-dir",
                                     with_.data_dir.string(),
                                     "--listen",
                                     "127.0.0.1:0",
                                     "--allow-cidr",
                                     "127.0.0.0/8",
                                     "--ca-file",
                                     with_.ca_file.string(),
                                     "--log-level",
                                     "warn"};
  arguments.insert(arguments.end(), with_.more_flags.begin(), with_.more_flags.end());
  if (with_.open_files) {
    const std::vector<std::string> limited{"/bin/sh", "-c", "ulimit -n \"$0\" && exec \"$@\"",
                                           std::to_string(*with_.open_files)};
    arguments.insert(arguments.begin(), limited.begin(), limited.end());
  }
  started_at_ns_ = now_ns();
  process_ = std::make_unique<testing::child_process>(arguments, with_.log, longest_life_s);
  const auto place = process_->read_line("vicketd ready actors=", ready_limit_ms);
  ready_after_ns_ = now_ns() - started_at_ns_;
  if (!place)
    throw std::runtime_error(with_.program.string() + " did not become ready; the end of its log:\n" +
                             end_of(with_.log));
  place_.port = static_cast<std::uint16_t>(std::stoul(place->substr(place->rfind(':') + 1)));
}

void node_process::stop() {
  process_->signal(SIGTERM);
  const auto status = process_->wait(stop_limit_ms);
  if (!status || !testing::exited_well(*status))
    throw std::runtime_error("vicketd did not end well: " +
                             (status ? testing::text_of_status(*status) : std::string{"it does not end"}) +
                             "; the end of its log:\n" + end_of(with_.log));
}

void node_process::kill() {
  process_->kill();
}

} // namespace vicket::bench
