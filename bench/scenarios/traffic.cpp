#include "bench/scenarios/traffic.hpp"

#include "bench/harness/real_time.hpp"

#include <algorithm>
#include <utility>

namespace vicket::bench {

namespace {

constexpr std::int64_t patience_ms = 20'000;
/// When the node says that nothing is left to deliver: what has not come by then will not come.
constexpr std::int64_t settled_patience_ms = 2'000;
constexpr std::int64_t doubles_come_within_ms = 200;

} // namespace

traffic::traffic(std::string its_name, node_session& node, event_source source, std::uint32_t first)
    : name{std::move(its_name)}, events{std::move(source)}, feed{node, events.source(), first}, node_{node} {}

void traffic::finish(arrival_sorter& arrivals, const std::vector<expected_events*>& among,
                     std::vector<std::string>& violations) {
  feed.wait_for_answers();
  add_sentences(violations, name, feed.settle(events.ledger()));
  const auto promised = events.ledger().promised_count();
  if (!arrive(arrivals, promised, among))
    violations.push_back(name + ": of " + std::to_string(promised) + " accepted events " +
                         std::to_string(events.ledger().delivered_count()) + " were delivered, and " +
                         std::to_string(node_.pending()) + " are pending on the node");
  sleep_ms(doubles_come_within_ms);
  arrivals.sort(among);
}

bool traffic::arrive(arrival_sorter& arrivals, std::uint64_t promised,
                     const std::vector<expected_events*>& among) {
  auto seen = events.ledger().delivered_count();
  for (std::int64_t waited_ms = 0; waited_ms < patience_ms; waited_ms += settled_patience_ms) {
    if (arrivals.wait_for(events, promised, settled_patience_ms, among))
      return true;
    if (node_.pending() == 0)
      return false;
    if (const auto now_seen = events.ledger().delivered_count(); now_seen != seen) {
      seen = now_seen;
      waited_ms = 0;
    }
  }
  return false;
}

std::vector<std::int64_t> traffic::accepted_to_sink_ns(std::uint32_t first) const {
  std::vector<std::int64_t> spans;
  const auto& times = feed.times();
  for (auto i = first; i < times.size(); ++i)
    if (const auto at_ns = events.delivered_ns(i); at_ns != 0 && times[i].accepted_ns != 0)
      spans.push_back(std::max<std::int64_t>(0, at_ns - times[i].accepted_ns));
  return spans;
}

} // namespace vicket::bench
