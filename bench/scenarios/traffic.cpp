#include "bench/scenarios/traffic.hpp"

#include "bench/harness/percentiles.hpp"
#include "bench/harness/real_time.hpp"

#include <algorithm>
#include <utility>

namespace vicket::bench {

namespace {

constexpr std::int64_t patience_ms = 20'000;
constexpr std::int64_t doubles_come_within_ms = 200;

} // namespace

traffic::traffic(std::string its_name, node_session& node, event_source source, std::uint32_t first)
    : name{std::move(its_name)}, events{std::move(source)}, feed{node, events.source(), first} {}

void traffic::finish(arrival_sorter& arrivals, const std::vector<expected_events*>& among,
                     std::vector<std::string>& violations) {
  feed.wait_for_answers();
  add_sentences(violations, name, feed.settle(events.ledger()));
  const auto promised = events.ledger().promised_count();
  if (!arrivals.wait_for(events, promised, patience_ms, among))
    violations.push_back(name + ": of " + std::to_string(promised) + " accepted events " +
                         std::to_string(events.ledger().delivered_count()) +
                         " were delivered, and then none for " + std::to_string(patience_ms / 1'000) + " s");
  sleep_ms(doubles_come_within_ms);
  arrivals.sort(among);
}

std::vector<std::int64_t> traffic::accepted_to_sink_ns(std::uint32_t first) const {
  std::vector<std::int64_t> spans;
  const auto& times = feed.times();
  for (auto i = first; i < times.size(); ++i)
    if (const auto at_ns = events.delivered_ns(i); at_ns != 0 && times[i].accepted_ns != 0)
      spans.push_back(std::max<std::int64_t>(0, at_ns - times[i].accepted_ns));
  return spans;
}

figure plain_figure(const std::string& key, const std::string& title, double value, const std::string& unit) {
  figure made;
  made.key = key;
  made.title = title;
  made.value = value;
  made.unit = unit;
  return made;
}

figure median_figure(const std::string& key, const std::string& title, std::vector<double> rounds,
                     const std::string& unit) {
  auto made = plain_figure(key, title, median(rounds), unit);
  made.rounds = std::move(rounds);
  return made;
}

} // namespace vicket::bench
