// 3: what connectors with good endpoints notice of others whose endpoints hang, fail or are slow.

#include "bench/findings/percentiles.hpp"
#include "bench/harness/open_loop.hpp"
#include "bench/harness/real_time.hpp"
#include "bench/report/measure_text.hpp"
#include "bench/scenarios/latencies.hpp"
#include "bench/scenarios/scenario.hpp"
#include "bench/scenarios/traffic.hpp"

#include <algorithm>
#include <utility>

namespace vicket::bench {

namespace {

constexpr std::uint32_t healthy_connectors = 70;
constexpr std::uint32_t noisy_of_a_kind = 10;
constexpr std::uint32_t first_hanging = healthy_connectors;
constexpr std::uint32_t first_failing = first_hanging + noisy_of_a_kind;
constexpr std::uint32_t first_slow = first_failing + noisy_of_a_kind;
constexpr double per_connector_per_s = 20;
constexpr std::int64_t measured_ms = 1'500;
constexpr std::int64_t warm_up_ms = 1'000; ///< in which those that hang take all places they get

constexpr std::uint16_t tag_alone = 2;
constexpr std::uint16_t tag_beside = 3;
constexpr std::uint16_t tag_hanging = 4;
constexpr std::uint16_t tag_others = 5;

/// A node with the 70 good connectors, and a sink of its own.
struct side {
  side(const bench_context& with, const std::string& name, std::uint16_t tag)
      : target{with.start_sink("sink-" + name, 1'000'000)}, node{with.start_node(name)},
        session{node->place()}, arrivals{*target}, healthy{"healthy, " + name, session,
                                                           event_source{
                                                               tag, connector_names(0, healthy_connectors)}} {
    std::vector<connector> wanted;
    for (std::uint32_t i = 0; i < healthy_connectors; ++i)
      wanted.push_back(with.connector_to(*target, "ok", i));
    session.put(wanted);
  }

  void judge(std::vector<std::string>& violations) {
    add_sentences(violations, healthy.name, healthy.events.ledger().violations());
    if (const auto complaint = arrivals.complaint(); !complaint.empty())
      violations.push_back(healthy.name + ": " + complaint);
    if (const auto left = session.pending(); left > 0)
      violations.push_back(healthy.name + ": " + std::to_string(left) + " events are still pending");
  }

  std::unique_ptr<own_sink> target;
  std::unique_ptr<node_process> node;
  node_session session;
  arrival_sorter arrivals;
  traffic healthy;
  latencies all;
  rounds_of_percentiles whole_way; ///< sent → sink
  rounds_of_percentiles delivery;  ///< accepted → sink
};

/// Two nodes in turn: on one the good connectors have noisy neighbours, on the other they are alone. Were it one node,
/// what the noise leaves behind would be in the figures of those that are to be alone.
class noisy_neighbours {
public:
  explicit noisy_neighbours(const bench_context& with)
      : with_{with}, alone_{with, "alone", tag_alone}, beside_{with, "with-noise", tag_beside},
        noisy_target_{with.start_sink("sink-noisy", 1'000'000)}, noisy_arrivals_{*noisy_target_},
        hanging_{"hanging", beside_.session,
                 event_source{tag_hanging, connector_names(first_hanging, noisy_of_a_kind)}},
        others_{"failing and slow", beside_.session,
                event_source{tag_others, connector_names(first_failing, 2 * noisy_of_a_kind)}} {}

  scenario_result run() {
    const auto pairs =
        with_.pick(12, 2); // many short ones: a hiccup of the machine's disk spoils one, not the median
    for (int i = 1; i <= pairs; ++i) {
      with_.say("pair " + std::to_string(i) + " of " + std::to_string(pairs));
      if (i % 2 == 1) { // the machine's drift favours neither
        measure_alone();
        measure_beside();
      } else {
        measure_beside();
        measure_alone();
      }
      with_.say("sent → sink p99 alone " + show_measure(alone_.whole_way.p99_us.back(), "us") +
                ", with noise " + show_measure(beside_.whole_way.p99_us.back(), "us"));
    }
    with_.say("what still hangs times out, and is delivered");
    put_noisy(noise::over);
    hanging_.finish(noisy_arrivals_, all_noisy(), violations_);
    return judged();
  }

private:
  [[nodiscard]] std::vector<expected_events*> all_noisy() { return {&hanging_.events, &others_.events}; }

  /// `pauses`: those that hung are disabled, the others well. What hangs goes on to its timeout, and what waits behind
  /// it would all go at once then.
  enum class noise : std::uint8_t { on, pauses, over };

  void put_noisy(noise now) {
    std::vector<connector> wanted;
    add_noisy(wanted, first_hanging, now == noise::over ? "ok" : "hang");
    for (auto& one : wanted)
      one.enabled = now != noise::pauses;
    add_noisy(wanted, first_failing, now == noise::on ? "status-500" : "ok");
    add_noisy(wanted, first_slow, now == noise::on ? "delay-1000" : "ok");
    beside_.session.put(wanted);
  }

  void add_noisy(std::vector<connector>& to, std::uint32_t first, const std::string& behaviour) const {
    for (std::uint32_t i = 0; i < noisy_of_a_kind; ++i) {
      auto made = with_.connector_to(*noisy_target_, behaviour, first + i);
      made.timeout_ms = with_.pick(10'000u, 4'000u);
      made.retry.base_ms = 500;
      made.retry.cap_ms = 1'000;
      to.push_back(std::move(made));
    }
  }

