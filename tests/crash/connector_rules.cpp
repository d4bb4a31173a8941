// Puts and deletes while events stream in: each answer and each request fits a configuration that was possible then.
#include "tests/crash/connector_timeline.hpp"

#include "policy/event_filter.hpp"

#include <algorithm>

namespace vicket::crash {

namespace {

/// From the moment at which a delivery is given its connector's settings to its request at the receiver, beside the
/// connector's timeout: it waits for its turn, and a receiver that was stopped reads late.
constexpr std::int64_t old_settings_ms = 4'000;
/// From an attempt's end to the commit of its outcome.
constexpr std::int64_t commit_allowance_ms = 2'000;

bool takes(const connector_version& settings, const std::string& event) {
  return event_matches(settings.value.events, event);
}

/// Whether a connector in this state gives such an answer to a new event.
bool explains(const connector_timeline& timeline, const connector_state& state, const std::string& event,
              const send_result& answer) {
  const auto* no = std::get_if<refusal>(&answer);
  if (!state.version)
    return no != nullptr && no->code == errc::unknown_connector;
  const auto settings = timeline.settings(state);
  if (!settings.value.enabled)
    return no != nullptr && no->code == errc::connector_disabled;
  if (!takes(settings, event))
    return no != nullptr && no->code == errc::filtered;
  return no == nullptr;
}

std::string name_of(const send_result& answer) {
  const auto* no = std::get_if<refusal>(&answer);
  return no == nullptr ? "accepted" : "refused with " + to_string(no->code);
}

void check_request_settings(const event_trace& trace, const request_record& seen,
                            const connector_timeline& timeline, const run_facts& facts) {
  auto from = timestamp_ms{seen.arrived_at.value - timeline.of().value.timeout_ms - old_settings_ms};
  if (const auto life = facts.life_at(seen.connection_accepted_at))
    from = std::max(from, (*facts.lives)[*life].started_at);
  const auto possible = timeline.possible(from, seen.arrived_at);
  const auto fits = [&](const connector_state& state) {
    return state.version == seen.version && timeline.settings(state).value.enabled;
  };
  if (std::none_of(possible.begin(), possible.end(), fits))
    return facts.complain(trace, "a request is sent as the connector was configured",
                          "at " + std::to_string(seen.arrived_at.value) + " it came to version " +
                              std::to_string(seen.version) + ", which was not possible then, or disabled");
  if (seen.vicket_signature_good &&
      std::none_of(possible.begin(), possible.end(),
                   [&](const connector_state& state) { return fits(state) && state.secret == seen.secret; }))
    facts.complain(trace, "a request is sent as the connector was configured",
                   "at " + std::to_string(seen.arrived_at.value) + " it was signed with secret " +
                       std::to_string(seen.secret) + ", which version " + std::to_string(seen.version) +
                       " did not have");
}

/// The first moment at which an event was surely no longer pending; absent: it is still pending.
std::optional<timestamp_ms> settled_at(const event_trace& trace) {
  if (!trace.history || trace.history->summary.state == event_state::pending ||
      trace.history->attempts.empty())
    return std::nullopt;
  const auto& last = trace.history->attempts.back();
  return timestamp_ms{last.started_at.value + last.duration_us / 1'000};
}

std::optional<timestamp_ms> accepted_at(const event_trace& trace) {
  for (const auto& one : trace.answers)
    if (std::holds_alternative<accepted>(one.result))
      return one.at;
  return std::nullopt;
}

/// A delete that was done, though this event waited.
void check_deletes(const event_trace& trace, const connector_timeline& timeline, const run_facts& facts) {
  const auto known = accepted_at(trace);
  if (!known || !trace.history_asked)
    return;
  const auto settled = settled_at(trace);
  for (const auto& one : timeline.changes())
    if (one.remove && one.answered && !one.refused && *known < one.from && (!settled || *settled > one.to))
      facts.complain(trace, "a connector is not deleted while events wait for it",
                     "it was deleted at " + std::to_string(one.to.value));
}

bool may_have_waited(const event_trace& trace, const connector_timeline::span& asked) {
  if (trace.sends.empty() || trace.sends.front() > asked.to || (trace.history_asked && !trace.history))
    return false;
  const auto settled = settled_at(trace);
  return !settled || settled->value + commit_allowance_ms >= asked.from.value;
}

} // namespace

timestamp_ms send_of(const event_trace& trace, timestamp_ms answered_at) {
  const auto after = std::upper_bound(trace.sends.begin(), trace.sends.end(), answered_at);
  return after == trace.sends.begin() ? answered_at : *std::prev(after);
}

bool answer_explained(const event_trace& trace, const answer_record& answer, const run_facts& facts) {
  const auto* timeline = facts.timeline_of(trace);
  if (timeline == nullptr)
    return false;
  const auto possible = timeline->possible(send_of(trace, answer.at), answer.at);
  return std::any_of(possible.begin(), possible.end(), [&](const connector_state& state) {
    return explains(*timeline, state, trace.sent.event, answer.result);
  });
}

void check_configuration(const event_trace& trace, const run_facts& facts) {
  const auto* timeline = facts.timeline_of(trace);
  if (timeline == nullptr)
    return;
  for (const auto& answer : trace.answers) {
    const auto* yes = std::get_if<accepted>(&answer.result);
    // A duplicate says nothing of the connector as it is now.
    if (yes != nullptr && !yes->duplicate && !answer_explained(trace, answer, facts))
      facts.complain(trace, "an event is accepted only as its connector was configured",
                     name_of(answer.result) + " at " + std::to_string(answer.at.value) +
                         ", though its connector was not there, disabled, or does not take it");
  }
  for (const auto& seen : trace.requests)
    check_request_settings(trace, seen, *timeline, facts);
  check_deletes(trace, *timeline, facts);
}

void check_busy_answers(const connector_timeline& timeline, const std::vector<const event_trace*>& events,
                        const run_facts& facts) {
  for (const auto& asked : timeline.changes()) {
    if (asked.refused != errc::connector_busy)
      continue;
    ++facts.counted->busy_deletes;
    if (std::none_of(events.begin(), events.end(),
                     [&](const event_trace* one) { return may_have_waited(*one, asked); }))
      facts.found->push_back(
          {"connector_busy only while events wait",
           "connector " + timeline.of().value.id.value + " at " + std::to_string(asked.to.value),
           {}});
  }
}

} // namespace vicket::crash
