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
      [this](const find_partition_events& request) { return find(request); },
      [this](const find_partition_run& request) { return find(request); },
      [this](const read_partition_histories& request) { return histories(request); },
      [this](const read_partition_outcomes& request) { return outcomes(request); },
      [this](const watch_feed& request) { watch(request); },
      [this](const feed_grew& news) { pass_on(news); },
      [this, look](const tick&) {
        retention_.look();
        self_->delayed_send(self_, look, tick{});
      },
  };
}

/// The first attempt is read before it is known whether there is room for it: it may be as large as the page.
std::optional<partition_history>
history_reader::read_history(const wanted_history& wanted, std::size_t room_bytes, bool at_least_one) const {
  auto stored = with_.store->read_event(wanted.sequence, false);
  if (!stored)
    return std::nullopt;
  partition_history result;
  auto& history = result.history;
  history.continues = wanted.left.has_value();
  history.summary = summarize(*std::move(stored));
  history.summary.next_attempt_at = history.summary.accepted_at; // until an attempt says otherwise: at once
  const auto last = last_of(wanted);
  if (!last)
    return history.continues ? std::nullopt : std::optional{std::move(result)};
  history.summary.state = last->state_after;
  history.summary.next_attempt_at = last->next_attempt_at;
  if (last->dropped) {
    history.attempts_dropped = last->number;
    return history.continues ? std::nullopt : std::optional{std::move(result)};
  }
  const attempts_left left{wanted.left ? wanted.left->first : 1, last->number};
  const auto room = room_bytes - std::min(room_bytes, page_bytes_of(history.summary));
  auto page = with_.store->read_attempts(wanted.sequence, {left.first, left.last, room});
  if (page.attempts.empty()) // it went between the two looks
    return std::nullopt;
  if (!at_least_one && page_bytes_of(page.attempts.front().value) > room) {
    result.left = left;
    return result;
  }
  if (page.more)
    result.left = {page.attempts.back().value.number + 1, left.last};
  history.goes_on = page.more;
  for (auto& one : page.attempts)
    history.attempts.push_back(std::move(one.value));
  return result;
}

/// How the event stood after the last attempt that its pages show.
std::optional<partition_store::last_attempt> history_reader::last_of(const wanted_history& wanted) const {
  if (!wanted.left)
    return with_.store->last_attempt_of(wanted.sequence);
  const auto last = wanted.left->last;
  const auto found = with_.store->read_attempts(wanted.sequence, {last, last});
  if (found.attempts.empty())
    return std::nullopt;
  const auto& one = found.attempts.front();
  return partition_store::last_attempt{last, one.state_after, one.value.next_attempt_at};
}

