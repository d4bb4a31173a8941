// 4: what a request costs that waits for its answer, and what others notice of thousands of them.

#include "bench/findings/percentiles.hpp"
#include "bench/harness/open_loop.hpp"
#include "bench/harness/process_usage.hpp"
#include "bench/harness/real_time.hpp"
#include "bench/scenarios/scenario.hpp"
#include "bench/scenarios/traffic.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace vicket::bench {

namespace {

constexpr std::uint32_t healthy_connectors = 16;
constexpr double healthy_per_s = 500;
constexpr std::uint32_t in_flight_each = 50;
constexpr std::uint32_t warm_up_requests = 500;
constexpr double warm_up_per_s = 1'000;
constexpr std::int64_t calm_ms = 300;

/// Two waves hang, one after the other: nothing else happens beside the first, healthy traffic beside the second.
/// What one could do in its ten seconds would be too little for both.
class waiting {
public:
  explicit waiting(const bench_context& with)
      : with_{with}, sink_{with.start_sink("sink", 1'000'000)}, healthy_sink_{with.start_sink("healthy",
                                                                                              1'000'000)},
        node_{with.start_node("waiting")}, session_{node_->place()}, arrivals_{*sink_},
        healthy_arrivals_{*healthy_sink_}, healthy_{"healthy", session_,
                                                    event_source{1, connector_names(0, healthy_connectors)}},
        silent_{"hanging, first wave", session_, event_source{2, connector_names(first_silent, hanging())}},
        beside_{"hanging, second wave", session_, event_source{3, connector_names(first_beside, hanging())}} {
    std::vector<connector> wanted;
    for (std::uint32_t i = 0; i < healthy_connectors; ++i)
      wanted.push_back(with.connector_to(*healthy_sink_, "ok", i));
    session_.put(wanted);
  }

  scenario_result run() {
    warm_up();
    first_wave();
    second_wave();
    return judged();
  }

private:
  static constexpr std::uint32_t first_silent = 1'000;
  static constexpr std::uint32_t first_beside = 2'000;

