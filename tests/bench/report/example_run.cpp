#include "tests/bench/report/example_run.hpp"

#include <algorithm>
#include <cmath>

namespace vicket::bench {

namespace {

plot latency_plot() {
  plot drawn{"Latency at 5 k events/s offered",
             {"percentile", axis_scale::nines},
             {"latency, ms", axis_scale::logarithmic},
             {}};
  double scale = 0.25;
  for (const auto* title : {"fdatasync of the machine", "sent → accepted", "accepted → sink"}) {
    plot_line line{title, {}};
    for (const double p : {0.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.5, 99.9, 99.95, 99.99, 100.0})
      line.points.emplace_back(p, scale * (1 + std::pow(std::log10(1 / std::max(1e-5, 1 - p / 100)), 1.7)));
    drawn.lines.push_back(std::move(line));
    scale *= 1.9;
  }
  return drawn;
}

plot throughput_plot() {
  plot drawn{
      "Throughput over time", {"time, s", axis_scale::linear}, {"deliveries/s", axis_scale::linear}, {}};
  const std::vector<std::pair<std::string, double>> lines{{"wrk, HTTPS", 29'000}, {"vicket", 12'400}};
  for (const auto& [title, level] : lines) {
    plot_line line{title, {}};
    for (int i = 0; i <= 120; ++i)
      line.points.emplace_back(i * 0.25, level * (1 + 0.06 * std::sin(i * 0.9) + 0.04 * std::cos(i * 2.3)));
    drawn.lines.push_back(std::move(line));
  }
  return drawn;
}

plot backlog_plot() {
  plot drawn{"Resident memory by retries pending",
             {"retries pending", axis_scale::logarithmic},
             {"resident memory, MB", axis_scale::linear},
             {}};
  drawn.lines.push_back({"node", {{1e4, 61}, {1e5, 74}, {1e6, 131}, {5e6, 214}}});
  return drawn;
}

scenario_result throughput() {
  scenario_result result{
      "throughput", "500-byte bodies over HTTPS to 64 connectors, against wrk at the same sink",
      {},           {},
      {},           {},
      31.2};
  result.figures = {
      {"deliveries_per_s",
       "deliveries/s, durable, signed, HTTPS",
       12'431.7,
       "/s",
       std::nullopt,
       {12'102, 12'431.7, 12'690}},
      {"wrk_per_s", "wrk, requests/s, HTTPS", 28'870.2, "/s", std::nullopt, {28'020, 28'870.2, 29'410}},
      {"ratio", "deliveries/s ÷ wrk", 0.4306, "1", goal{0.35, 0.5, true}, {0.421, 0.4306, 0.4392}},
      {"cpu_us", "CPU per delivery", 23.8, "us", goal{40, 25, false}, {23.1, 23.8, 24.9}}};
  result.notes = {"The sink and the feeder run on the same 2 cores.",
                  "Bodies of 500 bytes, keep-alive, TLS 1.3."};
  result.plots = {throughput_plot()};
  return result;
}

scenario_result latency() {
  scenario_result result{
      "latency", "offered at a steady rate, whatever the answers do (open loop)", {}, {}, {}, {}, 62};
  result.figures = {{"p50_ms", "accepted → sink, p50 at 5 k/s", 0.91, "ms", goal{1.5, 1, false}, {}},
                    {"p99_ms", "accepted → sink, p99 at 5 k/s", 11.4, "ms", goal{10, 5, false}, {}},
                    {"fdatasync_ms", "fdatasync of the machine, p50", 0.31, "ms", std::nullopt, {}}};
  result.plots = {latency_plot()};
  return result;
}

scenario_result backlog() {
  scenario_result result{
      "backlog", "10 k to 5 M retries pending, and others that are delivered beside them", {}, {}, {}, {},
      184.6};
  result.figures = {
      {"rss_bytes", "resident memory with 1 M pending", 131.4e6, "bytes", goal{200e6, 120e6, false}, {}},
      {"restart_s", "restart with 1 M pending to the first delivery", 0.42, "s", goal{2, 0.5, false}, {}},
      {"disk_bytes", "on disk per event", 712, "bytes", std::nullopt, {}},
      {"pending", "pending at most", 5e6, "events", std::nullopt, {}},
      {"idle_cpu", "CPU when idle", 1.27, "%", std::nullopt, {}}};
  result.plots = {backlog_plot()};
  return result;
}

} // namespace

run_result example_run() {
  run_result run;
  run.started_at = "2026-05-23T14:21:11.412Z";
  run.command = "build/vicket-bench --all --html report.html";
  run.version = "0.1.0";
  run.commit = "0123456789ab-dirty";
  run.machine = "2 × Example CPU at 2.4 GHz, 24 GiB, Linux 6.1, Debian 12";
  run.tools = "nginx 1.22.1, wrk 4.1.0, valgrind 3.19.0";
  run.scenarios = {throughput(), latency(), backlog()};
  run.took_s = 312.4;
  return run;
}

run_result run_with(std::vector<figure> figures) {
  run_result run;
  run.scenarios.push_back({"example", "an example", std::move(figures), {}, {}, {}, 1});
  return run;
}

plot plot_with(std::vector<std::pair<double, double>> points, axis_scale x, axis_scale y) {
  return {"a plot", {"across", x}, {"up", y}, {{"a line", std::move(points)}}};
}

} // namespace vicket::bench
