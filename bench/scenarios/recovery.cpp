// 7: a receiver that was down comes back to what waits for it; what its neighbours notice, and whether its rate is
// kept.

#include "bench/findings/node_bounds.hpp"
#include "bench/findings/percentiles.hpp"
#include "bench/harness/delivery_rate.hpp"
#include "bench/harness/open_loop.hpp"
#include "bench/harness/process_usage.hpp"
#include "bench/harness/real_time.hpp"
#include "bench/scenarios/latencies.hpp"
#include "bench/scenarios/scenario.hpp"
#include "bench/scenarios/traffic.hpp"

#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>

namespace vicket::bench {

namespace {

constexpr std::uint32_t neighbour_connectors = 16;
constexpr double neighbours_per_s = 500;
constexpr std::uint32_t waiting_connectors = 4;
constexpr std::uint32_t first_waiting = 1'000;
constexpr std::uint32_t limited_connector = 2'000;

constexpr rate_limit wanted_rate{1'000, 1'000, 50};
constexpr std::uint32_t in_flight_each = 16;
/// In a second at most the limit and the burst are sent; what comes late comes out of the places in flight: 1.066.
constexpr double kept_up_to = 1.1;

constexpr std::uint16_t tag_neighbours = 2;
constexpr std::uint16_t tag_waiting = 3;
constexpr std::uint16_t tag_limited = 4;

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t bucket_ns = 100'000'000;
constexpr std::int64_t warm_up_ms = 500;
/// 3,000 events, so that their p99 is of 30: of half as many it was 2.1 to 9.4 ms from round to round.
constexpr std::int64_t alone_ms = 6'000;
constexpr std::int64_t longest_run_ms = 300'000;
constexpr std::int64_t drain_patience_ms = 20'000; ///< without a single delivery

struct span_of_time {
  std::int64_t from_ns = 0;
  std::int64_t until_ns = 0;
  [[nodiscard]] double length_s() const { return seconds(until_ns - from_ns); }
};

/// Runs beside everything else, as a workflow engine of its own.
class neighbours {
public:
  neighbours(const host_port& node, own_sink& target)
      : session_{node}, arrivals_{target}, load_{"neighbours", session_,
                                                 event_source{tag_neighbours,
                                                              connector_names(0, neighbour_connectors)}} {}

  void start() {
    sender_ = std::jthread{[this](const std::stop_token& stop) {
      offer_together({{&load_.feed, neighbours_per_s}}, longest_run_ms, stop);
    }};
  }
  /// After that `load` is the caller's; what is amiss goes to `violations`.
  void stop(std::vector<std::string>& violations) {
    sender_.request_stop();
    sender_.join();
    load_.finish(arrivals_, {&load_.events}, violations);
  }

  [[nodiscard]] const traffic& load() const { return load_; }
  [[nodiscard]] std::string complaint() const { return arrivals_.complaint(); }

private:
  node_session session_;
  arrival_sorter arrivals_;
  traffic load_;
  std::jthread sender_; ///< last: it ends before what it uses
};

std::vector<std::int64_t> delivery_times(const traffic& of) {
  std::vector<std::int64_t> times;
  for (std::uint32_t i = 0; i < of.feed.sent(); ++i)
    if (const auto at_ns = of.events.delivered_ns(i); at_ns != 0)
      times.push_back(at_ns);
  return times;
}

/// One way down and back. The events of the two that wait are [first_…, those of the next round).
struct round_of_recovery {
  span_of_time alone;
  span_of_time down;
  span_of_time drain; ///< of those that wait, without the limited one
  std::uint32_t first_waiting_event = 0;
  std::uint32_t first_limited_event = 0;
};

class recovery {
public:
  explicit recovery(const bench_context& with)
      : with_{with}, sink_{with.start_sink("sink", 4'000'000)}, neighbours_sink_{with.start_sink(
                                                                    "sink-neighbours", 1'000'000)},
        node_{with.start_node("recovery")}, session_{node_->place()}, arrivals_{*sink_},
        waiting_{"waiting", session_,
                 event_source{tag_waiting, connector_names(first_waiting, waiting_connectors)}},
        limited_{"limited", session_, event_source{tag_limited, {connector_name(limited_connector)}}},
        beside_{node_->place(), *neighbours_sink_} {
    std::vector<connector> wanted;
    for (std::uint32_t i = 0; i < neighbour_connectors; ++i)
      wanted.push_back(with.connector_to(*neighbours_sink_, "ok", i));
    for (std::uint32_t i = 0; i < waiting_connectors; ++i)
      wanted.push_back(to_gate(first_waiting + i));
    wanted.push_back(to_gate(limited_connector));
    wanted.back().rate = wanted_rate;
    session_.put(wanted);
  }

