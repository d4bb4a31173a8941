// The outcome feed: each recorded attempt exactly once, in an order in which each event's attempts rise.
#include "tests/crash/event_trace.hpp"

#include <set>
#include <string_view>

namespace vicket::crash {

namespace {

void check_order(const event_trace& trace, const std::vector<outcome_entry>& entries, std::string_view name,
                 const run_facts& facts) {
  std::uint32_t last = 0;
  for (const auto& entry : entries) {
    if (entry.value.number == last)
      facts.complain(trace, "the feed has each attempt once",
                     std::string{name} + " repeats attempt " + std::to_string(last));
    else if (entry.value.number < last)
      facts.complain(trace, "in the feed each event's attempts rise",
                     std::string{name} + " has attempt " + std::to_string(entry.value.number) + " after " +
                         std::to_string(last));
    last = entry.value.number;
  }
}

/// A feed holds what the history holds: no attempt less, none more, none told differently.
void check_against_history(const event_trace& trace, const std::vector<outcome_entry>& entries,
                           std::string_view name, const run_facts& facts) {
  std::set<std::uint32_t> seen;
  for (const auto& entry : entries) {
    const auto number = entry.value.number;
    seen.insert(number);
    if (!trace.history || number == 0 || number > trace.history->attempts.size())
      facts.complain(trace, "what the feed has told is kept",
                     std::string{name} + " has attempt " + std::to_string(number) + ", the history has not");
    else if (trace.history->attempts[number - 1] != entry.value)
      facts.complain(trace, "feed and history tell the same",
                     std::string{name} + " tells attempt " + std::to_string(number) + " differently");
  }
  if (!trace.history)
    return;
  for (const auto& one : trace.history->attempts)
    if (!seen.contains(one.number))
      facts.complain(trace, "the feed misses no attempt",
                     std::string{name} + " does not have attempt " + std::to_string(one.number));
}

/// The summary in an entry is the event's right after that attempt.
void check_states(const event_trace& trace, const run_facts& facts) {
  for (const auto& entry : trace.feed) {
    auto expected = event_state::failed;
    if (entry.value.result == outcome::delivered)
      expected = event_state::delivered;
    else if (entry.value.next_attempt_at)
      expected = event_state::pending;
    if (entry.summary.state != expected || entry.summary.next_attempt_at != entry.value.next_attempt_at)
      facts.complain(trace, "a feed entry's summary is the one right after its attempt",
                     "attempt " + std::to_string(entry.value.number) + " comes with the state " +
                         std::string{to_string(entry.summary.state)});
  }
}

} // namespace

void check_feed(const event_trace& trace, const run_facts& facts) {
  check_order(trace, trace.feed, "the whole feed", facts);
  check_order(trace, trace.followed, "the followed feed", facts);
  if (trace.history_asked) {
    check_against_history(trace, trace.feed, "the whole feed", facts);
    check_against_history(trace, trace.followed, "the followed feed", facts);
  }
  check_states(trace, facts);
}

} // namespace vicket::crash