  /// Healthy events at their rate, `more` beside them.
  void measure(side& on, std::vector<offered_load> more, const std::function<void()>& afterwards) {
    const auto round = on.whole_way.p99_us.size();
    more.push_back({&on.healthy.feed, per_connector_per_s * healthy_connectors, 3 * round});
    const auto start_ns = now_ns();
    offer_together(more, warm_up_ms + measured_ms);
    const auto until_ns = now_ns();
    afterwards();
    on.healthy.finish(on.arrivals, {&on.healthy.events}, violations_);
    const latencies found{on.healthy, start_ns + warm_up_ms * 1'000'000, until_ns};
    on.all.add(found);
    on.whole_way.add(found.of(stage::sent_to_sink));
    on.delivery.add(found.of(stage::accepted_to_sink));
  }

  void measure_alone() {
    measure(alone_, {}, [] {});
  }

  void measure_beside() {
    put_noisy(noise::on);
    const auto round = beside_.whole_way.p99_us.size();
    measure(beside_,
            {{&hanging_.feed, per_connector_per_s * noisy_of_a_kind, 3 * round + 1},
             {&others_.feed, per_connector_per_s * noisy_of_a_kind * 2, 3 * round + 2}},
            [this] { quieten(); });
  }

  /// Until only what hangs is left: the other node has the machine to itself.
  void quieten() {
    hanging_.feed.wait_for_answers(); // one that is disabled takes no more
    add_sentences(violations_, hanging_.name, hanging_.feed.settle(hanging_.events.ledger()));
    put_noisy(noise::pauses);
    others_.finish(noisy_arrivals_, all_noisy(), violations_);
  }

  scenario_result judged() {
    scenario_result result;
    auto& figures = result.figures;
    const auto add_ratio = [&](const std::string& key, const std::string& title, const auto& with,
                               const auto& without) {
      figures.push_back(median_figure(key, title, ratios(with, without, 1), "1"));
    };
    // The whole way is judged: many a request is at the sink before its sender has seen the answer, so that the rest of
    // the way is a difference of two times of about the same size.
    add_ratio("p99_ratio", "sent → sink, p99 of the healthy, with ÷ without noisy ones",
              beside_.whole_way.p99_us, alone_.whole_way.p99_us);
    figures.back().wanted = goal{1.5, 1.15, false};
    add_ratio("p50_ratio", "sent → sink, p50, with ÷ without", beside_.whole_way.p50_us,
              alone_.whole_way.p50_us);
    add_ratio("delivery_p99_ratio", "accepted → sink, p99, with ÷ without", beside_.delivery.p99_us,
              alone_.delivery.p99_us);
    add_ratio("delivery_p50_ratio", "accepted → sink, p50, with ÷ without", beside_.delivery.p50_us,
              alone_.delivery.p50_us);
    add_latencies(result);
    alone_.judge(violations_);
    beside_.judge(violations_);
    if (const auto complaint = noisy_arrivals_.complaint(); !complaint.empty())
      violations_.push_back("noisy: " + complaint);
    for (const auto* each : {&hanging_, &others_})
      add_sentences(violations_, each->name, each->events.ledger().violations());
    result.violations = violations_;
    add_notes(result);
    return result;
  }

  void add_latencies(scenario_result& result) const {
    result.plots.push_back(latency_plot("70 healthy connectors, 1,400/s in all"));
    for (const auto part : {stage::accepted_to_sink, stage::sent_to_sink}) {
      const auto with = beside_.all.of(part);
      const auto without = alone_.all.of(part);
      const bool whole = part == stage::sent_to_sink;
      add_percentile_figures(result.figures, "with_" + key_of(part), title_of(part) + ", with noisy ones",
                             with, whole ? beside_.whole_way : beside_.delivery);
      add_percentile_figures(result.figures, "without_" + key_of(part), title_of(part) + ", without", without,
                             whole ? alone_.whole_way : alone_.delivery);
      auto& lines = result.plots.back().lines;
      lines.push_back({title_of(part) + ", with 30 noisy ones", with.curve(1e6)});
      lines.push_back({title_of(part) + ", alone", without.curve(1e6)});
    }
  }

  void add_notes(scenario_result& result) const {
    const auto requests = noisy_target_->arrived();
    result.notes.push_back(
        "10 connectors hang until their timeout of " + std::to_string(with_.pick(10, 4)) +
        " s, 10 answer 500, 10 take 1 s, each with " + std::to_string(static_cast<int>(per_connector_per_s)) +
        " events/s and retries after 0.5 to 1 s: " + std::to_string(requests) + " requests for " +
        std::to_string(hanging_.events.ledger().delivered_count() +
                       others_.events.ledger().delivered_count()) +
        " events, all of which were delivered when the endpoints had recovered.");
    result.notes.push_back(overtaking_note("with noise", beside_.all));
    result.notes.push_back(overtaking_note("without", alone_.all));
  }

  const bench_context& with_;
  side alone_;
  side beside_;
  /// A process of its own: a handshake with an endpoint that hangs is to hold up the engine's neighbours, if any, not the
  /// sink's.
  std::unique_ptr<own_sink> noisy_target_;
  arrival_sorter noisy_arrivals_;
  traffic hanging_;
  traffic others_;
  std::vector<std::string> violations_;
};

} // namespace

scenario_result run_noisy_neighbours(const bench_context& with) {
  return noisy_neighbours{with}.run();
}

} // namespace vicket::bench