std::optional<caf::error> history_reader::unread(std::uint64_t refused_before) const {
  if (with_.permit && !with_.permit->is_fresh())
    return make_refusal(errc::unavailable,
                        "this node does not know for certain what the cluster knows at the "
                        "moment: ask again a little later");
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

caf::result<found_events> history_reader::find(const find_partition_events& request) const {
  const auto refused = with_.store->reads_refused();
  return unless_unread<found_events>(
      refused, locate(with_.store->find_events(request.id, request.from, std::size_t{request.limit} + 1),
                      request.limit));
}

caf::result<found_events> history_reader::find(const find_partition_run& request) const {
  const auto refused = with_.store->reads_refused();
  return unless_unread<found_events>(
      refused, locate(with_.store->events_of_run(request.run, request.after, std::size_t{request.limit} + 1),
                      request.limit));
}

found_events history_reader::locate(std::vector<log_sequence> sequences, std::uint32_t limit) const {
  found_events found;
  found.more = sequences.size() > limit;
  if (found.more)
    sequences.pop_back();
  for (const auto sequence : sequences)
    if (auto event = with_.store->read_event(sequence, false))
      found.events.push_back({sequence, std::move(event->connector), event->accepted_at});
  return found;
}

caf::result<partition_histories> history_reader::histories(const read_partition_histories& request) const {
  const auto refused = with_.store->reads_refused();
  partition_histories page;
  std::size_t bytes = 0;
  bool at_least_one = request.at_least_one;
  for (const auto& wanted : request.wanted) {
    const auto room = request.max_bytes - std::min(request.max_bytes, bytes);
    auto one = read_history(wanted, room, at_least_one);
    const auto own_bytes = one ? page_bytes_of(one->history) : 0;
    if (one && !at_least_one && (own_bytes > room || (one->left && one->history.attempts.empty())))
      break;
    bytes += own_bytes;
    at_least_one = at_least_one && !one;
    const bool full = one && one->left;
    page.histories.push_back(std::move(one));
    if (full)
      break;
  }
  return unless_unread<partition_histories>(refused, std::move(page));
}

caf::result<partition_outcomes> history_reader::outcomes(const read_partition_outcomes& request) const {
  const auto refused = with_.store->reads_refused();
  for (;;) {
    const auto oldest = with_.store->oldest_kept();
    const auto drops = with_.store->drops();
    auto page = read_outcomes_from(request, oldest, drops);
    const auto next = with_.store->read_log(page.through.after, 1, 0);
    page.more = next.more || !next.attempts.empty();
    // Else some of it may have gone while it was read: say so.
    if (with_.store->oldest_kept() == oldest && with_.store->drops() == drops)
      return unless_unread<partition_outcomes>(refused, std::move(page));
  }
}

/// A page ends before an attempt whose event is forgotten, if the reader is to be told of that. One that it need not be
/// told of is passed over.
partition_outcomes history_reader::read_outcomes_from(const read_partition_outcomes& request,
                                                      log_sequence oldest, const feed_drops& drops) const {
  const auto& lineage = with_.store->lineage();
  // First: whatever it is that is read, all up to here is there.
  const auto end = with_.store->committed_end();
  const auto start =
      start_reading({&lineage, oldest, with_.store->last_lost_attempt(), end, &drops}, request.from);
  partition_outcomes page;
  page.gap = start.gap;
  page.from = page.through = start.at;
  auto& at = page.through;
  const auto move_to = [&](log_sequence sequence) {
    at.after = sequence;
    at.tag = lineage.tag_of(sequence);
  };
  std::size_t bytes = 0;
  while (page.entries.empty()) {
    auto log = with_.store->read_log(at.after, request.limit, request.max_bytes);
    bool all_taken = true;
    for (auto& stored : log.attempts) {
      if (stored.sequence > end)
        break;
      if (auto event = with_.store->read_event(stored.event_sequence, false)) {
        auto summary = summarize(*std::move(event));
        bytes += page_bytes_of(summary) + page_bytes_of(stored.value);
        all_taken = page.entries.empty() || bytes <= request.max_bytes;
        if (!all_taken)
          break;
        move_to(stored.sequence);
        page.entries.push_back(describe(at, std::move(summary), std::move(stored)));
        continue;
      }
      const bool is_gap = stored.sequence >= at.promised_from;
      if (is_gap && !page.entries.empty())
        return page;
      move_to(stored.sequence);
      if (is_gap) {
        at.promised_from = end + 1;
        at.promise_tag = lineage.tag_of(end);
        page.from = at;
        page.gap = true;
      }
    }
    if (all_taken && std::min(log.through, end) > at.after)
      move_to(std::min(log.through, end)); // what was dropped lies between
    if (all_taken && (!log.more || log.through >= end)) {
      if (page.entries.empty())
        move_to(std::max(at.after, end));
      return page;
    }
    if (page.gap || log.attempts.empty())
      return page;
  }
  return page;
}

void history_reader::watch(const watch_feed& request) {
  auto watcher = caf::actor_cast<feed_watcher_actor>(self_->current_sender());
  if (watcher && std::find(watchers_.begin(), watchers_.end(), watcher) == watchers_.end())
    watchers_.push_back(std::move(watcher));
  self_->send(with_.persistence, request);
}

void history_reader::pass_on(const feed_grew& news) {
  for (const auto& watcher : std::exchange(watchers_, {})) // those who know of it already look once more
    self_->send(watcher, news);
}

} // namespace vicket
