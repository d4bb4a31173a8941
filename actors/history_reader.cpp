#include "actors/history_reader.hpp"

#include <algorithm>
#include <chrono>
#include <unordered_map>
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
partition_outcome describe(event_summary&& summary, stored_attempt&& stored) {
  partition_outcome entry;
  entry.sequence = stored.sequence;
  entry.summary = std::move(summary);
  entry.summary.state = stored.state_after;
  entry.summary.next_attempt_at = stored.value.next_attempt_at;
  entry.value = std::move(stored.value);
  return entry;
}

} // namespace

history_reader::history_reader(handle::pointer self, setup with) : self_{self}, with_{std::move(with)} {}

history_reader::handle::behavior_type history_reader::make_behavior() {
  self_->delayed_send(self_, std::chrono::milliseconds{retention_look_ms}, tick{});
  return {
      [this](const get_event& request) { return event(request); },
      [this](const read_partition_run& request) { return run(request); },
      [this](const read_partition_outcomes& request) { return outcomes(request); },
      [this](const watch_feed& request) { watch(request); },
      [this](const feed_grew& news) { pass_on(news); },
      [this](const get_partition_overview&) { return overview(); },
      [this](const tick&) {
        look_at_retention();
        self_->delayed_send(self_, std::chrono::milliseconds{retention_look_ms}, tick{});
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

caf::result<event_history> history_reader::event(const get_event& request) const {
  const auto refused = with_.store->reads_refused();
  if (const auto sequence = with_.store->find_event(request.id))
    if (auto history = read_history(*sequence))
      return unless_unread<event_history>(refused, *std::move(history));
  return unless_unread<event_history>(
      refused, make_refusal(errc::not_found, "no event has the id " + request.id.to_string() +
                                                 ", or it is older than the retention"));
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
  // Attempts whose event is past the retention are passed over; a page is empty only at the end of the log.
  partition_outcomes page;
  auto after = request.after;
  while (page.entries.empty()) {
    auto log = with_.store->attempts_after(after, request.limit, request.max_bytes);
    if (log.empty())
      return unless_unread<partition_outcomes>(refused, std::move(page));
    after = log.back().sequence;
    for (auto& stored : log)
      if (auto event = with_.store->read_event(stored.event_sequence, false))
        page.entries.push_back(describe(summarize(*std::move(event)), std::move(stored)));
  }
  return unless_unread<partition_outcomes>(refused, std::move(page));
}

void history_reader::watch(const watch_feed& request) {
  watcher_ = caf::actor_cast<history_actor>(self_->current_sender());
  self_->send(with_.persistence, request);
}

void history_reader::pass_on(const feed_grew& news) {
  if (watcher_)
    self_->send(watcher_, news);
}

caf::result<partition_overview> history_reader::overview() {
  auto promise = self_->make_response_promise<partition_overview>();
  self_->request(with_.persistence, caf::infinite, get_live_counts{})
      .then(
          [this, promise](live_counts& live) mutable {
            self_->request(with_.delivery, caf::infinite, get_in_flight{})
                .then(
                    [this, promise, live](const in_flight_counts& flying) mutable {
                      partition_overview answer{std::move(live.partition), live.connectors_configured,
                                                std::move(live.connectors)};
                      for (auto& connector : answer.connectors)
                        for (const auto& [id, count] : flying.connectors)
                          if (id == connector.id)
                            connector.in_flight = count;
                      const auto refused = with_.store->reads_refused();
                      add_waiting(answer);
                      if (auto why = unread(refused))
                        promise.deliver(*std::move(why));
                      else
                        promise.deliver(std::move(answer));
                    },
                    [promise](caf::error& reason) mutable { promise.deliver(std::move(reason)); });
          },
          [promise](caf::error& reason) mutable { promise.deliver(std::move(reason)); });
  return promise;
}

void history_reader::add_waiting(partition_overview& answer) const {
  std::unordered_map<connector_id, std::size_t> places;
  for (std::size_t i = 0; i < answer.connectors.size(); ++i)
    places.emplace(answer.connectors[i].id, i);
  for (const auto& waiting : with_.store->count_waiting()) {
    auto found = places.find(waiting.connector);
    if (found == places.end())
      continue; // went to nothing between the two readings
    auto& status = answer.connectors[found->second];
    status.pending += waiting.events;
    if (const auto oldest = with_.store->read_event(waiting.lowest_sequence, false))
      if (!status.oldest_pending_at || oldest->accepted_at < *status.oldest_pending_at)
        status.oldest_pending_at = oldest->accepted_at;
  }
  std::erase_if(answer.connectors,
                [](const connector_status& s) { return s.pending == 0 && s.in_flight == 0; });
  for (const auto& status : answer.connectors) {
    answer.partition.pending += status.pending;
    answer.partition.in_flight += status.in_flight;
  }
}

void history_reader::look_at_retention() {
  const auto horizon = with_.store->history_horizon(with_.clock->now() - with_.retention_ms);
  if (horizon > with_.store->oldest_kept())
    self_->send(with_.persistence, forget_below{horizon});
}

} // namespace vicket