  scenario_result run() {
    beside_.start();
    sleep_ms(warm_up_ms);
    const auto rounds = with_.pick(3, 1);
    for (int i = 1; i <= rounds; ++i) {
      rounds_.emplace_back();
      with_.say("round " + std::to_string(i) + " of " + std::to_string(rounds) + ": neighbours alone");
      const auto others_before_ns = others_cpu_ns();
      rounds_.back().alone = stay(with_.pick(alone_ms, alone_ms / 6));
      others_percent_.push_back(100 * seconds(others_cpu_ns() - others_before_ns) /
                                rounds_.back().alone.length_s());
      go_down(rounds_.back());
      come_back(rounds_.back());
    }
    beside_.stop(violations_);
    for (auto* load : {&waiting_, &limited_})
      load->finish(arrivals_, all(), violations_);
    return judged();
  }

private:
  [[nodiscard]] std::uint32_t waiting_events() const { return with_.pick(100'000u, 20'000u); }
  [[nodiscard]] std::uint32_t limited_events() const { return with_.pick(4'000u, 2'000u); }
  [[nodiscard]] std::vector<expected_events*> all() { return {&waiting_.events, &limited_.events}; }

  [[nodiscard]] connector to_gate(std::uint32_t number) const {
    auto made = with_.connector_to(*sink_, "gate", number);
    made.max_in_flight = in_flight_each;
    made.retry.base_ms = 1'000;
    made.retry.cap_ms = 2'000;
    return made;
  }

  static span_of_time stay(std::int64_t duration_ms) {
    const auto from_ns = now_ns();
    sleep_ms(duration_ms);
    return {from_ns, now_ns()};
  }

  void promise(traffic& load) {
    load.feed.wait_for_answers();
    add_sentences(violations_, load.name, load.feed.settle(load.events.ledger()));
  }

  void go_down(round_of_recovery& in) {
    with_.say(std::to_string(waiting_events() + limited_events()) + " events for endpoints that answer 503");
    sink_->open_gate(false);
    in.first_waiting_event = waiting_.feed.sent();
    in.first_limited_event = limited_.feed.sent();
    const auto delivered_before = waiting_.events.ledger().delivered_count();
    limited_.feed.flood(limited_events());
    waiting_.feed.flood(waiting_events());
    promise(limited_);
    promise(waiting_);
    const auto requests_before = sink_->arrived();
    const auto cpu_before = node_cpu_ns();
    in.down = stay(with_.pick(3'000, 1'000));
    attempts_per_s_.push_back(static_cast<double>(sink_->arrived() - requests_before) / in.down.length_s());
    cpu_down_percent_.push_back(100 * seconds(node_cpu_ns() - cpu_before) / in.down.length_s());
    arrivals_.sort(all());
    if (const auto early = waiting_.events.ledger().delivered_count() - delivered_before; early > 0)
      violations_.push_back(std::to_string(early) + " events were delivered while the endpoint was down");
  }

