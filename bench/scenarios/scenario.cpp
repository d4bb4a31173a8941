#include "bench/scenarios/scenario.hpp"

#include <array>
#include <cstdio>
#include <utility>

namespace vicket::bench {

bench_context::bench_context(const bench_options& options, const workspace& where,
                             std::function<void(const std::string&)> progress)
    : options_{options}, where_{where}, progress_{std::move(progress)} {}

std::unique_ptr<node_process> bench_context::start_node(const std::string& name,
                                                        const std::vector<std::string>& more_flags,
                                                        std::optional<std::uint64_t> open_files) const {
  if (options_.node)
    return std::make_unique<node_process>(*options_.node);
  node_process::setup with;
  with.program = options_.programs / "vicketd";
  with.data_dir = where_.file(name);
  with.ca_file = where_.ca_file();
  with.log = where_.file(name + ".log");
  with.more_flags = options_.node_flags;
  with.more_flags.insert(with.more_flags.end(), more_flags.begin(), more_flags.end());
  with.open_files = open_files;
  return std::make_unique<node_process>(std::move(with));
}

std::unique_ptr<own_sink> bench_context::start_sink(const std::string& name, std::uint64_t capacity) const {
  own_sink::setup with;
  with.program = options_.programs / "vicket-bench-sink";
  with.name = name;
  with.capacity = capacity;
  with.more_flags = options_.sink_flags;
  return std::make_unique<own_sink>(where_, with);
}

std::unique_ptr<sink> bench_context::start_default_sink() const {
  if (options_.nginx)
    return std::make_unique<nginx_sink>(where_, options_.programs / "vicket-bench-sink");
  return start_sink("sink", 10'000'000);
}

connector bench_context::connector_to(const sink& target, const std::string& behaviour,
                                      std::uint32_t number) const {
  connector made;
  made.id = connector_name(number);
  made.url = target.url(behaviour, number);
  made.secret.value = where_.secret();
  return made;
}

connector_id connector_name(std::uint32_t number) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "c-%06u", number);
  return {text.data()};
}

std::vector<connector_id> connector_names(std::uint32_t first, std::uint32_t count) {
  std::vector<connector_id> names;
  for (std::uint32_t i = 0; i < count; ++i)
    names.push_back(connector_name(first + i));
  return names;
}

const std::vector<scenario>& all_scenarios() {
  static const std::vector<scenario> all{
      {"throughput", "Deliveries a second of a saturated node, against wrk to the same sink", false, false,
       run_throughput},
      {"latency", "Where the time goes, at 1,000 and 5,000 events/s in an open loop", false, false,
       run_latency},
      {"noisy-neighbours",
       "70 connectors with 30 beside them that hang, fail or are slow, against the 70 alone", true, false,
       run_noisy_neighbours},
      {"hanging-cap", "Healthy connectors beside requests that hang in all places that a node has", true,
       false, run_hanging_cap},
      {"hostile-port", "An honest sender beside strangers who attack the node's actor port, against it alone",
       true, false, run_hostile_port},
      {"waiting", "Thousands of HTTPS requests that hang, and healthy traffic beside them", true, false,
       run_waiting},
      {"backlog", "Retries pending: memory, disk, CPU, the throughput of others, restart, status", true,
       false, run_backlog},
      {"many-connectors", "Many connectors with an event each, against 64 with as many events", true, false,
       run_many_connectors},
      {"recovery", "Many events wait for endpoints that come back; their neighbours, and a rate limit", true,
       false, run_recovery},
      {"triggers", "Triggers a second by one of 10,000 rules, against the same events without rules", false,
       false, run_triggers},
      {"cost", "Instructions per delivery; its CPU time is in throughput", true, false, run_cost},
      {"big-events", "Memory while the largest events wait for 1,000 connectors, and after restarts", true,
       true, run_big_events},
      {"cluster", "Three nodes and a replicated database beside one node alone", true, true, run_cluster},
      {"steady-cluster", "Ten minutes of a saturated cluster, of which nothing goes", true, true,
       run_steady_cluster},
      {"status", "Status requests with 5,000,000 pending for 100,000 busy connectors", true, true,
       run_status},
      {"waiting-connectors", "1,000,000 connectors with an event each that waits for an hour", true, true,
       run_waiting_connectors},
  };
  return all;
}

} // namespace vicket::bench
