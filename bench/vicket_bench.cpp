// The load harness: runs the scenarios, judges them, writes what it found.

#include "bench/bench_command.hpp"
#include "bench/harness/real_time.hpp"
#include "bench/harness/scenario_choice.hpp"
#include "bench/machine.hpp"
#include "bench/progress_line.hpp"
#include "bench/report/html.hpp"
#include "bench/report/json.hpp"
#include "bench/report/markdown.hpp"
#include "bench/report/table.hpp"
#include "policy/rfc3339.hpp"

#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <stdexcept>

namespace {

using namespace vicket;
using namespace vicket::bench;

constexpr int exit_good = 0;
constexpr int exit_bad = 1;

void write(const std::filesystem::path& file, const std::string& text) {
  if (file.empty())
    return;
  std::ofstream out{file, std::ios::binary};
  out << text;
  if (!out.flush())
    throw std::runtime_error("can't write " + file.string());
}

/// A scenario that can't go on is a finding of its own; the others are still worth measuring.
scenario_result run_guarded(const scenario& what, const bench_context& with) {
  const auto started_ns = now_ns();
  scenario_result result;
  try {
    result = what.run(with);
  } catch (const std::exception& problem) {
    result.violations.push_back(std::string{"could not be measured to its end: "} + problem.what());
  }
  result.name = what.name;
  result.title = what.title;
  result.took_s = seconds(now_ns() - started_ns);
  return result;
}

run_result run_all(const bench_command& command, int argc, char** argv) {
  const auto started_ns = now_ns();
  run_result run;
  run.started_at = format_rfc3339(wall_now());
  for (int i = 0; i < argc; ++i)
    run.command += (i == 0 ? "" : " ") + std::string{i == 0 ? "build/vicket-bench" : argv[i]};
  run.version = VICKET_VERSION;
  run.commit = commit_text();
  run.machine = machine_text();
  run.tools = tools_text();
  progress_line progress;
  for (const auto& one : all_scenarios()) {
    if (!is_chosen(one.name, one.only_by_name, command.scenarios))
      continue;
    if (one.needs_own_nodes && command.options.node)
      continue;
    progress.begin(one.name);
    const workspace where{command.folder, command.options.certificates, command.keep_folder};
    const bench_context with{command.options, where, [&](const std::string& what) { progress.say(what); }};
    run.scenarios.push_back(run_guarded(one, with));
  }
  run.took_s = seconds(now_ns() - started_ns);
  return run;
}

/// The sinks hold thousands of connections; what they may open is what we may.
void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

/// What is set for a node of this machine is not for those that are measured.
void forget_own_environment() {
  for (const auto* name :
       {"VICKET_DATA_DIR", "VICKET_LISTEN", "VICKET_CONFIG", "VICKET_NODE", "VICKET_TLS_CERT",
        "VICKET_TLS_KEY", "VICKET_TLS_CA", "VICKET_THREADS", "VICKET_IO_THREADS", "VICKET_PARTITIONS",
        "VICKET_MAX_IN_FLIGHT", "VICKET_MAX_ENVELOPE", "VICKET_RETENTION", "VICKET_LOG_LEVEL",
        "VICKET_ALLOW_HTTP", "VICKET_ALLOW_CIDR", "VICKET_CA_FILE", "VICKET_DNS_SERVER"})
    ::unsetenv(name);
}

} // namespace

int main(int argc, char** argv) {
  const auto parsed_flags = parse_bench_command(argc, argv);
  if (const auto* end = std::get_if<command_end>(&parsed_flags)) {
    (end->code == 0 ? std::cout : std::cerr) << end->text << std::flush;
    return end->code;
  }
  const auto& command = std::get<bench_command>(parsed_flags);
  std::signal(SIGPIPE, SIG_IGN);
  raise_file_limit();
  forget_own_environment();
  try {
    const auto run = run_all(command, argc, argv);
    std::cout << table_of(run) << std::flush;
    write(command.json, json_of(run));
    write(command.html, html_of(run));
    write(command.markdown, markdown_of(run));
    return correct(run) && (!command.check_goals || fast_enough(run)) ? exit_good : exit_bad;
  } catch (const std::exception& problem) {
    std::cerr << "vicket-bench: " << problem.what() << std::endl;
    return exit_bad;
  }
}
