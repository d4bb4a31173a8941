// 6: 100,000 connectors with an event each, against 64 connectors with as many events.

#include "bench/findings/node_bounds.hpp"
#include "bench/harness/process_usage.hpp"
#include "bench/harness/real_time.hpp"
#include "bench/scenarios/scenario.hpp"
#include "bench/scenarios/traffic.hpp"

#include <algorithm>
#include <utility>

namespace vicket::bench {

namespace {

constexpr std::uint32_t few_connectors = 64;
/// Events sent and not yet delivered, on both sides.
constexpr std::size_t window = 8'192;
/// A supervisor without work goes after 30 s.
constexpr std::int64_t supervisors_go_after_ns = 30'000'000'000;
constexpr std::int64_t memory_back_within_ns = 15'000'000'000;
constexpr std::int64_t supervisors_limit_ns = 15'000'000'000; // after that

/// A node with its connectors, its own sink, and an engine that sends to them.
struct side {
  side(const bench_context& with, const std::string& name, std::uint16_t tag, std::uint32_t connectors)
      : target{with.start_sink("sink-" + name, 2'000'000)}, node{with.start_node(name)},
        session{node->place()}, arrivals{*target}, load{name, session,
                                                        event_source{tag, connector_names(0, connectors)}} {
    std::vector<connector> wanted;
    for (std::uint32_t i = 0; i < connectors; ++i)
      wanted.push_back(with.connector_to(*target, "ok", i));
    const auto from_ns = now_ns();
    session.put(wanted);
    configured_after_s = seconds(now_ns() - from_ns);
  }

  [[nodiscard]] double memory() const { return static_cast<double>(memory_of(node->id()).resident_bytes); }

  std::unique_ptr<own_sink> target;
  std::unique_ptr<node_process> node;
  node_session session;
  arrival_sorter arrivals;
  traffic load;
  double configured_after_s = 0;
  std::vector<double> per_s;
  std::vector<double> cpu_us; ///< of the node, per delivery
};

class many_connectors {
public:
  explicit many_connectors(const bench_context& with) : with_{with} {
    with.say("configuring " + std::to_string(count()) + " connectors");
    many_ = std::make_unique<side>(with, "many", 1, count());
    few_ = std::make_unique<side>(with, "few", 2, few_connectors);
  }

  scenario_result run() {
    sleep_ms(with_.pick(1'000, 300));
    configured_bytes_ = many_->memory();
    const auto passes = with_.pick(3, 2);
    for (int i = 1; i <= passes; ++i) {
      pass(*many_);
      pass(*few_);
      with_.say("pass " + std::to_string(i) + " of " + std::to_string(passes) + ": " +
                std::to_string(static_cast<int>(many_->per_s.back())) + "/s to " + std::to_string(count()) +
                ", " + std::to_string(static_cast<int>(few_->per_s.back())) + "/s to " +
                std::to_string(few_connectors));
    }
    if (!with_.options().quick)
      wait_for_supervisors_to_go();
    return judged();
  }

private:
  [[nodiscard]] std::uint32_t count() const { return with_.pick(100'000u, 10'000u); }

  /// As many events as there are many connectors; on that side each gets one.
  void pass(side& on) {
    const auto first = on.load.feed.sent();
    const auto cpu_before_ns = cpu_time_ns(on.node->id());
    const auto others = on.target->arrived() - first;
    on.load.feed.saturate_count(*on.target, others, window, count());
    on.load.finish(on.arrivals, {&on.load.events}, violations_);
    on.cpu_us.push_back(static_cast<double>(cpu_time_ns(on.node->id()) - cpu_before_ns) / 1e3 / count());
    const auto from_ns = on.load.feed.times()[first].intended_ns;
    on.per_s.push_back(count() / seconds(on.load.events.last_delivery_ns(first) - from_ns));
    if (&on == many_.get())
      after_passes_bytes_ = on.memory();
  }

  /// A status lists the connectors that have a supervisor.
  void wait_for_supervisors_to_go() {
    with_.say("waiting for idle supervisors to go");
    sleep_until_ns(many_->load.events.last_delivery_ns(0) + supervisors_go_after_ns);
    const auto limit_ns = now_ns() + supervisors_limit_ns;
    for (auto left = many_->session.status().connectors.size(); left > 0;
         left = many_->session.status().connectors.size()) {
      if (now_ns() > limit_ns) {
        notes_.push_back(std::to_string(left) + " connectors still had their supervisor " +
                         std::to_string((supervisors_go_after_ns + supervisors_limit_ns) / 1'000'000'000) +
                         " s after the last delivery.");
        break;
      }
      sleep_ms(1'000);
    }
    // The node gives memory back now and then.
    gone_bytes_ = many_->memory();
    for (const auto end = now_ns() + memory_back_within_ns; now_ns() < end; sleep_ms(500))
      gone_bytes_ = std::min(gone_bytes_, many_->memory());
  }

  void add_memory(scenario_result& result) const {
    const auto size = std::to_string(count());
    auto& figures = result.figures;
    figures.push_back(plain_figure("configured_after_s", "time to configure " + size + " connectors",
                                   many_->configured_after_s, "s"));
    figures.push_back(plain_figure("memory_configured", "resident memory, " + size + " configured and idle",
                                   configured_bytes_, "bytes"));
    figures.push_back(plain_figure("memory_after", "resident memory after the passes, each with a supervisor",
                                   after_passes_bytes_, "bytes"));
    if (gone_bytes_ > 0)
      figures.push_back(plain_figure("memory_gone", "resident memory when the supervisors have gone",
                                     gone_bytes_, "bytes"));
  }

  scenario_result judged() {
    scenario_result result;
    const auto size = std::to_string(count());
    const auto few = std::to_string(few_connectors);
    result.figures = figures_of(many_connectors_findings{count(), few_connectors, many_->per_s, few_->per_s});
    result.figures.push_back(median_figure(
        "many_cpu_us", "CPU of the node per delivery, " + size + " connectors", many_->cpu_us, "us"));
    result.figures.push_back(median_figure(
        "few_cpu_us", "CPU of the node per delivery, " + few + " connectors", few_->cpu_us, "us"));
    add_memory(result);
    result.notes = notes_;
    result.violations = violations_;
    for (auto* each : {many_.get(), few_.get()}) {
      add_sentences(result.violations, each->load.name, each->load.events.ledger().violations());
      if (const auto complaint = each->arrivals.complaint(); !complaint.empty())
        result.violations.push_back(each->load.name + ": " + complaint);
      if (const auto left = each->session.pending(); left > 0)
        result.violations.push_back(each->load.name + ": " + std::to_string(left) +
                                    " events are still pending on the node");
    }
    return result;
  }

  const bench_context& with_;
  std::unique_ptr<side> many_;
  std::unique_ptr<side> few_;
  double configured_bytes_ = 0;
  double after_passes_bytes_ = 0;
  double gone_bytes_ = 0;
  std::vector<std::string> notes_;
  std::vector<std::string> violations_;
};

} // namespace

scenario_result run_many_connectors(const bench_context& with) {
  return many_connectors{with}.run();
}

} // namespace vicket::bench
