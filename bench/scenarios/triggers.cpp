// What rules cost: triggers a second that a node accepts, against the same events sent to their connector.

#include "bench/findings/figures.hpp"
#include "bench/harness/expected_events.hpp"
#include "bench/harness/feeder.hpp"
#include "bench/harness/process_usage.hpp"
#include "bench/harness/real_time.hpp"
#include "bench/scenarios/scenario.hpp"
#include "policy/trigger_plan.hpp"

#include <cstdio>
#include <iterator>
#include <unordered_map>
#include <utility>

namespace vicket::bench {

namespace {

constexpr std::uint32_t rules = 10'000;
constexpr std::uint32_t warm_up_events = 20'000;
constexpr std::int64_t patience_ms = 20'000; ///< without a single delivery
constexpr std::int64_t doubles_come_within_ms = 200;
constexpr std::uint32_t in_flight = 64; ///< when all of it is delivered

rule_id rule_name(std::uint32_t number) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "r-%05u", number);
  return {text.data()};
}

/// Each for one name of event: half of them by the whole name, half by its beginning, all with a filter.
std::vector<rule> all_rules(const connector_id& to) {
  std::vector<rule> made(rules);
  for (std::uint32_t i = 0; i < rules; ++i) {
    auto name = event_source::event_name(i);
    made[i].id = rule_name(i);
    made[i].events = {i % 2 == 0 ? name : name.substr(0, name.find('.') + 1) + "*"};
    made[i].filter_json = R"({"/ticket/status/category":{"eq":"resolved"}})";
    made[i].actions = {{to, std::nullopt, ""}};
  }
  return made;
}

event_source events_of(std::uint16_t tag, id_kind kind) {
  return {tag, connector_names(0, 1), kind, 0, event_source::body_bytes, rules};
}

/// One way of sending them, and what it took in each round.
struct side {
  side(node_session& session, std::uint16_t tag, sent_as as, id_kind kind)
      : events{events_of(tag, kind)}, feed{session, events.source(), 0, as} {}

  expected_events events;
  feeder feed;
  std::vector<double> per_s;
  std::vector<double> cpu_us;
};

class triggers {
public:
  explicit triggers(const bench_context& with)
      : with_{with}, sink_{with.start_sink("sink", 2'000'000)}, node_{with.start_node("triggers")},
        session_{node_->place()}, sent_{session_, 1, sent_as::events, id_kind::time_ordered},
        random_{session_, 2, sent_as::events, id_kind::random}, triggered_{session_, 3, sent_as::triggers,
                                                                           id_kind::time_ordered} {}

