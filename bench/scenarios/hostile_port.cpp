// 10: what an honest sender notices while strangers attack the node's actor port.

#include "bench/findings/node_bounds.hpp"
#include "bench/harness/attacker_process.hpp"
#include "bench/harness/open_loop.hpp"
#include "bench/harness/process_usage.hpp"
#include "bench/harness/real_time.hpp"
#include "bench/report/measure_text.hpp"
#include "bench/scenarios/latencies.hpp"
#include "bench/scenarios/scenario.hpp"
#include "bench/scenarios/traffic.hpp"
#include "tests/support/port_certificates.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vicket::bench {

namespace {

constexpr std::uint32_t connectors = 4;
constexpr double honest_per_s = 400;
constexpr std::int64_t warm_up_ms = 500;

/// One attacking machine, which does not simply take the node's processors.
constexpr unsigned hostile_connections_per_s = 200;
constexpr unsigned hostile_messages_per_s = 1'000;
constexpr unsigned crowd = 144;   ///< all that a port lets in from one address
constexpr unsigned burst = 1'500; ///< tried at once, within the measured time
/// What an attack must be of what it was meant to be, or nothing was measured.
constexpr double least_part = 0.8;
/// Of each kind of attack: the part of its connections that come as far as they are to. The others make room for
/// those that come after them.
constexpr double least_reached = 0.3;

constexpr std::uint64_t open_files = 1'024; ///< of a node: the limit of most systems
constexpr std::uint16_t tag_alone = 2;
constexpr std::uint16_t tag_attacked = 3;

/// A node whose actor port demands certificates, and an honest sender.
struct side {
  side(const bench_context& with, const testing::port_certificates& papers, const std::string& its_name,
       std::uint16_t tag)
      : target{with.start_sink("sink-" + its_name, 1'000'000)},
        node{with.start_node(its_name, flags(papers), open_files)}, session{node->place(), papers.honest()},
        arrivals{*target}, honest{"honest, " + its_name, session,
                                  event_source{tag, connector_names(0, connectors)}} {
    std::vector<connector> wanted;
    for (std::uint32_t i = 0; i < connectors; ++i)
      wanted.push_back(with.connector_to(*target, "ok", i));
    session.put(wanted);
  }

  static std::vector<std::string> flags(const testing::port_certificates& papers) {
    auto all = papers.node_flags();
    all.insert(all.end(), {"--max-in-flight", "64"}); // what fits below the limit of open files
    return all;
  }

  struct measured {
    latencies of;
    double node_cpu = 0; ///< of a core
  };

  /// Honest traffic for so long.
  measured measure(std::int64_t duration_ms, std::vector<std::string>& violations) {
    const auto start_ns = now_ns();
    const auto cpu_ns = cpu_time_ns(node->id());
    offer_together({{&honest.feed, honest_per_s, ++offers}}, warm_up_ms + duration_ms);
    const auto until_ns = now_ns();
    const auto used =
        static_cast<double>(cpu_time_ns(node->id()) - cpu_ns) / static_cast<double>(until_ns - start_ns);
    honest.finish(arrivals, {&honest.events}, violations);
    return {latencies{honest, start_ns + warm_up_ms * 1'000'000, until_ns}, used};
  }

  void judge(std::vector<std::string>& violations) {
    add_sentences(violations, honest.name, honest.events.ledger().violations());
    if (const auto complaint = arrivals.complaint(); !complaint.empty())
      violations.push_back(honest.name + ": " + complaint);
    if (const auto left = session.pending(); left > 0)
      violations.push_back(honest.name + ": " + std::to_string(left) + " events are still pending");
  }

  std::unique_ptr<own_sink> target;
  std::unique_ptr<node_process> node;
  node_session session;
  arrival_sorter arrivals;
  traffic honest;
  std::uint64_t offers = 0;
};

/// Two nodes in turn. One with and without attackers would be compared with itself after an attack: what an attack leaves
/// behind would make both sides worse, and the ratio better.
class hostile_port {
public:
  explicit hostile_port(const bench_context& with)
      : with_{with}, papers_{with.where().file("port-certificates")},
        alone_{with, papers_, "alone", tag_alone}, attacked_{with, papers_, "attacked", tag_attacked} {
    found_.connections_per_s = hostile_connections_per_s;
    found_.messages_per_s = hostile_messages_per_s;
  }

  scenario_result run() {
    const auto pairs = with_.pick(3, 1);
    for (int i = 1; i <= pairs; ++i) {
      if (i % 2 == 0) // the machine's drift favours neither side
        measure_attacked();
      measure_alone();
      if (i % 2 == 1)
        measure_attacked();
      measure_pinged();
      with_.say("pair " + std::to_string(i) + " of " + std::to_string(pairs) +
                ": sent → accepted p99 alone " + show_measure(found_.alone_accepted_us.back(), "us") +
                ", attacked " + show_measure(found_.attacked_accepted_us.back(), "us") + ", flood of pings " +
                show_measure(found_.pinged_accepted_us.back(), "us"));
    }
    return judged();
  }

private:
  [[nodiscard]] std::int64_t measured_ms() const { return with_.pick(6'000, 2'000); }

