// 2: where the time of an event goes, at rates that the node is well able to take.

#include "bench/findings/percentiles.hpp"
#include "bench/harness/open_loop.hpp"
#include "bench/harness/real_time.hpp"
#include "bench/harness/sync_probe.hpp"
#include "bench/report/measure_text.hpp"
#include "bench/scenarios/latencies.hpp"
#include "bench/scenarios/scenario.hpp"
#include "bench/scenarios/traffic.hpp"

#include <algorithm>
#include <utility>

namespace vicket::bench {

namespace {

constexpr std::uint32_t connectors = 64;
constexpr std::uint16_t tag = 2;
constexpr std::int64_t warm_up_ms = 500;
constexpr int syncs_per_probe = 100;

/// Of one rate, over all its rounds.
struct rate_findings {
  rate_findings(double rate, std::string name, std::string text)
      : events_per_s{rate}, key{std::move(name)}, title{std::move(text)} {}

  double events_per_s;
  std::string key;
  std::string title;
  latencies all;
  std::array<rounds_of_percentiles, all_stages.size()> rounds; ///< by stage
};

class latency {
public:
  explicit latency(const bench_context& with)
      : with_{with}, sink_{with.start_sink("sink", 1'000'000)}, node_{with.start_node("latency")},
        session_{node_->place()}, arrivals_{*sink_}, load_{
                                                         "events", session_,
                                                         event_source{tag, connector_names(0, connectors)}} {
    std::vector<connector> wanted;
    for (std::uint32_t i = 0; i < connectors; ++i)
      wanted.push_back(with.connector_to(*sink_, "ok", i));
    session_.put(wanted);
  }

  scenario_result run() {
    const auto rounds = with_.pick(3, 1);
    probe_sync();
    for (int i = 1; i <= rounds; ++i) {
      // One after the other, each first in turn: the machine's drift favours neither.
      auto& first = i % 2 == 1 ? slow_ : fast_;
      auto& second = i % 2 == 1 ? fast_ : slow_;
      for (auto* rate : {&first, &second}) {
        with_.say("round " + std::to_string(i) + " of " + std::to_string(rounds) + ", " + rate->title);
        measure(*rate);
        probe_sync();
      }
    }
    return judged();
  }

private:
  void measure(rate_findings& at) {
    const auto start_ns = now_ns();
    offer_together({{&load_.feed, at.events_per_s, ++offers_}}, warm_up_ms + with_.pick(5'000, 3'000));
    const auto until_ns = now_ns();
    load_.finish(arrivals_, {&load_.events}, violations_);
    const latencies round{load_, start_ns + warm_up_ms * 1'000'000, until_ns};
    at.all.add(round);
    for (std::size_t i = 0; i < all_stages.size(); ++i)
      at.rounds[i].add(round.of(all_stages[i]));
    const auto& way = at.rounds[0];
    with_.say(at.title + ": accepted → sink p50 " + show_measure(way.p50_us.back(), "us") + ", p99 " +
              show_measure(way.p99_us.back(), "us"));
  }

  void probe_sync() {
    const auto times = sync_times_ns(with_.where().file("sync-probe"), syncs_per_probe);
    sync_rounds_.add(percentiles{times});
    sync_ns_.insert(sync_ns_.end(), times.begin(), times.end());
  }

  void add_figures(std::vector<figure>& figures, const rate_findings& at) const {
    for (std::size_t i = 0; i < all_stages.size(); ++i)
      add_percentile_figures(figures, at.key + "_" + key_of(all_stages[i]),
                             title_of(all_stages[i]) + " " + at.title, at.all.of(all_stages[i]),
                             at.rounds[i]);
  }

  [[nodiscard]] plot curves() const {
    auto made = latency_plot("Latency, open loop, 64 connectors");
    for (const auto* at : {&fast_, &slow_})
      for (const auto part : all_stages)
        made.lines.push_back({title_of(part) + " " + at->title, at->all.of(part).curve(1e6)});
    return made;
  }

  scenario_result judged() {
    scenario_result result;
    add_figures(result.figures, fast_);
    result.figures[0].wanted = goal{1'500, 1'000, false}; // accepted → sink, p50
    result.figures[1].wanted = goal{10'000, 5'000, false};
    // Many a request is at the sink before its sender has seen the answer, so that the rest of the way is a difference of
    // two times of about the same size. The whole way contains it, and is held to the same.
    for (auto& one : result.figures)
      if (one.key == fast_.key + "_" + key_of(stage::sent_to_sink) + "_p50")
        one.wanted = result.figures[0].wanted;
      else if (one.key == fast_.key + "_" + key_of(stage::sent_to_sink) + "_p99")
        one.wanted = result.figures[1].wanted;
    add_figures(result.figures, slow_);
    add_percentile_figures(result.figures, "fdatasync", "the machine's own write and fdatasync of 16 KiB",
                           percentiles{sync_ns_}, sync_rounds_);
    const auto sync_p50_ns = std::max<std::int64_t>(1, percentiles{sync_ns_}.at(50));
    result.figures.push_back(plain_figure(
        "accepted_by_fdatasync", "sent → accepted at 1,000/s, p50 ÷ the machine's own, p50",
        static_cast<double>(slow_.all.of(stage::sent_to_accepted).at(50)) / static_cast<double>(sync_p50_ns),
        "1"));
    result.plots.push_back(curves());
    result.notes = {
        "Sent: when an event's turn came, whether the feeder was able to send it then or not. Turns "
        "come at random, as from many senders (a Poisson process).",
        overtaking_note(fast_.title, fast_.all), overtaking_note(slow_.title, slow_.all)};
    result.violations = violations_;
    add_sentences(result.violations, load_.name, load_.events.ledger().violations());
    if (const auto complaint = arrivals_.complaint(); !complaint.empty())
      result.violations.push_back(complaint);
    if (const auto left = session_.pending(); left > 0)
      result.violations.push_back(std::to_string(left) + " events are still pending on the node");
    return result;
  }

  const bench_context& with_;
  std::unique_ptr<own_sink> sink_;
  std::unique_ptr<node_process> node_;
  node_session session_;
  arrival_sorter arrivals_;
  traffic load_;
  rate_findings slow_{1'000, "at_1k", "at 1,000/s"};
  rate_findings fast_{5'000, "at_5k", "at 5,000/s"};
  std::uint64_t offers_ = 0; ///< each has times of its own
  std::vector<std::int64_t> sync_ns_;
  rounds_of_percentiles sync_rounds_;
  std::vector<std::string> violations_;
};

} // namespace

scenario_result run_latency(const bench_context& with) {
  return latency{with}.run();
}

} // namespace vicket::bench