  scenario_result run() {
    put_connector(true);
    with_.say("10,000 rules");
    session_.put(all_rules(connector_name(0)));
    for (auto* each : {&sent_, &random_, &triggered_})
      accept(*each, warm_up_events);
    const auto rounds = with_.pick(3, 1);
    for (int i = 1; i <= rounds; ++i) {
      with_.say("round " + std::to_string(i) + " of " + std::to_string(rounds));
      if (i % 2 == 1)
        one_round({&sent_, &random_, &triggered_});
      else
        one_round({&triggered_, &random_, &sent_});
    }
    with_.say("all of it is delivered");
    put_connector(false);
    deliver();
    return judged();
  }

private:
  /// Held: what is accepted waits, so that what is measured is the acceptance alone.
  void put_connector(bool held) {
    auto wanted = with_.connector_to(*sink_, "ok", 0);
    wanted.max_in_flight = in_flight;
    if (held)
      wanted.rate = rate_limit{1, 1'000, 1};
    session_.put(std::vector{wanted});
  }

  void one_round(const std::vector<side*>& in_turn) {
    for (auto* each : in_turn) {
      const auto events = with_.pick(60'000u, 5'000u);
      const auto cpu_before_ns = node_cpu_ns();
      const auto took_s = accept(*each, events);
      each->per_s.push_back(events / took_s);
      each->cpu_us.push_back(static_cast<double>(node_cpu_ns() - cpu_before_ns) / 1e3 / events);
    }
  }

  /// In s, until the last one is accepted.
  double accept(side& of, std::uint32_t events) {
    const auto began_ns = now_ns();
    of.feed.flood(events);
    of.feed.wait_for_answers();
    const auto took_s = seconds(now_ns() - began_ns);
    std::ranges::move(of.feed.settle(of.events.ledger()), std::back_inserter(violations_));
    return took_s;
  }

  void deliver() {
    std::unordered_map<event_id, event_id> trigger_of;
    for (std::uint32_t i = 0; i < triggered_.feed.sent(); ++i) {
      const auto id = triggered_.events.source().id(i);
      trigger_of.emplace(planned_id(id, rule_name(i % rules), 0), id);
    }
    std::uint64_t expected = 0;
    for (const auto* each : {&sent_, &random_, &triggered_})
      expected += each->feed.accepted();
    if (!wait_for_arrivals(*sink_, expected, patience_ms))
      with_.say("not everything came"); // the ledgers say what
    sleep_ms(doubles_come_within_ms);
    std::uint64_t strangers = 0;
    sink_->read_arrivals([&](arrival one) {
      if (const auto made = trigger_of.find(event_id{one.id}); made != trigger_of.end()) {
        one.id = made->second.bytes;
        static_cast<void>(triggered_.events.take(one));
      } else if (!sent_.events.take(one) && !random_.events.take(one)) {
        ++strangers; // an event of a trigger with an id that does not follow from it is one, too
      }
    });
    if (strangers > 0)
      violations_.push_back(std::to_string(strangers) + " request(s) had an id that nobody sent");
  }

  [[nodiscard]] std::int64_t node_cpu_ns() const { return node_->ours() ? cpu_time_ns(node_->id()) : 0; }

  scenario_result judged() {
    scenario_result result;
    auto& figures = result.figures;
    figures.push_back(median_figure("ratio", "triggers/s accepted ÷ events/s accepted, 10,000 rules",
                                    ratios(triggered_.per_s, sent_.per_s, 0), "1"));
    figures.back().wanted = goal{0.7, 0.9, true};
    figures.push_back(median_figure("random_ratio",
                                    "the same ÷ events with ids in no order, as those of rules are",
                                    ratios(triggered_.per_s, random_.per_s, 0), "1"));
    figures.push_back(
        median_figure("triggers_per_s", "triggers/s accepted, one event each", triggered_.per_s, "/s"));
    figures.push_back(median_figure("events_per_s", "events/s accepted", sent_.per_s, "/s"));
    figures.push_back(median_figure("random_per_s", "events/s accepted with ids in no order (UUIDv4)",
                                    random_.per_s, "/s"));
    if (node_->ours()) {
      figures.push_back(
          median_figure("trigger_cpu_us", "CPU of the node per trigger", triggered_.cpu_us, "us"));
      figures.push_back(median_figure("event_cpu_us", "CPU of the node per event", sent_.cpu_us, "us"));
      figures.push_back(median_figure("random_cpu_us", "CPU of the node per event with an id in no order",
                                      random_.cpu_us, "us"));
    }
    std::uint64_t delivered = 0;
    for (const auto* each : {&sent_, &random_, &triggered_}) {
      std::ranges::move(each->events.ledger().violations(), std::back_inserter(violations_));
      delivered += each->events.ledger().delivered_count();
    }
    if (const auto left = session_.pending(); left > 0)
      violations_.push_back(std::to_string(left) + " events are still pending on the node");
    if (delivered == 0)
      violations_.emplace_back("nothing was delivered");
    result.violations = violations_;
    result.notes.push_back(
        "The same events each time, 500 bytes, 100 in a batch, one connector, which is held meanwhile; "
        "each trigger matches another of the rules in turn. " +
        std::to_string(delivered) + " events delivered at the end.");
    return result;
  }

  const bench_context& with_;
  std::unique_ptr<own_sink> sink_;
  std::unique_ptr<node_process> node_;
  node_session session_;
  side sent_;
  side random_;
  side triggered_;
  std::vector<std::string> violations_;
};

} // namespace

scenario_result run_triggers(const bench_context& with) {
  return triggers{with}.run();
}

} // namespace vicket::bench
