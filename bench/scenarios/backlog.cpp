// 5: what pending retries cost: memory, disk, CPU, the throughput of others, and the time that a restart takes.

#include "bench/findings/node_bounds.hpp"
#include "bench/findings/percentiles.hpp"
#include "bench/scenarios/backlog_size.hpp"
#include "bench/scenarios/scenario.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace vicket::bench {

namespace {

/// Where the goals of memory and restart are set, and where that of throughput is.
constexpr std::uint32_t restarted_size = 1'000'000;
constexpr std::uint32_t throughput_size = 5'000'000;
constexpr std::uint32_t restarted_size_of_quick = 300'000;

/// With room for what compaction writes before it deletes; about 500 stay, compressed.
constexpr std::uint64_t disk_bytes_per_event = 2'000;

constexpr std::uint16_t first_tag = 16;

class backlog {
public:
  explicit backlog(const bench_context& with)
      : with_{with}, sink_{with.start_sink("sink", 20'000'000)}, without_{with.start_node("no-backlog")},
        session_without_{without_->place()}, load_without_{"node without a backlog", session_without_,
                                                           event_source{1, connector_names(
                                                                               0, backlog_load_connectors)}},
        common_{with, *sink_, arrival_sorter{*sink_}, *without_, load_without_, {}, {}} {
    session_without_.put(common_.connectors(0, backlog_load_connectors));
  }

  scenario_result run() {
    const std::vector<std::uint32_t> full{100'000, restarted_size, throughput_size};
    const std::vector<std::uint32_t> quick{10'000, 100'000, restarted_size_of_quick};
    auto tag = first_tag;
    for (const auto events : with_.pick(full, quick)) {
      if (!has_room_for(events))
        continue;
      const auto is_killed = events == with_.pick(restarted_size, restarted_size_of_quick);
      found_.push_back(backlog_size{common_, events, tag}.run(is_killed ? with_.pick(3, 1) : 0));
      tag = static_cast<std::uint16_t>(tag + tags_per_backlog_size);
    }
    return judged();
  }

private:
  bool has_room_for(std::uint32_t events) {
    const auto mb = [](std::uint64_t bytes) { return std::to_string(bytes / 1'000'000) + " MB"; };
    const auto needed = events * disk_bytes_per_event;
    const auto free = with_.where().free_bytes();
    if (free >= needed)
      return true;
    common_.notes.push_back(std::to_string(events) + " pending were skipped: they need " + mb(needed) +
                            " of disk, and " + mb(free) + " are free below " +
                            with_.where().folder().string() + " (choose another folder with --folder).");
    with_.say(common_.notes.back());
    return false;
  }

  using getter = double (*)(const backlog_findings&);

  /// A figure for each size; the goal is that of one size.
  void add(scenario_result& result, const std::string& key, const std::string& title, const std::string& unit,
           getter get, std::uint32_t goal_size = 0, std::optional<goal> wanted = std::nullopt) const {
    for (const auto& one : found_) {
      const auto size = std::to_string(one.events);
      result.figures.push_back(
          plain_figure(key + "_" + size, title + ", " + size + " pending", get(one), unit));
      if (one.events == goal_size)
        result.figures.back().wanted = wanted;
    }
  }

  void add_restart(scenario_result& result) const {
    for (const auto& one : found_) {
      if (one.restart_s.empty())
        continue;
      const auto size = std::to_string(one.events);
      result.figures.push_back(median_figure(
          "restart_" + size, "restart with " + size + " pending, after SIGKILL under load, to first delivery",
          one.restart_s, "s"));
      if (one.events == restarted_size)
        result.figures.back().wanted = goal{2, 0.5, false};
    }
  }

  /// Of the two sides of each round, `get` makes one number.
  template <class Get>
  void add_rounds(scenario_result& result, const backlog_findings& of, const std::string& key,
                  const std::string& title, const std::string& unit, Get get) const {
    std::vector<double> rounds;
    for (std::size_t i = 0; i < of.with.size(); ++i)
      rounds.push_back(get(of.with[i], of.without[i]));
    result.figures.push_back(
        median_figure(key + "_" + std::to_string(of.events), title, std::move(rounds), unit));
  }

  void add_throughput(scenario_result& result) const {
    using round = saturated_round;
    for (const auto& one : found_) {
      const auto size = std::to_string(one.events) + " pending";
      add_rounds(result, one, "ratio", "deliveries/s for others, " + size + " ÷ none", "1",
                 [](const round& with, const round& without) { return with.per_s / without.per_s; });
      if (one.events == throughput_size)
        result.figures.back().wanted = goal{0.9, 0.97, true};
      add_rounds(result, one, "deliveries_per_s", "deliveries/s for others, " + size, "/s",
                 [](const round& with, const round&) { return with.per_s; });
      add_rounds(result, one, "cpu_us", "CPU of the node per delivery for others, " + size, "us",
                 [](const round& with, const round&) { return with.cpu_us; });
      add_rounds(result, one, "cpu_us_none", "CPU of the node without a backlog beside " + size, "us",
                 [](const round&, const round& without) { return without.cpu_us; });
    }
  }

  [[nodiscard]] static double ratio_of(const backlog_findings& f) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < f.with.size(); ++i)
      ratios.push_back(f.with[i].per_s / f.without[i].per_s);
    return median(ratios);
  }

