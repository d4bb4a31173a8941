#include "bench/findings/node_bounds.hpp"

#include "bench/findings/figures.hpp"
#include "bench/report/measure_text.hpp"

#include <optional>
#include <utility>

namespace vicket::bench {

namespace {

constexpr bool at_most = false;
constexpr bool at_least = true;

constexpr goal healthy_p99_us{100e3, 20e3, at_most};
constexpr goal healthy_worst_us{1e6, 1e6, at_most};
constexpr goal attacked_ratio{3, 1.5, at_most};
constexpr goal attacked_worst_us{1e6, 1e6, at_most};
constexpr goal attacked_growth_bytes{50e6, 50e6, at_most};
constexpr goal neighbours_ratio{4, 1.5, at_most};
constexpr goal big_events_bytes{200e6, 120e6, at_most};
constexpr goal status_s{20e-3, 5e-3, at_most};
constexpr goal waiting_connectors_bytes{400e6, 200e6, at_most};
constexpr goal many_by_few{0.8, 0.95, at_least};

constexpr double smallest_us = 1;

figure with_goal(figure made, const goal& wanted, bool is_full = true) {
  if (is_full)
    made.wanted = wanted;
  return made;
}

} // namespace

std::vector<figure> figures_of(const hanging_cap_findings& found) {
  const auto healthy = "healthy, sent → sink, beside " + std::to_string(found.hanging) + " that hang in " +
                       std::to_string(found.places) + " places, ";
  const auto crowd = "the same beside " + std::to_string(found.crowd) + " that hang, ";
  return {
      with_goal(median_figure("healthy_p99", healthy + "p99", found.beside_p99_us, "us"), healthy_p99_us),
      with_goal(worst_figure("healthy_worst", healthy + "the slowest", found.beside_worst_us, "us"),
                healthy_worst_us),
      median_figure("healthy_p99_ratio", "that p99 ÷ that without them",
                    ratios(found.beside_p99_us, found.alone_p99_us, smallest_us), "1"),
      median_figure("alone_p99", "healthy, sent → sink, without them, p99", found.alone_p99_us, "us"),
      with_goal(median_figure("crowd_p99", crowd + "p99", found.crowd_p99_us, "us"), healthy_p99_us),
      with_goal(worst_figure("crowd_worst", crowd + "the slowest", found.crowd_worst_us, "us"),
                healthy_worst_us),
  };
}

std::vector<figure> figures_of(const hostile_port_findings& found) {
  const auto attack = "beside " + show_number(found.connections_per_s) +
                      " hostile connections/s with up to " + show_number(found.messages_per_s) +
                      " messages/s";
  const auto divided = [&](const std::vector<double>& with, const std::vector<double>& without) {
    return ratios(with, without, smallest_us);
  };
  return {
      with_goal(median_figure("accepted_p99_ratio", "honest, sent → accepted, p99 " + attack + " ÷ without",
                              divided(found.attacked_accepted_us, found.alone_accepted_us), "1"),
                attacked_ratio),
      median_figure("sink_p99_ratio", "the same of sent → sink",
                    divided(found.attacked_sink_us, found.alone_sink_us), "1"),
      with_goal(median_figure("pinged_accepted_p99_ratio",
                              "sent → accepted, p99 beside a flood of pings alone ÷ without",
                              divided(found.pinged_accepted_us, found.alone_accepted_us), "1"),
                attacked_ratio),
      with_goal(worst_figure("attacked_accepted_worst", "sent → accepted, the slowest, attacked",
                             found.attacked_worst_us, "us"),
                attacked_worst_us),
      with_goal(plain_figure("growth", "most resident memory of the node that is attacked, less the other's",
                             found.growth_bytes, "bytes"),
                attacked_growth_bytes),
      median_figure("pinged_sink_p99_ratio", "the same of sent → sink",
                    divided(found.pinged_sink_us, found.alone_sink_us), "1"),
      median_figure("attacked_accepted_p99", "sent → accepted, p99, attacked", found.attacked_accepted_us,
                    "us"),
      median_figure("attacked_sink_p99", "sent → sink, p99, attacked", found.attacked_sink_us, "us"),
      median_figure("pinged_accepted_p99", "sent → accepted, p99, flood of pings", found.pinged_accepted_us,
                    "us"),
      median_figure("alone_accepted_p99", "sent → accepted, p99, without", found.alone_accepted_us, "us"),
      median_figure("alone_sink_p99", "sent → sink, p99, without", found.alone_sink_us, "us"),
  };
}

std::vector<figure> figures_of(const drain_findings& found) {
  return {
      with_goal(median_figure("neighbours_whole_p99_ratio",
                              "neighbours, sent → sink, p99 during the drain ÷ before all of it",
                              ratios(found.during_p99_us, found.before_p99_us, smallest_us), "1"),
                neighbours_ratio),
      median_figure("neighbours_p99_ratio", "the same of accepted → sink",
                    ratios(found.during_delivery_p99_us, found.before_delivery_p99_us, smallest_us), "1"),
  };
}

std::vector<figure> figures_of(const big_events_findings& found, bool is_full) {
  const auto connectors = std::to_string(found.connectors) + " connectors";
  return {
      with_goal(plain_figure("memory_waiting", "most resident memory while big events wait for " + connectors,
                             found.waiting_bytes, "bytes"),
                big_events_bytes, is_full),
      with_goal(median_figure("memory_restarted", "most resident memory after a restart with them",
                              found.restarted_bytes, "bytes"),
                big_events_bytes, is_full),
      plain_figure("memory_accepting", "most resident memory while they were accepted", found.accepting_bytes,
                   "bytes"),
      plain_figure("memory_before", "resident memory before", found.before_bytes, "bytes"),
      median_figure("ready", "start to ready with them", found.restarted_ready_s, "s"),
  };
}

std::vector<figure> figures_of(const status_findings& found, bool is_full) {
  const auto what =
      ", " + std::to_string(found.pending) + " pending, " + std::to_string(found.busy) + " connectors";
  return {
      with_goal(median_figure("page", "slowest request of a status" + what, found.page_s, "s"), status_s,
                is_full),
      median_figure("all", "a whole status" + what, found.all_s, "s"),
  };
}

figure status_figure(std::uint64_t pending, std::vector<double> all_s) {
  const auto size = std::to_string(pending);
  return with_goal(median_figure("status_" + size, "time of a status, all of it, " + size + " pending",
                                 std::move(all_s), "s"),
                   status_s, pending == status_goal_pending);
}

std::vector<figure> figures_of(const waiting_connectors_findings& found, bool is_full) {
  const auto count = std::to_string(found.connectors);
  return {
      with_goal(median_figure("memory", "resident memory, " + count + " connectors with an event that waits",
                              found.memory_bytes, "bytes"),
                waiting_connectors_bytes, is_full),
      with_goal(
          plain_figure("memory_tried",
                       "the same when " + std::to_string(found.tried) + " have been tried, and wait again",
                       found.memory_tried_bytes, "bytes"),
          waiting_connectors_bytes, is_full),
      median_figure("ready", "start to ready, " + count + " connectors", found.ready_s, "s"),
  };
}

std::vector<figure> figures_of(const many_connectors_findings& found) {
  const auto many = std::to_string(found.many) + " connectors";
  return {
      with_goal(median_figure("ratio", "deliveries/s, " + many + " ÷ " + std::to_string(found.few),
                              ratios(found.many_per_s, found.few_per_s, 1), "1"),
                many_by_few),
      median_figure("many_per_s", "deliveries/s, " + many, found.many_per_s, "/s"),
      median_figure("few_per_s", "deliveries/s, " + std::to_string(found.few) + " connectors",
                    found.few_per_s, "/s"),
  };
}

} // namespace vicket::bench
