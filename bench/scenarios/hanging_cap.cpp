// 9: what a healthy connector notices when requests that hang fill all places that the node has for deliveries.

#include "bench/findings/node_bounds.hpp"
#include "bench/harness/open_loop.hpp"
#include "bench/harness/real_time.hpp"
#include "bench/report/measure_text.hpp"
#include "bench/scenarios/latencies.hpp"
#include "bench/scenarios/scenario.hpp"
#include "bench/scenarios/traffic.hpp"

#include <functional>
#include <stdexcept>
#include <string>

namespace vicket::bench {

namespace {

constexpr std::uint32_t places = 64; ///< of the node: `--max-in-flight`
constexpr std::uint32_t in_flight_each = 16;
/// Twice what the places hold, so that what times out is followed by more.
constexpr std::uint32_t hanging_connectors = 2 * places / in_flight_each;
constexpr std::uint32_t crowd_connectors = 2 * places; ///< with one place each they need more than there are
constexpr std::uint32_t first_hanging = 1'000;
constexpr std::uint32_t healthy_connectors = 4;
constexpr double healthy_per_s = 200;
/// A node may keep some of its places for connectors that hold none.
constexpr std::uint32_t surely_taken = places / 2;
constexpr std::int64_t warm_up_ms = 500;

constexpr std::uint16_t tag_alone = 2;
constexpr std::uint16_t tag_beside = 3;
constexpr std::uint16_t tag_hanging = 4;
constexpr std::uint16_t tag_crowd = 5;

/// A node with few places, healthy connectors, and a sink of theirs.
struct side {
  side(const bench_context& with, const std::string& its_name, std::uint16_t tag)
      : target{with.start_sink("sink-" + its_name, 1'000'000)},
        node{with.start_node(its_name, {"--max-in-flight", std::to_string(places)})}, session{node->place()},
        arrivals{*target}, healthy{"healthy, " + its_name, session,
                                   event_source{tag, connector_names(0, healthy_connectors)}} {
    std::vector<connector> wanted;
    for (std::uint32_t i = 0; i < healthy_connectors; ++i)
      wanted.push_back(with.connector_to(*target, "ok", i));
    session.put(wanted);
  }

  /// Healthy traffic for so long, and what becomes of it when `afterwards` was done.
  percentiles measure(std::int64_t duration_ms, const std::function<void()>& afterwards,
                      std::vector<std::string>& violations) {
    const auto start_ns = now_ns();
    offer_together({{&healthy.feed, healthy_per_s, ++offers}}, warm_up_ms + duration_ms);
    const auto until_ns = now_ns();
    afterwards();
    healthy.finish(arrivals, {&healthy.events}, violations);
    return latencies{healthy, start_ns + warm_up_ms * 1'000'000, until_ns}.of(stage::sent_to_sink);
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
  std::uint64_t offers = 0;
};

/// Two nodes in turn, as in noisy_neighbours.cpp: both have as few places, one has connectors that hang.
class hanging_cap {
public:
  explicit hanging_cap(const bench_context& with)
      : with_{with}, alone_{with, "alone", tag_alone}, beside_{with, "beside", tag_beside},
        hanging_target_{with.start_sink("sink-hanging", 1'000'000)}, hanging_arrivals_{*hanging_target_},
        hanging_{"hanging", beside_.session,
                 event_source{tag_hanging, connector_names(first_hanging, hanging_connectors)}},
        crowd_{"crowd", beside_.session,
               event_source{tag_crowd, connector_names(first_hanging, crowd_connectors)}} {
    found_.places = places;
    found_.hanging = hanging_connectors;
    found_.crowd = crowd_connectors;
  }