  [[nodiscard]] plot_line line(const std::string& title, getter get) const {
    plot_line made{title, {}};
    for (const auto& one : found_)
      made.points.emplace_back(one.events, get(one));
    return made;
  }

  static void add_plot(scenario_result& result, const std::string& title, const std::string& unit,
                       std::vector<plot_line> lines) {
    plot made;
    made.title = title;
    made.x = {"retries pending", axis_scale::logarithmic};
    made.y = {unit, axis_scale::linear};
    made.lines = std::move(lines);
    result.plots.push_back(std::move(made));
  }

  void add_plots(scenario_result& result) const {
    add_plot(result, "Resident memory", "MB",
             {line("at rest", [](const backlog_findings& f) { return f.memory_bytes / 1e6; }),
              line("after saturated traffic",
                   [](const backlog_findings& f) { return f.memory_after_bytes / 1e6; })});
    add_plot(result, "Disk", "bytes per event",
             {line("data folder", [](const backlog_findings& f) { return f.disk_bytes_each; })});
    add_plot(result, "Start", "seconds",
             {line("ready", [](const backlog_findings& f) { return f.ready_s; }),
              line("first delivery", [](const backlog_findings& f) { return f.first_delivery_s; })});
    add_plot(result, "Throughput for others", "with ÷ without the backlog", {line("ratio", ratio_of)});
  }

  scenario_result judged() {
    scenario_result result;
    add_throughput(result);
    add_restart(result);
    add(
        result, "first_delivery", "start to first delivery", "s",
        [](const backlog_findings& f) { return f.first_delivery_s; }, restarted_size, goal{2, 0.5, false});
    add(result, "ready", "start to ready", "s", [](const backlog_findings& f) { return f.ready_s; });
    const goal memory{200e6, 120e6, false};
    add(
        result, "memory", "resident memory at rest", "bytes",
        [](const backlog_findings& f) { return f.memory_bytes; }, restarted_size, memory);
    add(
        result, "memory_after", "resident memory after saturated traffic", "bytes",
        [](const backlog_findings& f) { return f.memory_after_bytes; }, restarted_size, memory);
    add(result, "disk", "disk per event", "bytes",
        [](const backlog_findings& f) { return f.disk_bytes_each; });
    add(result, "idle_cpu", "CPU when idle, of a core", "%",
        [](const backlog_findings& f) { return f.idle_cpu_percent; });
    for (const auto& one : found_)
      result.figures.push_back(status_figure(one.events, one.status_s));
    add(result, "built_per_s", "retries/s written by the builder", "/s",
        [](const backlog_findings& f) { return f.built_per_s; });
    add_plots(result);
    result.violations = common_.violations;
    add_sentences(result.violations, load_without_.name, load_without_.events.ledger().violations());
    if (const auto complaint = common_.arrivals.complaint(); !complaint.empty())
      result.violations.push_back(complaint);
    result.notes = common_.notes;
    result.notes.push_back(
        "The retries were written into the data folders with the store's own code, each an event with 500 "
        "bytes of body and one attempt answered 503; 64 were due when the node started.");
    return result;
  }

  const bench_context& with_;
  std::unique_ptr<own_sink> sink_;
  std::unique_ptr<node_process> without_;
  node_session session_without_;
  traffic load_without_;
  backlog_bench common_;
  std::vector<backlog_findings> found_;
};

} // namespace

scenario_result run_backlog(const bench_context& with) {
  return backlog{with}.run();
}

} // namespace vicket::bench
