#include "bench/scenarios/latencies.hpp"

#include "bench/report/measure_text.hpp"

#include <algorithm>

namespace vicket::bench {

std::string key_of(stage part) {
  switch (part) {
  case stage::accepted_to_sink:
    return "accepted_to_sink";
  case stage::sent_to_accepted:
    return "sent_to_accepted";
  case stage::sent_to_sink:
    break;
  }
  return "sent_to_sink";
}

std::string title_of(stage part) {
  switch (part) {
  case stage::accepted_to_sink:
    return "accepted → sink";
  case stage::sent_to_accepted:
    return "sent → accepted";
  case stage::sent_to_sink:
    break;
  }
  return "sent → sink";
}

latencies::latencies(const traffic& load, std::int64_t from_ns, std::int64_t until_ns) {
  const auto& times = load.feed.times();
  for (std::uint32_t i = 0; i < times.size(); ++i) {
    const auto [intended_ns, accepted_ns] = times[i];
    const auto at_sink_ns = load.events.delivered_ns(i);
    if (intended_ns < from_ns || intended_ns >= until_ns || accepted_ns == 0 || at_sink_ns == 0)
      continue;
    overtaking_ += at_sink_ns < accepted_ns ? 1 : 0;
    spans_[index(stage::accepted_to_sink)].push_back(std::max<std::int64_t>(0, at_sink_ns - accepted_ns));
    spans_[index(stage::sent_to_accepted)].push_back(accepted_ns - intended_ns);
    spans_[index(stage::sent_to_sink)].push_back(at_sink_ns - intended_ns);
  }
}

void latencies::add(const latencies& more) {
  for (std::size_t i = 0; i < spans_.size(); ++i)
    spans_[i].insert(spans_[i].end(), more.spans_[i].begin(), more.spans_[i].end());
  overtaking_ += more.overtaking_;
}

double latencies::overtaking_share() const {
  return count() == 0 ? 0 : static_cast<double>(overtaking_) / static_cast<double>(count());
}

void rounds_of_percentiles::add(const percentiles& round) {
  p50_us.push_back(percentile_us(round, 50));
  p99_us.push_back(percentile_us(round, 99));
  p999_us.push_back(percentile_us(round, 99.9));
}

void add_percentile_figures(std::vector<figure>& figures, const std::string& key, const std::string& title,
                            const percentiles& all, const rounds_of_percentiles& rounds) {
  const auto add_one = [&](const std::string& name, const std::string& shown, double p,
                           const std::vector<double>& of_rounds) {
    auto made = plain_figure(key + "_" + name, title + ", " + shown, percentile_us(all, p), "us");
    if (of_rounds.size() > 1)
      made.rounds = of_rounds;
    figures.push_back(std::move(made));
  };
  add_one("p50", "p50", 50, rounds.p50_us);
  add_one("p99", "p99", 99, rounds.p99_us);
  add_one("p999", "p99.9", 99.9, rounds.p999_us);
}

plot latency_plot(const std::string& title) {
  return {title, {"percentile", axis_scale::nines}, {"latency, ms", axis_scale::logarithmic}, {}};
}

std::string overtaking_note(const std::string& what, const latencies& of) {
  return "Accepted is when the feeder saw the answer. " + show_number(100 * of.overtaking_share()) +
         " % of the requests " + what +
         " were at the sink before that, and count as 0 from accepted to sink.";
}

} // namespace vicket::bench
