#pragma once

#include "apps/values.hpp"
#include "bench/harness/nginx_sink.hpp"
#include "bench/harness/node_process.hpp"
#include "bench/harness/node_session.hpp"
#include "bench/harness/own_sink.hpp"
#include "bench/harness/workspace.hpp"
#include "bench/report/results.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vicket::bench {

/// What the run was asked for.
struct bench_options {
  bool quick = false;                  ///< fewer and shorter rounds: for a look, not for publishing
  std::optional<host_port> node;       ///< a node that runs already; absent: one is started for each scenario
  std::filesystem::path programs;      ///< where vicketd, vicket-bench-sink and vicket-bench-load are
  std::filesystem::path certificates;  ///< where the sinks' are kept; empty: made for this run
  std::vector<std::string> node_flags; ///< more flags for the nodes that are started
  bool nginx = true;                   ///< the sink of the throughput scenario; false: ours
  std::vector<std::string> sink_flags; ///< more flags for our sink
};

/// What scenarios are made of.
class bench_context {
public:
  bench_context(const bench_options& options, const workspace& where,
                std::function<void(const std::string&)> progress);

  [[nodiscard]] const bench_options& options() const { return options_; }
  [[nodiscard]] const workspace& where() const { return where_; }
  /// `of_quick` in a quick run, else `of_full`.
  template <class T>
  [[nodiscard]] T pick(T of_full, T of_quick) const {
    return options_.quick ? of_quick : of_full;
  }

  /// A new node on an empty data folder of that name, or on what is in it already; or the one that the run was
  /// given.
  /// `more_flags`: of this node, beside those of the run. `open_files`: its limit of these.
  [[nodiscard]] std::unique_ptr<node_process> start_node(const std::string& name,
                                                         const std::vector<std::string>& more_flags = {},
                                                         std::optional<std::uint64_t> open_files = {}) const;
  [[nodiscard]] std::unique_ptr<own_sink> start_sink(const std::string& name, std::uint64_t capacity) const;
  /// nginx, or ours where the run was asked for that.
  [[nodiscard]] std::unique_ptr<sink> start_default_sink() const;

  /// A connector without a rate limit, to that behaviour of the sink.
  [[nodiscard]] connector connector_to(const sink& target, const std::string& behaviour,
                                       std::uint32_t number) const;
  /// Says what is going on, on one line.
  void say(const std::string& what) const { progress_(what); }

private:
  const bench_options& options_;
  const workspace& where_;
  std::function<void(const std::string&)> progress_;
};

/// The id of connector `number`.
[[nodiscard]] connector_id connector_name(std::uint32_t number);
[[nodiscard]] std::vector<connector_id> connector_names(std::uint32_t first, std::uint32_t count);

/// One of the measurements, by its name on the command line.
struct scenario {
  std::string name;
  std::string title;
  bool needs_own_nodes; ///< starts nodes again or several of them: not to be had with `--node`
  bool only_by_name;    ///< takes minutes: not a part of a run of all
  scenario_result (*run)(const bench_context&);
};

/// In the order in which they run.
[[nodiscard]] const std::vector<scenario>& all_scenarios();

scenario_result run_throughput(const bench_context& with);
scenario_result run_latency(const bench_context& with);
scenario_result run_noisy_neighbours(const bench_context& with);
scenario_result run_waiting(const bench_context& with);
scenario_result run_backlog(const bench_context& with);
scenario_result run_many_connectors(const bench_context& with);
scenario_result run_recovery(const bench_context& with);
scenario_result run_cost(const bench_context& with);
scenario_result run_hanging_cap(const bench_context& with);
scenario_result run_hostile_port(const bench_context& with);
scenario_result run_big_events(const bench_context& with);
scenario_result run_cluster(const bench_context& with);
scenario_result run_triggers(const bench_context& with);
scenario_result run_steady_cluster(const bench_context& with);
scenario_result run_status(const bench_context& with);
scenario_result run_waiting_connectors(const bench_context& with);

} // namespace vicket::bench
