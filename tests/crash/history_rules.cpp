// Answers and history: nothing accepted is lost, attempt numbers never fall, no retry comes early.
#include "tests/crash/event_trace.hpp"

#include <algorithm>
#include <cmath>

namespace vicket::crash {

namespace {

/// A duration is measured by another clock than the times around it, and both are cut to milliseconds.
constexpr std::int64_t clock_slack_ms = 5;

std::string number_of(const attempt& one) {
  return "attempt " + std::to_string(one.number);
}

void check_summary(const event_trace& trace, const event_summary& summary, const run_facts& facts) {
  const auto differ = [&](const char* field, const std::string& kept, const std::string& sent) {
    if (kept != sent)
      facts.complain(trace, "the history shows the event as it was sent",
                     std::string{field} + " is '" + kept + "', sent was '" + sent + "'");
  };
  differ("connector", summary.connector.value, trace.sent.connector.value);
  differ("event", summary.event, trace.sent.event);
  differ("workflow", summary.workflow, trace.sent.workflow);
  differ("run", summary.run, trace.sent.run);
  differ("id", summary.id.to_string(), trace.id);
}

/// `min(cap, base * factor^(n-1))`, of which the upper half is jittered: half of it is the least.
std::int64_t least_backoff_ms(const retry_policy& retry, std::uint32_t number) {
  const double grown = static_cast<double>(retry.base_ms) * std::pow(retry.factor, number - 1);
  return static_cast<std::int64_t>(std::min(grown, static_cast<double>(retry.cap_ms)) / 2);
}

void check_numbers(const event_trace& trace, const event_history& history, const run_facts& facts) {
  for (std::size_t i = 0; i < history.attempts.size(); ++i)
    if (history.attempts[i].number != i + 1)
      facts.complain(trace, "attempt numbers never fall and have no gap",
                     "in place " + std::to_string(i + 1) + " of the history is " +
                         number_of(history.attempts[i]));
}

void check_due_times(const event_trace& trace, const event_history& history, const run_facts& facts) {
  const auto* promise = facts.promises->find(trace.sent.connector.value);
  for (std::size_t i = 0; i < history.attempts.size(); ++i) {
    const auto& one = history.attempts[i];
    const bool last = i + 1 == history.attempts.size();
    if (one.next_attempt_at && one.result == outcome::delivered)
      facts.complain(trace, "nothing is sent again after its recorded delivery",
                     number_of(one) + " is delivered and has a next due time");
    if (!last && !one.next_attempt_at)
      facts.complain(trace, "no retry comes earlier than its stored due time",
                     number_of(one) + " has no due time after it, but is not the last one");
    if (!last && one.next_attempt_at && history.attempts[i + 1].started_at < *one.next_attempt_at)
      facts.complain(trace, "no retry comes earlier than its stored due time",
                     number_of(history.attempts[i + 1]) + " started " +
                         std::to_string(*one.next_attempt_at - history.attempts[i + 1].started_at) +
                         " ms before it was due");
    if (promise != nullptr && one.next_attempt_at &&
        *one.next_attempt_at - one.started_at < least_backoff_ms(promise->value.retry, one.number))
      facts.complain(trace, "the stored due time follows the connector's backoff",
                     number_of(one) + " is to be followed after " +
                         std::to_string(*one.next_attempt_at - one.started_at) + " ms, the least is " +
                         std::to_string(least_backoff_ms(promise->value.retry, one.number)));
  }
}

void check_times(const event_trace& trace, const event_history& history, const run_facts& facts) {
  for (const auto& one : history.attempts) {
    const auto life = facts.life_at(one.started_at);
    if (one.started_at < history.summary.accepted_at)
      facts.complain(trace, "an attempt comes after the acceptance", number_of(one) + " started before it");
    if (!life)
      facts.complain(trace, "an attempt is made by a living node",
                     number_of(one) + " started while none ran");
    else if (const auto end = (*facts.lives)[*life].ended_at;
             one.started_at + one.duration_us / 1'000 > end + clock_slack_ms)
      facts.complain(trace, "an attempt's outcome is recorded by the node that made it",
                     number_of(one) + " lasted longer than its node");
  }
}

void check_pending(const event_trace& trace, const event_history& history, const run_facts& facts) {
  const auto* promise = facts.promises->find(trace.sent.connector.value);
  ++facts.counted->pending;
  if (!history.summary.next_attempt_at)
    facts.complain(trace, "every accepted id was delivered or is pending", "pending without a next due time");
  else if (!history.attempts.empty() &&
           history.summary.next_attempt_at != history.attempts.back().next_attempt_at)
    facts.complain(trace, "what is pending is due when its last attempt says",
                   "the summary's next due time is another one than the last attempt's");
  if (!history.attempts.empty() && history.attempts.back().result == outcome::delivered)
    facts.complain(trace, "the state is that of the last attempt",
                   "pending, though the last one is delivered");
  if (promise != nullptr && promise->end != fate::pending)
    facts.complain(trace, "every accepted id was delivered or is pending",
                   "still pending at the end, though its receiver has been well for long");
}

void check_failed(const event_trace& trace, const event_history& history, const run_facts& facts) {
  const auto* promise = facts.promises->find(trace.sent.connector.value);
  ++facts.counted->failed;
  const auto allowed = promise == nullptr ? 0 : promise->value.retry.max_attempts;
  if (allowed == 0)
    facts.complain(trace, "every accepted id was delivered or is pending",
                   "failed, though its connector never gives up");
  else if (history.attempts.size() != allowed)
    facts.complain(trace, "an event fails after its connector's number of attempts",
                   "failed after " + std::to_string(history.attempts.size()) + " of " +
                       std::to_string(allowed));
  if (history.summary.next_attempt_at || history.attempts.empty() ||
      history.attempts.back().next_attempt_at || history.attempts.back().result == outcome::delivered)
    facts.complain(trace, "the state is that of the last attempt", "failed, but its attempts say otherwise");
}

void check_delivered(const event_trace& trace, const event_history& history, const run_facts& facts) {
  ++facts.counted->delivered;
  if (history.attempts.empty() || history.attempts.back().result != outcome::delivered)
    facts.complain(trace, "the state is that of the last attempt", "delivered, but the last attempt is not");
  if (history.summary.next_attempt_at)
    facts.complain(trace, "the state is that of the last attempt", "delivered, but due again");
  if (std::none_of(trace.requests.begin(), trace.requests.end(), [](const request_record& one) {
        return one.written && one.answer.status >= 200 && one.answer.status < 300;
      }))
    facts.complain(trace, "every accepted id was delivered or is pending",
                   "delivered says the history, but no receiver answered it with 2xx");
}

/// Whether the sender had been told that the event is accepted when it began the send that an answer belongs to.
bool known_before(const event_trace& trace, const answer_record& answer) {
  const auto sent = send_of(trace, answer.at);
  return trace.sent.id && std::any_of(trace.answers.begin(), trace.answers.end(), [&](const auto& other) {
           return std::holds_alternative<accepted>(other.result) && other.at < sent;
         });
}

} // namespace

void check_answers(const event_trace& trace, const run_facts& facts) {
  std::uint64_t as_new = 0;
  std::uint64_t answered = 0;
  for (const auto& answer : trace.answers) {
    ++answered;
    if (const auto* yes = std::get_if<accepted>(&answer.result)) {
      as_new += yes->duplicate ? 0 : 1;
      facts.counted->duplicate_answers += yes->duplicate ? 1 : 0;
      if (yes->id.to_string() != trace.id)
        facts.complain(trace, "an answer is about the event that was sent",
                       "answered with the id " + yes->id.to_string());
    } else if (const auto& no = std::get<refusal>(answer.result);
               no.code == errc::overloaded || no.code == errc::unavailable) {
      continue;
    } else if (known_before(trace, answer)) {
      facts.complain(trace, "the same id again answers duplicate",
                     "accepted before, and then refused: " + to_string(no.code));
    } else if (answer_explained(trace, answer, facts)) {
      ++facts.counted->refused;
    } else {
      facts.complain(trace, "a valid event is accepted", "refused: " + to_string(no.code) + ": " + no.detail);
    }
  }
  facts.counted->events_accepted += trace.accepted_answered() ? 1 : 0;
  if (as_new > 1)
    facts.complain(trace, "the same id again answers duplicate",
                   "accepted as new " + std::to_string(as_new) + " times");
  if (as_new == 0 && trace.accepted_answered() && answered >= trace.sends.size())
    facts.complain(trace, "an event is a duplicate only of one that was sent before",
                   "called a duplicate at once, though each earlier send was answered");
}

void check_history(const event_trace& trace, const run_facts& facts) {
  if (!trace.history) {
    if (trace.accepted_answered() && trace.history_asked)
      facts.complain(trace, "every accepted id was delivered or is pending",
                     "accepted, but the node does not know it");
    return;
  }
  const auto& history = *trace.history;
  facts.counted->attempts += history.attempts.size();
  facts.counted->retries += history.attempts.empty() ? 0 : history.attempts.size() - 1;
  facts.counted->unanswered_but_kept += trace.accepted_answered() ? 0 : 1;
  check_summary(trace, history.summary, facts);
  check_numbers(trace, history, facts);
  check_due_times(trace, history, facts);
  check_times(trace, history, facts);
  switch (history.summary.state) {
  case event_state::pending:
    return check_pending(trace, history, facts);
  case event_state::failed:
    return check_failed(trace, history, facts);
  case event_state::delivered:
    return check_delivered(trace, history, facts);
  }
}

} // namespace vicket::crash