  [[nodiscard]] std::unique_ptr<attacker_process> attack(std::vector<std::string> how) const {
    attacker_process::setup setup;
    setup.program = with_.options().programs / "vicket-bench-attacker";
    setup.log = with_.where().file("attacker.log");
    setup.port = attacked_.node->place().port;
    setup.sender = papers_.sender();
    setup.foreign = papers_.foreign();
    setup.more_flags = std::move(how);
    return std::make_unique<attacker_process>(setup);
  }

  static void note(const side::measured& found, std::vector<double>& accepted_us,
                   std::vector<double>& sink_us, std::vector<double>& cpu) {
    accepted_us.push_back(percentile_us(found.of.of(stage::sent_to_accepted), 99));
    sink_us.push_back(percentile_us(found.of.of(stage::sent_to_sink), 99));
    cpu.push_back(found.node_cpu);
  }

  void measure_alone() {
    note(alone_.measure(measured_ms(), violations_), found_.alone_accepted_us, found_.alone_sink_us,
         alone_cpu_);
  }

  void measure_attacked() {
    const auto strangers = attack({"--connections-per-s", std::to_string(hostile_connections_per_s),
                                   "--messages-per-s", std::to_string(hostile_messages_per_s), "--crowd",
                                   std::to_string(crowd), "--burst", std::to_string(burst)});
    const auto cpu_ns = cpu_time_ns(strangers->id());
    const auto start_ns = now_ns();
    const auto found = attacked_.measure(measured_ms(), violations_);
    attackers_cpu_.push_back(static_cast<double>(cpu_time_ns(strangers->id()) - cpu_ns) /
                             static_cast<double>(now_ns() - start_ns));
    note(found, found_.attacked_accepted_us, found_.attacked_sink_us, attacked_cpu_);
    found_.attacked_worst_us.push_back(percentile_us(found.of.of(stage::sent_to_accepted), 100));
    judge_attack(strangers->stop());
  }

  void measure_pinged() {
    const auto stranger =
        attack({"--only", "pings", "--connections-per-s", "0", "--messages-per-s", "0", "--most-open", "1"});
    note(attacked_.measure(measured_ms(), violations_), found_.pinged_accepted_us, found_.pinged_sink_us,
         pinged_cpu_);
    const auto report = stranger->stop();
    pings_per_s_.push_back(report.messages_per_s());
    pinging_connections_per_s_.push_back(report.connections_per_s());
  }

  /// An attack that did not take place is no measurement.
  void judge_attack(const attack_report& report) {
    connections_per_s_.push_back(report.connections_per_s());
    messages_per_s_.push_back(report.messages_per_s());
    add_sentences(
        violations_, "the attack",
        complaints_of(report, {hostile_connections_per_s, least_part, least_reached, crowd, burst}));
  }

  scenario_result judged() {
    scenario_result result;
    found_.growth_bytes = static_cast<double>(memory_of(attacked_.node->id()).peak_bytes) -
                          static_cast<double>(memory_of(alone_.node->id()).peak_bytes);
    result.figures = figures_of(found_);
    const auto add = [&](const std::string& key, const std::string& title, const std::vector<double>& rounds,
                         const std::string& unit) {
      result.figures.push_back(median_figure(key, title, rounds, unit));
    };
    add("alone_cpu", "CPU of the node, of a core, without", alone_cpu_, "1");
    add("attacked_cpu", "CPU of the node, of a core, attacked", attacked_cpu_, "1");
    add("pinged_cpu", "CPU of the node, of a core, flood of pings", pinged_cpu_, "1");
    add("attackers_cpu", "CPU of the attackers, of a core", attackers_cpu_, "1");
    add("hostile_connections", "hostile connections, beside the burst", connections_per_s_, "/s");
    add("hostile_messages", "hostile messages", messages_per_s_, "/s");
    add("pings", "pings of the flood, sent as fast as a connection takes them", pings_per_s_, "/s");
    add("pinging_connections", "connections of the flood, one after the other", pinging_connections_per_s_,
        "/s");
    alone_.judge(violations_);
    attacked_.judge(violations_);
    result.violations = violations_;
    result.notes.push_back(
        std::to_string(connectors) + " connectors with " + std::to_string(static_cast<int>(honest_per_s)) +
        " events/s in all; mutual TLS, and a limit of " + std::to_string(open_files) +
        " open files. The attackers are one process with one thread, limited to " +
        std::to_string(hostile_connections_per_s) + " new connections/s and " +
        std::to_string(hostile_messages_per_s) + " messages/s, from 17 addresses: " + std::to_string(crowd) +
        " upgraded connections that stay, and kinds in turn that are silent, drip, stop half-way, or send "
        "noise, "
        "mutations, what is too large, in a thousand pieces, of a wrong role, or pings; with a sender's "
        "certificate, a "
        "foreign one, or none. " +
        std::to_string(burst) + " more are tried at once, a second after the beginning.");
    return result;
  }

  const bench_context& with_;
  testing::port_certificates papers_;
  side alone_;
  side attacked_;
  hostile_port_findings found_;
  std::vector<double> alone_cpu_;
  std::vector<double> attacked_cpu_;
  std::vector<double> pinged_cpu_;
  std::vector<double> attackers_cpu_;
  std::vector<double> connections_per_s_;
  std::vector<double> messages_per_s_;
  std::vector<double> pings_per_s_;
  std::vector<double> pinging_connections_per_s_;
  std::vector<std::string> violations_;
};

} // namespace

scenario_result run_hostile_port(const bench_context& with) {
  return hostile_port{with}.run();
}

} // namespace vicket::bench