  scenario_result run() {
    const auto pairs = with_.pick(3, 1);
    for (int i = 1; i <= pairs; ++i) {
      if (i % 2 == 0) // the machine's drift favours neither side
        measure_beside();
      measure_alone();
      if (i % 2 == 1)
        measure_beside();
      with_.say("pair " + std::to_string(i) + " of " + std::to_string(pairs) + ": sent → sink p99 alone " +
                show_measure(found_.alone_p99_us.back(), "us") + ", beside " +
                show_measure(found_.beside_p99_us.back(), "us"));
    }
    measure_beside_crowd();
    return judged();
  }

private:
  [[nodiscard]] std::vector<expected_events*> all_hanging() { return {&hanging_.events, &crowd_.events}; }
  [[nodiscard]] std::int64_t timeout_ms() const { return with_.pick(5'000, 1'500); }
  /// More than a timeout, so that all places come free and are taken again meanwhile.
  [[nodiscard]] std::int64_t measured_ms() const { return timeout_ms() + with_.pick(1'500, 500); }

  struct group {
    std::uint32_t connectors = 0;
    std::uint32_t in_flight = 0; ///< of each
  };

  void put_hanging(const group& wanted_ones, const std::string& behaviour) {
    std::vector<connector> wanted;
    for (std::uint32_t i = 0; i < wanted_ones.connectors; ++i) {
      auto made = with_.connector_to(*hanging_target_, behaviour, first_hanging + i);
      made.max_in_flight = wanted_ones.in_flight;
      made.timeout_ms = static_cast<std::uint32_t>(timeout_ms());
      made.retry.base_ms = 500;
      made.retry.cap_ms = 1'000;
      wanted.push_back(std::move(made));
    }
    beside_.session.put(wanted);
  }

  void measure_alone() {
    found_.alone_p99_us.push_back(percentile_us(alone_.measure(
                                                    with_.pick(3'000, 1'000), [] {}, violations_),
                                                99));
  }

  void measure_beside() {
    const auto found = beside(hanging_, {hanging_connectors, in_flight_each});
    found_.beside_p99_us.push_back(percentile_us(found, 99));
    found_.beside_worst_us.push_back(percentile_us(found, 100));
  }

  void measure_beside_crowd() {
    with_.say("beside " + std::to_string(crowd_connectors) + " connectors that hang");
    const auto found = beside(crowd_, {crowd_connectors, 1});
    found_.crowd_p99_us.push_back(percentile_us(found, 99));
    found_.crowd_worst_us.push_back(percentile_us(found, 100));
  }

  /// Healthy traffic while requests to a group hang; at the end these are delivered.
  percentiles beside(traffic& hanging, const group& ones) {
    put_hanging(ones, "hang");
    const auto before = hanging_target_->arrived();
    hanging.feed.flood(ones.connectors * ones.in_flight * 2);
    hanging.feed.wait_for_answers();
    wait_until_places_are_taken();
    auto found = beside_.measure(
        measured_ms(),
        [&] {
          // The first wave was there before; of a second one more than half has to have come.
          if (const auto came = hanging_target_->arrived() - before; came < places + surely_taken)
            violations_.push_back("only " + std::to_string(came) +
                                  " requests hung in the time of the measurement");
          put_hanging(ones, "ok"); // a healthy event that still waits is to come, late as it is
        },
        violations_);
    hanging.finish(hanging_arrivals_, all_hanging(), violations_);
    return found;
  }

  void wait_until_places_are_taken() {
    constexpr std::int64_t patience_ns = 10'000'000'000;
    for (const auto from_ns = now_ns(); hanging_target_->hanging() < surely_taken; sleep_ms(1))
      if (now_ns() - from_ns > patience_ns)
        throw std::runtime_error(
            "of " + std::to_string(places) + " places only " + std::to_string(hanging_target_->hanging()) +
            " are taken by requests that hang, after " + std::to_string(patience_ns / 1'000'000'000) + " s");
  }

  scenario_result judged() {
    scenario_result result;
    result.figures = figures_of(found_);
    alone_.judge(violations_);
    beside_.judge(violations_);
    for (const auto* each : {&hanging_, &crowd_})
      add_sentences(violations_, each->name, each->events.ledger().violations());
    if (const auto complaint = hanging_arrivals_.complaint(); !complaint.empty())
      violations_.push_back("hanging: " + complaint);
    result.violations = violations_;
    result.notes.push_back(std::to_string(healthy_connectors) + " healthy connectors with " +
                           std::to_string(static_cast<int>(healthy_per_s)) +
                           " events/s in all; those that hang have " + std::to_string(in_flight_each) +
                           " in flight each at most, a timeout of " + std::to_string(timeout_ms()) +
                           " ms and twice as many " + "events. The node was started with --max-in-flight " +
                           std::to_string(places) + '.');
    return result;
  }

  const bench_context& with_;
  side alone_;
  side beside_;
  std::unique_ptr<own_sink> hanging_target_; ///< its own, so that its handshakes hold up no healthy request
  arrival_sorter hanging_arrivals_;
  traffic hanging_;
  traffic crowd_;
  hanging_cap_findings found_;
  std::vector<std::string> violations_;
};

} // namespace

scenario_result run_hanging_cap(const bench_context& with) {
  return hanging_cap{with}.run();
}

} // namespace vicket::bench
