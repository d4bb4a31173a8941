// The whole story of one event, for the one who has to find out what went wrong.
#include "tests/crash/event_trace.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace vicket::crash {

namespace {

/// (when, what); lines of one millisecond keep the order in which they were added.
using line = std::pair<std::int64_t, std::string>;

std::string text_of(const attempt& one) {
  auto text = "attempt " + std::to_string(one.number) + " recorded: " + std::string{to_string(one.result)};
  if (one.status)
    text += " " + std::to_string(*one.status);
  if (!one.error.empty())
    text += " (" + one.error + ")";
  text += ", " + std::to_string(one.duration_us / 1'000) + " ms";
  text +=
      one.next_attempt_at ? ", next due at " + std::to_string(one.next_attempt_at->value) : ", the last one";
  return text;
}

std::string text_of(const request_record& one) {
  auto text = "request at " + one.connector + ", number " + std::to_string(one.request_on_connection) +
              " on its connection of " + std::to_string(one.connection_accepted_at.value) + ", answer " +
              std::string{to_string(one.answer.kind)} + " " + std::to_string(one.answer.status);
  if (!one.finished)
    return text + ", not finished";
  return text + (one.written ? ", written at " : ", not written, ended at ") +
         std::to_string(one.finished_at.value);
}

std::string text_of(const answer_record& one) {
  if (const auto* yes = std::get_if<accepted>(&one.result))
    return yes->duplicate ? "accepted, a duplicate" : "accepted";
  const auto& no = std::get<refusal>(one.result);
  return "refused: " + to_string(no.code) + ": " + no.detail;
}

void add_history(const event_history& history, std::vector<line>& lines) {
  lines.emplace_back(history.summary.accepted_at.value, "accepted_at of the history");
  for (const auto& one : history.attempts)
    lines.emplace_back(one.started_at.value, text_of(one));
}

/// A stopping node refuses the same event every few milliseconds: the refusals are counted, not listed.
void add_sends(const event_trace& trace, std::vector<line>& lines) {
  std::size_t refusals = 0;
  for (const auto& one : trace.answers) {
    if (std::holds_alternative<accepted>(one.result) || refusals++ == 0)
      lines.emplace_back(one.at.value, text_of(one));
  }
  if (refusals > 1)
    lines.emplace_back(trace.answers.back().at.value,
                       "refused " + std::to_string(refusals) + " times in all");
  const auto unanswered = trace.sends.size() - std::min(trace.sends.size(), trace.answers.size());
  for (std::size_t i = 0; i < trace.sends.size(); ++i)
    if (i == 0 || refusals <= 1)
      lines.emplace_back(trace.sends[i].value, "sent");
  if (unanswered > 0)
    lines.emplace_back(trace.sends.back().value,
                       std::to_string(unanswered) + " sends without an answer in all");
}

std::string numbers_of(const std::vector<outcome_entry>& entries) {
  std::string text;
  for (const auto& entry : entries)
    text += " " + std::to_string(entry.value.number);
  return text.empty() ? " none" : text;
}

} // namespace

std::string story_of(const event_trace& trace, const std::vector<node_life>& lives) {
  std::vector<line> lines;
  add_sends(trace, lines);
  for (const auto& one : trace.requests)
    lines.emplace_back(one.arrived_at.value, text_of(one));
  if (trace.history)
    add_history(*trace.history, lines);
  const auto [first, last] = std::minmax_element(lines.begin(), lines.end());
  if (!lines.empty()) {
    const auto from = first->first;
    const auto to = last->first;
    for (const auto& life : lives) {
      if (life.ended_at.value < from || life.started_at.value > to)
        continue;
      lines.emplace_back(life.started_at.value, "  node started");
      lines.emplace_back(life.ended_at.value, life.killed ? "  node killed" : "  node stopped");
    }
  }
  std::stable_sort(lines.begin(), lines.end(),
                   [](const line& a, const line& b) { return a.first < b.first; });
  std::string text = "event " + trace.id + ", serial " + std::to_string(trace.serial) + ", connector " +
                     trace.sent.connector.value + "\n";
  for (const auto& [at, what] : lines)
    text += "  " + std::to_string(at) + "  " + what + "\n";
  text += "  in the feed:" + numbers_of(trace.feed) + "; in the followed feed:" + numbers_of(trace.followed) +
          "\n";
  if (!trace.history)
    return text + "  history: " + (trace.history_asked ? "the node does not know it\n" : "not asked for\n");
  const auto& summary = trace.history->summary;
  text += "  state: " + std::string{to_string(summary.state)} + ", next due at " +
          (summary.next_attempt_at ? std::to_string(summary.next_attempt_at->value) : "-") + "\n";
  return text;
}

} // namespace vicket::crash
