// 1 and a part of 8: how many deliveries a second, and what one costs.

#include "bench/findings/percentiles.hpp"
#include "bench/harness/delivery_rate.hpp"
#include "bench/harness/expected_events.hpp"
#include "bench/harness/feeder.hpp"
#include "bench/harness/real_time.hpp"
#include "bench/harness/wrk.hpp"
#include "bench/scenarios/scenario.hpp"
#include "bench/scenarios/traffic.hpp"
#include "policy/envelope.hpp"

#include <algorithm>
#include <iterator>

namespace vicket::bench {

namespace {

constexpr std::uint32_t connectors = 64;
/// A connection each, which is where wrk is fastest.
constexpr unsigned wrk_connections = 64;
/// What an endpoint that answers within a millisecond can use. The default of 16 is measured beside it.
constexpr std::uint32_t max_in_flight = 4;
/// Events sent and not yet delivered: 128 for each connector.
constexpr std::size_t window = 8'192;
constexpr std::int64_t warm_up_ms = 700;
constexpr std::int64_t patience_ms = 15'000;
constexpr std::int64_t bucket_ns = 100'000'000;

/// What a saturated node did for a while.
struct pace {
  double deliveries_per_s = 0;
  double cpu_us = 0; ///< of the node, per delivery
};

/// The events of one source, and a feeder of them.
struct stream {
  stream(node_session& session, event_source source)
      : events{std::move(source)}, feed{session, events.source()} {}

  expected_events events;
  feeder feed;
};

class throughput {
public:
  explicit throughput(const bench_context& with)
      : with_{with}, sink_{with.start_default_sink()}, node_{with.start_node("throughput")},
        session_{node_->place()}, ordered_{session_, event_source{1, connector_names(0, connectors)}},
        random_{session_, event_source{2, connector_names(0, connectors), id_kind::random}},
        bound_{with.where(), body_of(ordered_.events.source())} {}

  scenario_result run() {
    configure(max_in_flight);
    const auto rounds = with_.pick(5, 2);
    for (int i = 1; i <= rounds; ++i) {
      with_.say("round " + std::to_string(i) + " of " + std::to_string(rounds));
      one_round();
    }
    if (!with_.options().quick)
      measure_variants();
    return judged();
  }

private:
  static std::string body_of(const event_source& source) {
    return std::get<std::string>(compose_envelope(source.event(1), source.id(1), event_source::body_bytes));
  }

  void configure(std::uint32_t in_flight) {
    std::vector<connector> wanted;
    for (std::uint32_t i = 0; i < connectors; ++i) {
      wanted.push_back(with_.connector_to(*sink_, "ok", i));
      wanted.back().max_in_flight = in_flight;
    }
    session_.put(wanted);
  }

  void one_round() {
    const auto before = run_wrk();
    const auto found = measure(ordered_);
    const auto after = run_wrk();
    wrk_per_s_.push_back((before + after) / 2);
    per_s_.push_back(found.deliveries_per_s);
    ratios_.push_back(found.deliveries_per_s / wrk_per_s_.back());
    cpu_us_.push_back(found.cpu_us);
  }

  /// Once each, for comparison.
  void measure_variants() {
    with_.say("with random ids");
    with_random_ids_ = measure(random_);
    configure(connector{}.max_in_flight);
    with_.say("with the default's in-flight cap");
    with_default_cap_ = measure(ordered_);
  }

  double run_wrk() {
    const auto found = bound_.run(sink_->url("ok", 0), wrk_connections, with_.pick(2u, 1u));
    sleep_ms(100);                               // nginx writes what it has gathered
    sink_->read_arrivals([](const arrival&) {}); // none of ours
    return found.requests_per_s;
  }

  pace measure(stream& of) {
    const auto others = sink_->arrived() - of.feed.sent();
    of.feed.saturate(*sink_, others, window, warm_up_ms);
    const auto from_ns = now_ns();
    const auto cpu_before_ns = node_cpu_ns();
    of.feed.saturate(*sink_, others, window, with_.pick(4'000, 2'000));
    const auto until_ns = now_ns();
    const auto cpu_ns = node_cpu_ns() - cpu_before_ns;
    of.feed.wait_for_answers();
    if (!wait_for_arrivals(*sink_, others + of.feed.sent(), patience_ms))
      with_.say("not everything came"); // the ledger says what
    sleep_ms(200);                      // what comes twice comes now
    const auto delivered = read_arrivals(of, from_ns, until_ns);
    std::ranges::move(of.feed.settle(of.events.ledger()), std::back_inserter(violations_));
    return {delivered / seconds(until_ns - from_ns),
            static_cast<double>(cpu_ns) / 1e3 / std::max(delivered, 1.0)};
  }

