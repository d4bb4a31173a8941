#pragma once

#include "bench/harness/expected_events.hpp"
#include "bench/harness/own_sink.hpp"
#include "bench/scenarios/scenario.hpp"
#include "bench/scenarios/traffic.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace vicket::bench {

/// One round of saturated traffic to a node.
struct saturated_round {
  double per_s = 0;
  double cpu_us = 0; ///< of the node, per delivery
};

/// What was found with so many retries pending.
struct backlog_findings {
  std::uint32_t events = 0;
  double built_per_s = 0; ///< by the builder: what the store takes, without a node around it
  double disk_bytes_each = 0;
  double ready_s = 0;
  double first_delivery_s = 0;
  std::vector<double> restart_s; ///< from the start after a SIGKILL under load to the first delivery
  double idle_cpu_percent = 0;   ///< of a core
  double memory_bytes = 0;
  double memory_after_bytes = 0; ///< after the rounds of throughput
  std::vector<double> status_s;  ///< of each that was asked for
  std::vector<saturated_round> with;
  std::vector<saturated_round> without; ///< as many, in turn with those
};

/// What the measurements of all sizes have in common.
struct backlog_bench {
  const bench_context& with;
  own_sink& target;
  arrival_sorter arrivals;
  node_process& node_without; ///< has no backlog
  traffic& load_without;      ///< to that node
  std::vector<std::string> notes;
  std::vector<std::string> violations;

  [[nodiscard]] std::vector<connector> connectors(std::uint32_t first, std::uint32_t count) const;
};

inline constexpr std::uint32_t backlog_load_connectors = 64;
/// Of event sources of one size: its own and those that follow.
inline constexpr std::uint16_t tags_per_backlog_size = 16;

/// Builds a backlog, starts a node on it and measures all of it, in a data folder of its own: what earlier sizes
/// left behind would be in the figures of this one.
class backlog_size {
public:
  backlog_size(backlog_bench& in, std::uint32_t events, std::uint16_t tag);
  ~backlog_size();
  backlog_size(const backlog_size&) = delete;
  backlog_size& operator=(const backlog_size&) = delete;

  /// `kills`: how often it is killed under load and started again.
  [[nodiscard]] backlog_findings run(int kills);

private:
  void say(const std::string& what) const;
  void build();
  void start();
  void wait_for_due_ones();
  void settle_down();
  void measure_at_rest();
  void measure_throughput();
  [[nodiscard]] saturated_round saturated(traffic& load, const node_process& of, std::int64_t duration_ms);
  void kill_and_start(std::uint16_t tag);
  void send_again(expected_events& events, const feeder& broken_off);
  void count_pending();

  backlog_bench& in_;
  const bench_context& with_;
  std::string name_;
  std::uint16_t tag_;
  expected_events pending_;
  std::unique_ptr<node_process> node_;
  std::unique_ptr<node_session> session_;
  backlog_findings found_;
};

} // namespace vicket::bench
