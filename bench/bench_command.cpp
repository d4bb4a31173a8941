#include "bench/bench_command.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <sstream>

namespace vicket::bench {

namespace {

constexpr int exit_usage = 2;

std::string list_of_scenarios() {
  std::string text;
  for (const auto& one : all_scenarios())
    text += "  " + one.name + std::string(20 - std::min<std::size_t>(19, one.name.size()), ' ') + one.title +
            (one.only_by_name ? " (only when named)\n" : "\n");
  return text;
}

/// What is wrong with a name, or nothing.
std::string scenario_complaint(const std::string& name) {
  const auto& all = all_scenarios();
  if (std::any_of(all.begin(), all.end(), [&](const scenario& one) { return one.name == name; }))
    return {};
  return "'" + name + "' is no scenario; there are:\n" + list_of_scenarios();
}

void add_flags(CLI::App& app, bench_command& wanted, std::string& node, std::string& sink) {
  auto& options = wanted.options;
  app.add_flag("--quick", options.quick, "Fewer and shorter rounds: for a look, not for publishing");
  app.add_option("--scenario", wanted.scenarios,
                 "Run this one only (repeatable); without it all but those that say so run")
      ->check(CLI::Validator{scenario_complaint, "NAME"});
  app.add_option(
      "--node", node,
      "HOST:PORT of a node on this machine that runs already, instead of starting one; it needs "
      "--allow-cidr 127.0.0.0/8 and --ca-file DIR/ca.pem of --certificates. Scenarios that start nodes "
      "again, or two of them, are left out");
  app.add_option("--certificates", options.certificates, "Keep the sinks' certificates in this folder")
      ->type_name("DIR");
  app.add_option("--sink", sink, "The sink of the throughput scenario: nginx, or the harness's own")
      ->check(CLI::IsMember({"nginx", "own"}));
  app.add_option("--folder", wanted.folder, "Put data folders here: on the disk that is to be measured")
      ->type_name("DIR");
  app.add_flag("--keep", wanted.keep_folder, "Leave data folders and logs behind");
  app.add_option("--node-flag", options.node_flags,
                 "One more flag for the nodes that are started (repeatable)");
  app.add_option("--sink-flag", options.sink_flags, "One more flag for the harness's own sinks (repeatable)");
  app.add_flag("--check-goals", wanted.check_goals,
               "Exit with 1 when a figure misses what it must reach, too");
  app.add_option("--json", wanted.json, "Write everything that was found to this file")->type_name("FILE");
  app.add_option("--html", wanted.html, "Write a report with plots to this file")->type_name("FILE");
  app.add_option("--markdown", wanted.markdown, "Write the tables to this file")->type_name("FILE");
}

} // namespace

std::variant<bench_command, command_end> parse_bench_command(int argc, const char* const* argv) {
  bench_command wanted;
  wanted.folder = std::filesystem::temp_directory_path();
  wanted.options.programs = std::filesystem::canonical("/proc/self/exe").parent_path();
  std::string node;
  std::string sink = "nginx";
  CLI::App app{
      "Measures vicketd with real processes: a workflow engine, a node, an HTTPS sink.\n"
      "Exit code 0: nothing was lost, doubled or wrongly signed; 1: something was; 2: wrong usage.\n\n"
      "Scenarios:\n" +
      list_of_scenarios()};
  add_flags(app, wanted, node, sink);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& stopped) {
    std::ostringstream out;
    std::ostringstream errors;
    const auto code = app.exit(stopped, out, errors);
    return code == 0 ? command_end{0, out.str()}
                     : command_end{exit_usage, "vicket-bench: " + std::string{stopped.what()} + "\n"};
  }
  wanted.options.nginx = sink == "nginx";
  if (!node.empty()) {
    auto place = parse_host_port(node);
    if (const auto* why = std::get_if<std::string>(&place))
      return command_end{exit_usage, "vicket-bench: --node: " + *why + "\n"};
    wanted.options.node = std::get<host_port>(place);
    if (wanted.options.certificates.empty())
      return command_end{exit_usage,
                         "vicket-bench: --node needs --certificates, whose ca.pem the node trusts\n"};
  }
  return wanted;
}

} // namespace vicket::bench
