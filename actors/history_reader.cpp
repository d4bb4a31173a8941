#include "actors/history_reader.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace vicket {

namespace {

event_summary summarize(stored_event&& event) {
  event_summary summary;
  summary.id = event.id;
  summary.connector = std::move(event.connector);
  summary.event = std::move(event.event);
  summary.workflow = std::move(event.workflow);
  summary.run = std::move(event.run);
  summary.accepted_at = event.accepted_at;
  return summary;
}

/// The feed's entry: the event as it stood right after this attempt.
partition_outcome describe(feed_position at, event_summary&& summary, stored_attempt&& stored) {
  partition_outcome entry;
  entry.at = at;
  entry.summary = std::move(summary);
  entry.summary.state = stored.state_after;
  entry.summary.next_attempt_at = stored.value.next_attempt_at;
  entry.value = std::move(stored.value);
  return entry;
}

} // namespace

history_reader::history_reader(handle::pointer self, setup with)
    : self_{self}, with_{std::move(with)}, retention_{self,
                                                      {with_.store, with_.persistence, with_.clock,
                                                       retention_rule{with_.retention_ms}}} {}

history_reader::handle::behavior_type history_reader::make_behavior() {
  const std::chrono::milliseconds look{retention_rule{with_.retention_ms}.look_ms()};
  self_->delayed_send(self_, look, tick{});
  return {
      [this](const get_event& request) { return events(request); },
      [this](const read_partition_run& request) { return run(request); },
      [this](const read_partition_outcomes& request) { return outcomes(request); },
      [this](const watch_feed& request) { watch(request); },
      [this](const feed_grew& news) { pass_on(news); },
      [this, look](const tick&) {
        retention_.look();
        self_->delayed_send(self_, look, tick{});
      },
  };
}

std::optional<event_history> history_reader::read_history(log_sequence sequence) const {
  auto stored = with_.store->read_event(sequence, false);
  if (!stored)
    return std::nullopt;
  event_history history;
  history.summary = summarize(*std::move(stored));
  history.summary.next_attempt_at = history.summary.accepted_at; // until an attempt says otherwise: at once
  for (auto& one : with_.store->attempts_of(sequence)) {
    history.summary.state = one.state_after;
    history.summary.next_attempt_at = one.value.next_attempt_at;
    history.attempts.push_back(std::move(one.value));
  }
  return history;
}

std::optional<caf::error> history_reader::unread(std::uint64_t refused_before) const {
  if (const auto health = with_.store->health(); !health.ok())
    return make_refusal(errc::unavailable, health.detail);
  if (with_.store->reads_refused() != refused_before)
    return make_refusal(errc::unavailable,
                        "the node's disk is full, and its history can't be read until it has room: "
                        "free some space, it goes on by itself");
  return std::nullopt;
}

template <class Answer>
caf::result<Answer> history_reader::unless_unread(std::uint64_t refused_before,
                                                  caf::result<Answer> answer) const {
  if (auto why = unread(refused_before))
    return *std::move(why);
  return answer;
}

caf::result<partition_events> history_reader::events(const get_event& request) const {
  const auto refused = with_.store->reads_refused();
  partition_events found;
  for (const auto sequence : with_.store->find_events(request.id))
    if (auto history = read_history(sequence))
      found.events.push_back(*std::move(history));
  return unless_unread<partition_events>(refused, std::move(found));
}

caf::result<partition_run_page> history_reader::run(const read_partition_run& request) const {
  const auto refused = with_.store->reads_refused();
  partition_run_page page;
  auto sequences = with_.store->events_of_run(request.run, request.after, std::size_t{request.limit} + 1);
  page.more = sequences.size() > request.limit;
  if (page.more)
    sequences.pop_back();
  for (const auto sequence : sequences)
    if (auto history = read_history(sequence))
      page.events.push_back({sequence, *std::move(history)});
  return unless_unread<partition_run_page>(refused, std::move(page));
}

caf::result<partition_outcomes> history_reader::outcomes(const read_partition_outcomes& request) const {
  const auto refused = with_.store->reads_refused();
  for (;;) {
    const auto oldest = with_.store->oldest_kept();
    auto page = read_outcomes_from(request, oldest);
    if (with_.store->oldest_kept() == oldest) // else some of it may have gone while it was read: say so
      return unless_unread<partition_outcomes>(refused, std::move(page));
  }
}

/// A page ends before an attempt whose event is forgotten, if the reader is to be told of that. One that it need not be
/// told of is passed over.
partition_outcomes history_reader::read_outcomes_from(const read_partition_outcomes& request,
                                                      log_sequence oldest) const {
  const auto& lineage = with_.store->lineage();
  // First: whatever it is that is read, all up to here is there.
  const auto end = with_.store->committed_end();
  const auto start = start_reading({&lineage, oldest, with_.store->last_lost_attempt(), end}, request.from);
  partition_outcomes page;
  page.gap = start.gap;
  page.from = page.through = start.at;
  auto& at = page.through;
  const auto move_to = [&](log_sequence sequence) {
    at.after = sequence;
    at.tag = lineage.tag_of(sequence);
  };
  while (page.entries.empty()) {
    auto log = with_.store->attempts_after(at.after, request.limit, request.max_bytes);
    for (auto& stored : log) {
      if (stored.sequence > end)
        break;
      if (auto event = with_.store->read_event(stored.event_sequence, false)) {
        move_to(stored.sequence);
        page.entries.push_back(describe(at, summarize(*std::move(event)), std::move(stored)));
        continue;
      }
      const bool is_gap = stored.sequence >= at.promised_from;
      if (is_gap && !page.entries.empty())
        return page;
      move_to(stored.sequence);
      if (is_gap) {
        at.promised_from = end + 1;
        page.from = at;
        page.gap = true;
      }
    }
    if (log.empty() || log.back().sequence > end) {
      if (page.entries.empty())
        move_to(std::max(at.after, end));
      return page;
    }
    if (page.gap)
      return page;
  }
  return page;
}

void history_reader::watch(const watch_feed& request) {
  watcher_ = caf::actor_cast<history_actor>(self_->current_sender());
  self_->send(with_.persistence, request);
}

void history_reader::pass_on(const feed_grew& news) {
  if (watcher_)
    self_->send(watcher_, news);
}

} // namespace vicket
