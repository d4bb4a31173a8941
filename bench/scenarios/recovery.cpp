// 7: a receiver that was down comes back to what waits for it; what its neighbours notice, and whether its rate is
// kept.

#include "bench/harness/delivery_rate.hpp"
#include "bench/harness/open_loop.hpp"
#include "bench/harness/percentiles.hpp"
#include "bench/harness/process_usage.hpp"
#include "bench/harness/real_time.hpp"
#include "bench/scenarios/latencies.hpp"
#include "bench/scenarios/scenario.hpp"
#include "bench/scenarios/traffic.hpp"

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
constexpr std::int64_t longest_run_ms = 120'000;
constexpr std::int64_t drain_patience_ms = 20'000; ///< without a single delivery

struct span_of_time {
  std::int64_t from_ns = 0;
  std::int64_t until_ns = 0;
  [[nodiscard]] double length_s() const { return seconds(until_ns - from_ns); }
};

/// Runs beside everything else, as a workflow engine of its own.
class neighbours {
public:
  explicit neighbours(const host_port& node)
      : session_{node}, load_{"neighbours", session_,
                              event_source{tag_neighbours, connector_names(0, neighbour_connectors)}} {}

  void start() {
    sender_ = std::jthread{[this](const std::stop_token& stop) {
      offer_together({{&load_.feed, neighbours_per_s}}, longest_run_ms, stop);
    }};
  }
  /// After that `load` is the caller's.
  void stop() {
    sender_.request_stop();
    sender_.join();
  }

  [[nodiscard]] traffic& load() { return load_; }

private:
  node_session session_;
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

class recovery {
public:
  explicit recovery(const bench_context& with)
      : with_{with}, sink_{with.start_sink("sink", 4'000'000)}, node_{with.start_node("recovery")},
        session_{node_->place()}, arrivals_{*sink_},
        waiting_{"waiting", session_,
                 event_source{tag_waiting, connector_names(first_waiting, waiting_connectors)}},
        limited_{"limited", session_, event_source{tag_limited, {connector_name(limited_connector)}}},
        beside_{node_->place()} {
    std::vector<connector> wanted;
    for (std::uint32_t i = 0; i < neighbour_connectors; ++i)
      wanted.push_back(with.connector_to(*sink_, "ok", i));
    for (std::uint32_t i = 0; i < waiting_connectors; ++i)
      wanted.push_back(to_gate(first_waiting + i));
    wanted.push_back(to_gate(limited_connector));
    wanted.back().rate = wanted_rate;
    session_.put(wanted);
  }

  scenario_result run() {
    beside_.start();
    sleep_ms(warm_up_ms);
    with_.say("neighbours alone");
    alone_ = stay(with_.pick(3'000, 1'000));
    go_down();
    come_back();
    beside_.stop();
    finish();
    return judged();
  }

private:
  [[nodiscard]] std::uint32_t waiting_events() const { return with_.pick(100'000u, 20'000u); }
  [[nodiscard]] std::uint32_t limited_events() const { return with_.pick(10'000u, 2'000u); }
  [[nodiscard]] std::vector<expected_events*> all() {
    return {&waiting_.events, &limited_.events, &beside_.load().events};
  }

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

  void go_down() {
    with_.say(std::to_string(waiting_events() + limited_events()) + " events for endpoints that answer 503");
    limited_.feed.flood(limited_events());
    waiting_.feed.flood(waiting_events());
    promise(limited_);
    promise(waiting_);
    const auto requests_before = sink_->arrived();
    const auto cpu_before = node_cpu_ns();
    down_ = stay(with_.pick(3'000, 1'000));
    attempts_per_s_ =
        static_cast<double>(sink_->arrived() - requests_before) / down_.length_s() - neighbours_per_s;
    cpu_down_percent_ = 100 * seconds(node_cpu_ns() - cpu_before) / down_.length_s();
    if (const auto early = waiting_.events.ledger().delivered_count(); early > 0)
      violations_.push_back(std::to_string(early) + " events were delivered while the endpoint was down");
  }