  void come_back(round_of_recovery& in) {
    with_.say("the endpoints are back");
    in.drain.from_ns = now_ns();
    sink_->open_gate(true);
    for (auto* load : {&waiting_, &limited_})
      if (!arrivals_.wait_for(load->events, load->events.ledger().promised_count(), drain_patience_ms, all()))
        violations_.push_back(load->name + ": " + std::to_string(load->events.ledger().delivered_count()) +
                              " of " + std::to_string(load->events.ledger().promised_count()) +
                              " events were delivered, and then none for " +
                              std::to_string(drain_patience_ms / 1'000) + " s");
    in.drain.until_ns =
        std::max(waiting_.events.last_delivery_ns(in.first_waiting_event), in.drain.from_ns + 1);
    with_.say("drained within " + std::to_string(static_cast<int>(in.drain.length_s() * 1e3)) + " ms");
    stay(with_.pick(1'000, 300)); // for the plot: how it is afterwards
  }

  /// Of what is no part of this run: the node, the sinks, and this process.
  [[nodiscard]] std::int64_t others_cpu_ns() const {
    return busy_time_ns() - node_cpu_ns() - cpu_time_ns(sink_->process()) -
           cpu_time_ns(neighbours_sink_->process()) - cpu_time_ns(::getpid());
  }

  [[nodiscard]] std::int64_t node_cpu_ns() const { return node_->ours() ? cpu_time_ns(node_->id()) : 0; }

  void add_drain(std::vector<figure>& figures) const {
    std::vector<double> took_s;
    std::vector<double> per_s;
    for (const auto& one : rounds_) {
      took_s.push_back(one.drain.length_s());
      per_s.push_back(waiting_events() / one.drain.length_s());
    }
    figures.push_back(
        median_figure("drain_s", "from the endpoint's return until all are delivered", took_s, "s"));
    figures.push_back(median_figure("drain_per_s", "deliveries/s meanwhile", per_s, "/s"));
    figures.push_back(median_figure("attempts_down_per_s", "requests/s to the endpoints while they are down",
                                    attempts_per_s_, "/s"));
    if (node_->ours())
      figures.push_back(
          median_figure("cpu_down", "CPU of the node meanwhile, of one core", cpu_down_percent_, "%"));
  }

  /// What the neighbours' events took in one of the spans of every round.
  struct phase {
    latencies all;
    rounds_of_percentiles whole_way;
    rounds_of_percentiles delivery;
  };

  [[nodiscard]] phase phase_of(span_of_time round_of_recovery::*span) const {
    phase found;
    for (const auto& one : rounds_) {
      const latencies round{beside_.load(), (one.*span).from_ns, (one.*span).until_ns};
      found.all.add(round);
      found.whole_way.add(round.of(stage::sent_to_sink));
      found.delivery.add(round.of(stage::accepted_to_sink));
    }
    return found;
  }

  void add_neighbours(scenario_result& result) const {
    const auto alone = phase_of(&round_of_recovery::alone);
    const auto down = phase_of(&round_of_recovery::down);
    const auto during = phase_of(&round_of_recovery::drain);
    auto& figures = result.figures;
    for (auto& one : figures_of(drain_findings{alone.whole_way.p99_us, during.whole_way.p99_us,
                                               alone.delivery.p99_us, during.delivery.p99_us}))
      figures.push_back(std::move(one));
    for (const auto part : {stage::accepted_to_sink, stage::sent_to_sink}) {
      const auto key = "neighbours_" + key_of(part);
      const auto title = "neighbours, " + title_of(part);
      const auto add_phase = [&](const std::string& name, const std::string& when, const phase& of) {
        add_percentile_figures(figures, key + name, title + when, of.all.of(part),
                               part == stage::sent_to_sink ? of.whole_way : of.delivery);
      };
      add_phase("_before", ", before all of it", alone);
      add_phase("_down", ", while the others are down", down);
      add_phase("_during", ", during the drain", during);
      result.plots.push_back(latency_plot("Neighbours at 500/s, " + title_of(part)));
      result.plots.back().lines = {{"before all of it", alone.all.of(part).curve(1e6)},
                                   {"while the others are down", down.all.of(part).curve(1e6)},
                                   {"during the drain", during.all.of(part).curve(1e6)}};
    }
    if (node_->ours())
      figures.push_back(median_figure("others_cpu", "CPU that others used before all of it, of one core",
                                      others_percent_, "%"));
    result.notes.push_back(overtaking_note("before all of it", alone.all));
    result.notes.push_back(overtaking_note("during the drain", during.all));
  }

  void add_rate(scenario_result& result) {
    const auto most = static_cast<double>(most_within(delivery_times(limited_), second_ns));
    const auto kept = most / wanted_rate.limit;
    std::vector<double> reached;
    for (const auto& one : rounds_) {
      const auto last_ns = last_limited_ns(one);
      const auto came = limited_.events.delivered_between(one.drain.from_ns, last_ns + 1);
      const auto took_s = seconds(std::max(last_ns - one.drain.from_ns, std::int64_t{1}));
      reached.push_back(static_cast<double>(came) / took_s / wanted_rate.limit);
    }
    result.figures.push_back(
        plain_figure("rate_kept", "a rate of 1,000/s: the most deliveries in any second ÷ 1,000", kept, "1"));
    result.figures.push_back(
        median_figure("rate_reached", "of that rate, on average over the drain", std::move(reached), "1"));
    if (kept > kept_up_to)
      violations_.push_back("a connector with a rate of 1,000/s and a burst of 50 got " +
                            std::to_string(static_cast<int>(most)) + " deliveries within a second");
  }

  /// Of the events of that round alone, not of those of the next.
  [[nodiscard]] std::int64_t last_limited_ns(const round_of_recovery& of) const {
    std::int64_t last_ns = 0;
    for (std::uint32_t i = 0; i < limited_events(); ++i)
      last_ns = std::max(last_ns, limited_.events.delivered_ns(of.first_limited_event + i));
    return last_ns;
  }

  /// Of the last round.
  [[nodiscard]] plot rates() const {
    const auto& shown = rounds_.back().drain;
    const auto from_ns = shown.from_ns - second_ns;
    const auto until_ns =
        std::max(shown.until_ns, last_limited_ns(rounds_.back())) + with_.pick(second_ns, second_ns / 4);
    const auto line = [&](const std::string& title, const traffic& of) {
      return plot_line{title,
                       rate_over_time(delivery_times(of), shown.from_ns, from_ns, until_ns, bucket_ns)};
    };
    return {"Deliveries over time",
            {"seconds since the endpoints are back"},
            {"deliveries/s"},
            {line(std::to_string(waiting_events()) + " waiting", waiting_),
             line(std::to_string(limited_events()) + " waiting, rate 1,000/s", limited_),
             line("neighbours", beside_.load())}};
  }

  scenario_result judged() {
    scenario_result result;
    add_drain(result.figures);
    add_neighbours(result);
    add_rate(result);
    result.plots.insert(result.plots.begin(), rates());
    result.notes.push_back(
        "The " + std::to_string(waiting_events()) + " wait for " + std::to_string(waiting_connectors) +
        " connectors, 16 in flight each, retries after 0.5 to 2 s; the neighbours have a sink of their own.");
    for (const auto* each : {&std::as_const(waiting_), &std::as_const(limited_), &beside_.load()})
      add_sentences(violations_, each->name, each->events.ledger().violations());
    for (const auto& complaint : {arrivals_.complaint(), beside_.complaint()})
      if (!complaint.empty())
        violations_.push_back(complaint);
    if (const auto left = session_.pending(); left > 0)
      violations_.push_back(std::to_string(left) + " events are still pending on the node");
    result.violations = violations_;
    return result;
  }

  const bench_context& with_;
  std::unique_ptr<own_sink> sink_;
  std::unique_ptr<own_sink>
      neighbours_sink_; ///< its own: what is busy with the others is to be the node alone
  std::unique_ptr<node_process> node_;
  node_session session_;
  arrival_sorter arrivals_;
  traffic waiting_;
  traffic limited_;
  neighbours beside_;
  std::vector<round_of_recovery> rounds_;
  std::vector<double> attempts_per_s_;
  std::vector<double> cpu_down_percent_;
  std::vector<double> others_percent_;
  std::vector<std::string> violations_;
};

} // namespace

scenario_result run_recovery(const bench_context& with) {
  return recovery{with}.run();
}

} // namespace vicket::bench