  [[nodiscard]] std::uint32_t hanging() const { return with_.pick(100u, 20u); } ///< connectors of a wave
  /// In which the second wave is sent.
  [[nodiscard]] std::int64_t dialling_ms() const { return with_.pick(1'000, 300); }
  [[nodiscard]] std::uint32_t requests() const { return hanging() * in_flight_each; }
  [[nodiscard]] std::vector<expected_events*> both_waves() { return {&silent_.events, &beside_.events}; }

  /// A wave's connectors; those that answer try again soon what did not succeed before.
  void put_wave(std::uint32_t first, const std::string& behaviour) {
    std::vector<connector> wanted;
    for (std::uint32_t i = 0; i < hanging(); ++i) {
      auto made = with_.connector_to(*sink_, behaviour, first + i);
      made.max_in_flight = in_flight_each;
      made.timeout_ms = with_.pick(10'000u, 2'500u);
      made.retry.base_ms = 500;
      made.retry.cap_ms = 1'000;
      wanted.push_back(std::move(made));
    }
    session_.put(wanted);
  }

  void warm_up() {
    with_.say("healthy traffic alone");
    put_wave(first_silent, "ok");
    put_wave(first_beside, "ok");
    // One after the other, so that no connections are idle when the memory is looked at.
    silent_.feed.offer(warm_up_per_s, warm_up_requests / 2);
    beside_.feed.offer(warm_up_per_s, warm_up_requests / 2);
    silent_.finish(arrivals_, both_waves(), violations_);
    beside_.finish(arrivals_, both_waves(), violations_);
    alone_ = percentiles{offer_healthy(with_.pick(5.0, 1.0))};
    idle_us_per_s_ = node_cpu_us_per_s(with_.pick(2'000, 500));
  }

  std::vector<std::int64_t> offer_healthy(double duration_s) {
    const auto first = healthy_.feed.sent();
    healthy_.feed.offer(healthy_per_s, static_cast<std::uint32_t>(healthy_per_s * duration_s));
    return healthy_spans(first);
  }

  std::vector<std::int64_t> healthy_spans(std::uint32_t first) {
    healthy_.finish(healthy_arrivals_, {&healthy_.events}, violations_);
    return healthy_.accepted_to_sink_ns(first);
  }

  [[nodiscard]] double node_cpu_us_per_s(std::int64_t duration_ms) const {
    const auto from_ns = now_ns();
    const auto before_ns = cpu_time_ns(node_->id());
    sleep_ms(duration_ms);
    const auto used_ns = cpu_time_ns(node_->id()) - before_ns;
    return static_cast<double>(used_ns) / 1e3 / seconds(now_ns() - from_ns);
  }

  /// Waits until all of a wave that was sent hangs; the time since then.
  double all_hang(traffic& wave, std::int64_t from_ns) {
    wave.feed.wait_for_answers();
    const auto patience_ns = std::int64_t{with_.pick(8, 2)} * 1'000'000'000;
    for (; sink_->hanging() < requests(); sleep_ms(1))
      if (now_ns() - from_ns > patience_ns)
        throw std::runtime_error("of " + std::to_string(requests()) + " requests only " +
                                 std::to_string(sink_->hanging()) + " hang after " +
                                 std::to_string(patience_ns / 1'000'000'000) + " s");
    return seconds(now_ns() - from_ns);
  }

  /// What was measured meanwhile was measured with all of them.
  void expect_all_hang() {
    if (const auto still = sink_->hanging(); still < requests())
      violations_.push_back("at the end of the measurement only " + std::to_string(still) + " of " +
                            std::to_string(requests()) + " requests still hung: the machine is too slow");
  }

  /// They time out, and are delivered to the same endpoint, which answers from now on.
  void let_go(traffic& wave, std::uint32_t first_connector) {
    put_wave(first_connector, "ok");
    wave.finish(arrivals_, both_waves(), violations_);
  }

  void first_wave() {
    with_.say(std::to_string(requests()) + " requests hang");
    const auto before = memory_of(node_->id()).resident_bytes;
    put_wave(first_silent, "hang");
    const auto from_ns = now_ns();
    silent_.feed.flood(requests());
    all_hang_after_s_ = all_hang(silent_, from_ns);
    sleep_ms(calm_ms);
    const auto with_them = memory_of(node_->id()).resident_bytes;
    memory_before_ = static_cast<double>(before);
    memory_each_ = (static_cast<double>(with_them) - memory_before_) / requests();
    cpu_each_us_per_s_ = node_cpu_us_per_s(with_.pick(3'000, 1'000)) / requests();
    expect_all_hang();
    with_.say("they time out, and are delivered");
    let_go(silent_, first_silent);
  }

  void second_wave() {
    with_.say("healthy traffic beside " + std::to_string(requests()) + " that hang");
    put_wave(first_beside, "hang");
    const auto first = healthy_.feed.sent();
    const auto warmed_up = beside_.feed.sent();
    const auto from_ns = now_ns();
    offer_together({{&healthy_.feed, healthy_per_s, 1},
                    {&beside_.feed, requests() * 1e3 / static_cast<double>(dialling_ms()), 2}},
                   dialling_ms());
    if (const auto sent = beside_.feed.sent() - warmed_up; sent < requests()) // as chance has it
      beside_.feed.flood(requests() - sent);
    all_hang(beside_, from_ns);
    while_dialling_ = percentiles{healthy_spans(first)};
    sleep_ms(calm_ms);
    beside_them_ = percentiles{offer_healthy(with_.pick(4.0, 0.6))};
    expect_all_hang();
    with_.say("they time out, and are delivered");
    let_go(beside_, first_beside);
  }

  void add_latencies(scenario_result& result) const {
    const auto us = [](std::int64_t ns) { return static_cast<double>(ns) / 1e3; };
    const std::string path = "healthy, accepted → sink, ";
    auto add = [&](const std::string& key, const std::string& title, double value) {
      result.figures.push_back(plain_figure(key, path + title, value, "us"));
    };
    add("alone_p50", "alone: p50", us(alone_.at(50)));
    add("alone_p99", "alone: p99", us(alone_.at(99)));
    add("dialling_p50", "while those that will hang are dialled: p50", us(while_dialling_.at(50)));
    add("dialling_p99", "while those that will hang are dialled: p99", us(while_dialling_.at(99)));
    add("beside_p50", "beside those that hang: p50", us(beside_them_.at(50)));
    add("beside_p99", "beside those that hang: p99", us(beside_them_.at(99)));
    result.figures.push_back(plain_figure("beside_p99_ratio", path + "p99, beside those that hang ÷ alone",
                                          us(beside_them_.at(99)) / std::max(us(alone_.at(99)), 1.0), "1"));
    plot made;
    made.title = "Healthy traffic at 500/s, accepted → sink";
    made.x = {"percentile", axis_scale::nines};
    made.y = {"latency, ms", axis_scale::logarithmic};
    made.lines = {{"alone", alone_.curve(1e6)},
                  {"while " + std::to_string(requests()) + " are dialled", while_dialling_.curve(1e6)},
                  {"beside " + std::to_string(requests()) + " that hang", beside_them_.curve(1e6)}};
    result.plots.push_back(std::move(made));
  }

  scenario_result judged() {
    scenario_result result;
    auto& figures = result.figures;
    const auto count = std::to_string(requests());
    figures.push_back(plain_figure("memory_per_waiting", "memory per waiting HTTPS request, of " + count,
                                   memory_each_, "bytes"));
    figures.back().wanted = goal{100e3, 60e3, false};
    figures.push_back(plain_figure("memory_before", "resident memory before", memory_before_, "bytes"));
    figures.push_back(plain_figure("cpu_per_waiting_per_s", "CPU per waiting request and second",
                                   cpu_each_us_per_s_, "us"));
    figures.push_back(
        plain_figure("cpu_idle_per_s", "CPU of the idle node per second", idle_us_per_s_, "us"));
    figures.push_back(
        plain_figure("all_hang_after_s", "from the first send until all hang", all_hang_after_s_, "s"));
    add_latencies(result);
    result.violations = violations_;
    for (auto* each : {&healthy_, &silent_, &beside_})
      add_sentences(result.violations, each->name, each->events.ledger().violations());
    for (const auto* each : {&arrivals_, &healthy_arrivals_})
      if (const auto complaint = each->complaint(); !complaint.empty())
        result.violations.push_back(complaint);
    if (const auto left = session_.pending(); left > 0)
      result.violations.push_back(std::to_string(left) + " events are still pending on the node");
    result.notes.push_back(
        "Each of the " + count +
        " is a request on a TLS connection of its own; twice so many hung in all, timed out, "
        "and were delivered at the next attempt.");
    return result;
  }

  const bench_context& with_;
  std::unique_ptr<own_sink> sink_;
  std::unique_ptr<own_sink> healthy_sink_; ///< its own, so that handshakes of the other keep nobody waiting
  std::unique_ptr<node_process> node_;
  node_session session_;
  arrival_sorter arrivals_;
  arrival_sorter healthy_arrivals_;
  traffic healthy_;
  traffic silent_;
  traffic beside_;
  percentiles alone_{{}};
  percentiles while_dialling_{{}};
  percentiles beside_them_{{}};
  double idle_us_per_s_ = 0;
  double memory_before_ = 0;
  double memory_each_ = 0;
  double cpu_each_us_per_s_ = 0;
  double all_hang_after_s_ = 0;
  std::vector<std::string> violations_;
};

} // namespace

scenario_result run_waiting(const bench_context& with) {
  return waiting{with}.run();
}

} // namespace vicket::bench