  /// How many were delivered within that time.
  double read_arrivals(stream& of, std::int64_t from_ns, std::int64_t until_ns) {
    std::vector<std::int64_t> times_ns;
    sink_->read_arrivals([&](const arrival& one) {
      if (of.events.take(one) && one.status == 200)
        times_ns.push_back(static_cast<std::int64_t>(one.arrived_ns));
    });
    if (over_time_.empty())
      over_time_ = rate_over_time(times_ns, from_ns, from_ns, until_ns, bucket_ns);
    return static_cast<double>(std::count_if(times_ns.begin(), times_ns.end(), [&](std::int64_t time_ns) {
      return time_ns >= from_ns && time_ns < until_ns;
    }));
  }

  [[nodiscard]] std::int64_t node_cpu_ns() const { return node_->ours() ? cpu_time_ns(node_->id()) : 0; }

  scenario_result judged() {
    scenario_result result;
    result.figures.push_back(median_figure("ratio", "deliveries/s ÷ wrk's requests/s", ratios_, "1"));
    result.figures.back().wanted = goal{0.35, 0.5, true};
    result.figures.push_back(
        median_figure("deliveries_per_s", "deliveries/s, durable, signed, HTTPS", per_s_, "/s"));
    result.figures.push_back(
        median_figure("wrk_per_s", "wrk, the same bytes to the same sink", wrk_per_s_, "/s"));
    if (node_->ours()) {
      result.figures.push_back(median_figure(
          "cpu_us", "CPU of the node per delivery, user and system, all threads", cpu_us_, "us"));
      result.figures.back().wanted = goal{40, 25, false};
    }
    add_variants(result);
    add_plots(result);
    judge(result);
    return result;
  }

  void add_variants(scenario_result& result) const {
    if (with_.options().quick)
      return;
    result.figures.push_back(plain_figure("random_ids_per_s",
                                          "deliveries/s when the sender's ids are in no order (UUIDv4)",
                                          with_random_ids_.deliveries_per_s, "/s"));
    result.figures.push_back(plain_figure("default_cap_per_s",
                                          "deliveries/s with 16 in flight per connector (the default)",
                                          with_default_cap_.deliveries_per_s, "/s"));
    if (node_->ours())
      result.figures.push_back(plain_figure("default_cap_cpu_us",
                                            "CPU of the node per delivery, with 16 in flight",
                                            with_default_cap_.cpu_us, "us"));
  }

  void add_plots(scenario_result& result) const {
    plot over_time{
        "Deliveries over time, first round", {"seconds"}, {"deliveries/s"}, {{"deliveries", over_time_}}};
    plot by_round{"Rounds", {"round"}, {"per second"}, {{"wrk", {}}, {"deliveries", {}}}};
    for (std::size_t i = 0; i < per_s_.size(); ++i) {
      by_round.lines[0].points.emplace_back(static_cast<double>(i + 1), wrk_per_s_[i]);
      by_round.lines[1].points.emplace_back(static_cast<double>(i + 1), per_s_[i]);
    }
    result.plots = {std::move(over_time), std::move(by_round)};
  }

  void judge(scenario_result& result) {
    std::uint64_t delivered = 0;
    std::uint64_t checked = 0;
    for (const auto* one : {&ordered_, &random_}) {
      std::ranges::move(one->events.ledger().violations(), std::back_inserter(violations_));
      delivered += one->events.ledger().delivered_count();
      checked += one->events.ledger().checked_count();
    }
    if (const auto left = session_.pending(); left > 0)
      violations_.push_back(std::to_string(left) + " events are still pending on the node");
    if (delivered == 0)
      violations_.emplace_back("nothing was delivered");
    if (checked == 0)
      violations_.emplace_back("no signature was checked");
    result.violations = violations_;
    result.notes.push_back(std::to_string(delivered) + " events delivered, the signatures of " +
                           std::to_string(checked) + " checked; " + std::to_string(max_in_flight) +
                           " in flight per connector, wrk over " + std::to_string(wrk_connections) +
                           " connections.");
  }

  const bench_context& with_;
  std::unique_ptr<sink> sink_;
  std::unique_ptr<node_process> node_;
  node_session session_;
  stream ordered_;
  stream random_;
  wrk bound_;
  std::vector<double> ratios_; ///< by round, as the next three
  std::vector<double> per_s_;
  std::vector<double> wrk_per_s_;
  std::vector<double> cpu_us_;
  pace with_random_ids_;
  pace with_default_cap_;
  std::vector<std::pair<double, double>> over_time_;
  std::vector<std::string> violations_;
};

} // namespace

scenario_result run_throughput(const bench_context& with) {
  return throughput{with}.run();
}

} // namespace vicket::bench