  void come_back() {
    with_.say("the endpoints are back");
    drain_.from_ns = now_ns();
    sink_->open_gate(true);
    for (auto* load : {&waiting_, &limited_})
      if (!arrivals_.wait_for(load->events, load->events.ledger().promised_count(), drain_patience_ms, all()))
        violations_.push_back(load->name + ": " + std::to_string(load->events.ledger().delivered_count()) +
                              " of " + std::to_string(load->events.ledger().promised_count()) +
                              " events were delivered, and then none for " +
                              std::to_string(drain_patience_ms / 1'000) + " s");
    drain_.until_ns = std::max(waiting_.events.last_delivery_ns(0), drain_.from_ns + 1);
    with_.say("drained within " + std::to_string(static_cast<int>(drain_.length_s() * 1e3)) + " ms");
    stay(with_.pick(1'000, 300)); // for the plot: how it is afterwards
  }

  void finish() {
    for (auto* load : {&waiting_, &limited_, &beside_.load()})
      load->finish(arrivals_, all(), violations_);
  }

  [[nodiscard]] std::int64_t node_cpu_ns() const { return node_->ours() ? cpu_time_ns(node_->id()) : 0; }

  void add_drain(std::vector<figure>& figures) const {
    const auto delivered = static_cast<double>(waiting_.events.ledger().delivered_count());
    figures.push_back(plain_figure("drain_s", "from the endpoint's return until all are delivered",
                                   drain_.length_s(), "s"));
    figures.push_back(
        plain_figure("drain_per_s", "deliveries/s meanwhile", delivered / drain_.length_s(), "/s"));
    figures.push_back(plain_figure("attempts_down_per_s", "requests/s to the endpoints while they are down",
                                   attempts_per_s_, "/s"));
    if (node_->ours())
      figures.push_back(
          plain_figure("cpu_down", "CPU of the node meanwhile, of one core", cpu_down_percent_, "%"));
  }

  void add_neighbours(scenario_result& result, const traffic& load) const {
    const latencies alone{load, alone_.from_ns, alone_.until_ns};
    const latencies down{load, down_.from_ns, down_.until_ns};
    const latencies during{load, drain_.from_ns, drain_.until_ns};
    const auto p99_ratio = [&](stage part) {
      return static_cast<double>(during.of(part).at(99)) /
             static_cast<double>(std::max<std::int64_t>(alone.of(part).at(99), 1));
    };
    auto& figures = result.figures;
    figures.push_back(plain_figure("neighbours_p99_ratio",
                                   "neighbours, accepted → sink, p99 during the drain ÷ before all of it",
                                   p99_ratio(stage::accepted_to_sink), "1"));
    figures.push_back(plain_figure("neighbours_whole_p99_ratio", "the same of sent → sink",
                                   p99_ratio(stage::sent_to_sink), "1"));
    for (const auto part : {stage::accepted_to_sink, stage::sent_to_sink}) {
      const auto key = "neighbours_" + key_of(part);
      const auto title = "neighbours, " + title_of(part);
      add_percentile_figures(figures, key + "_before", title + ", before all of it", alone.of(part), {});
      add_percentile_figures(figures, key + "_down", title + ", while the others are down", down.of(part),
                             {});
      add_percentile_figures(figures, key + "_during", title + ", during the drain", during.of(part), {});
      result.plots.push_back(latency_plot("Neighbours at 500/s, " + title_of(part)));
      result.plots.back().lines = {{"before all of it", alone.of(part).curve(1e6)},
                                   {"while the others are down", down.of(part).curve(1e6)},
                                   {"during the drain", during.of(part).curve(1e6)}};
    }
    result.notes.push_back(overtaking_note("before all of it", alone));
    result.notes.push_back(overtaking_note("during the drain", during));
  }

  void add_rate(scenario_result& result) {
    const auto times = delivery_times(limited_);
    const auto most = static_cast<double>(most_within(times, second_ns));
    const auto took_s =
        seconds(std::max(limited_.events.last_delivery_ns(0) - drain_.from_ns, std::int64_t{1}));
    const auto kept = most / wanted_rate.limit;
    result.figures.push_back(
        plain_figure("rate_kept", "a rate of 1,000/s: the most deliveries in any second ÷ 1,000", kept, "1"));
    result.figures.push_back(plain_figure("rate_reached", "of that rate, on average over the drain",
                                          static_cast<double>(times.size()) / took_s / wanted_rate.limit,
                                          "1"));
    if (kept > kept_up_to)
      violations_.push_back("a connector with a rate of 1,000/s and a burst of 50 got " +
                            std::to_string(static_cast<int>(most)) + " deliveries within a second");
  }

  [[nodiscard]] plot rates(const traffic& load) const {
    const auto from_ns = drain_.from_ns - second_ns;
    const auto until_ns =
        std::max(drain_.until_ns, limited_.events.last_delivery_ns(0)) + with_.pick(second_ns, second_ns / 4);
    const auto line = [&](const std::string& title, const traffic& of) {
      return plot_line{title,
                       rate_over_time(delivery_times(of), drain_.from_ns, from_ns, until_ns, bucket_ns)};
    };
    return {"Deliveries over time",
            {"seconds since the endpoints are back"},
            {"deliveries/s"},
            {line(std::to_string(waiting_events()) + " waiting", waiting_),
             line(std::to_string(limited_events()) + " waiting, rate 1,000/s", limited_),
             line("neighbours", load)}};
  }

  scenario_result judged() {
    scenario_result result;
    auto& load = beside_.load();
    add_drain(result.figures);
    add_neighbours(result, load);
    add_rate(result);
    result.plots.insert(result.plots.begin(), rates(load));
    result.notes.push_back("The " + std::to_string(waiting_events()) + " wait for " +
                           std::to_string(waiting_connectors) +
                           " connectors, 16 in flight each, retries after 0.5 to 2 s.");
    for (const auto* each : {&waiting_, &limited_, &load})
      add_sentences(violations_, each->name, each->events.ledger().violations());
    if (const auto complaint = arrivals_.complaint(); !complaint.empty())
      violations_.push_back(complaint);
    if (const auto left = session_.pending(); left > 0)
      violations_.push_back(std::to_string(left) + " events are still pending on the node");
    result.violations = violations_;
    return result;
  }

  const bench_context& with_;
  std::unique_ptr<own_sink> sink_;
  std::unique_ptr<node_process> node_;
  node_session session_;
  arrival_sorter arrivals_;
  traffic waiting_;
  traffic limited_;
  neighbours beside_;
  span_of_time alone_;
  span_of_time down_;
  span_of_time drain_; ///< of those that wait, without the limited one
  double attempts_per_s_ = 0;
  double cpu_down_percent_ = 0;
  std::vector<std::string> violations_;
};

} // namespace

scenario_result run_recovery(const bench_context& with) {
  return recovery{with}.run();
}

} // namespace vicket::bench
