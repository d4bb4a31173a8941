#include "actors/supervisor.hpp"

#include "policy/connector_state.hpp"

#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace vicket {

namespace {

constexpr std::int64_t us_per_ms = 1'000;
constexpr timestamp_ms last_time{std::numeric_limits<std::int64_t>::max()};
constexpr auto last_sequence = std::numeric_limits<log_sequence>::max();

void keep_earlier(std::optional<timestamp_ms>& kept, timestamp_ms candidate) {
  if (!kept || candidate < *kept)
    kept = candidate;
}

} // namespace

supervisor::supervisor(handle::pointer self, setup with)
    : self_{self}, with_{std::move(with)},
      stored_state_{decode_connector_state(with_.state).value_or(connector_state{})},
      queue_{config_of(with_.profile), stored_state_},
      longest_cap_ms_{std::max(with_.longest_cap_ms, with_.profile->config.retry.cap_ms)} {}

supervisor::handle::behavior_type supervisor::make_behavior() {
  return {
      [this](const wake_up&) {
        alarm_at_.reset();
        go_on();
      },
      [this](take_events& given) { take(given); },
      [this](const backlog_grew& more) { note_backlog(more); },
      [this](refilled& given) { take_refill(given); },
      [this](const room_for_more&) { use_room(); },
      [this](const give_back& asked) { give_back_some(asked); },
      [this](const attempts_recorded& recorded) { let_go(recorded); },
      [this](const reconfigure& replaced) { use_profile(replaced); },
      [this](const give_up_all& order) { give_up(order); },
      [this](deliveries_done& done) { decide(done); },
      [this](deliveries_returned& returned) { take_back(returned); },
      [this](const start_again&) {
        queue_.start_again();
        go_on();
      },
      [this](const drain&) { return start_draining(); },
  };
}

void supervisor::take(take_events& given) {
  for (auto& event : given.events)
    queue_.add(std::move(event));
  go_on();
}

void supervisor::note_backlog(const backlog_grew& more) {
  ++heard_;
  scan_from_ = std::min(scan_from_, more.first);
  keep_earlier(next_due_, more.first.due);
  judging_ = judging_ || more.of_earlier_life;
  go_on();
}

void supervisor::take_refill(refilled& given) {
  auto scanned_to = refill_from_;
  for (const auto& event :
       given.events) // what is due now in spite of its time says nothing of what is before it
    if (event.position.due <= refill_until_)
      scanned_to = {event.position.due, event.position.sequence + 1};
  // Together with what was learned since the question: the answer may not know of it.
  scan_from_ = std::min(scan_from_, scanned_to);
  if (given.next_due)
    keep_earlier(next_due_, *given.next_due);
  given_back twice{with_.seat,
                   {}}; // it went into the index, and came from there, while it was on its way here
  for (auto& event : given.events) {
    const returned_event it{event.position, event.envelope->size()};
    if (!queue_.add(std::move(event), start_kind::backlog))
      twice.events.push_back(it);
  }
  refilling_ = false;
  hear_of_records(); // what is not held any more must not pass for what keeps the window full
  const bool more_is_due = given.next_due && *given.next_due <= refill_until_;
  window_full_ = given.no_room || (given.events.empty() && more_is_due && !queue_.holds_nothing());
  if (std::exchange(refill_judges_, false) && !more_is_due)
    judging_ = false;
  if (!twice.events.empty())
    self_->send(with_.persistence, std::move(twice));
  go_on();
}

/// Not while a refill is under way: what is durable by now may have been in the index still when that was answered, and is
/// known for what it is as long as it is held. Nothing starts any more when it drains.
void supervisor::hear_of_records() {
  if (queue_.unrecorded() > queue_.unrecorded_retries() && (!refilling_ || draining_))
    queue_.recorded_through(with_.records->durable());
}

void supervisor::use_room() {
  if (refilling_) // that one comes in time
    return;
  window_full_ = false;
  go_on();
  if (!refilling_)
    self_->send(with_.persistence, room_declined{with_.seat});
}

void supervisor::give_back_some(const give_back& asked) {
  const auto now_us = with_.clock->now_us();
  hear_of_records();
  give_back_some(asked.bytes, queue_.enabled() && opens_soon(now_us));
  go_on(now_us, {});
}

void supervisor::give_back_some(std::size_t bytes, bool keep_one) {
  given_back answer{with_.seat, queue_.give_back(bytes, keep_one)};
  for (const auto& each : answer.events) {
    scan_from_ = std::min(scan_from_, each.position);
    keep_earlier(next_due_, each.position.due);
  }
  self_->send(with_.persistence, std::move(answer));
}

void supervisor::decide(deliveries_done& done) {
  record_attempts record;
  record.seat = with_.seat;
  const auto now_us = with_.clock->now_us();
  const timestamp_ms now{now_us / us_per_ms};
  const auto jumps = with_.clock->jumps();
  for (auto& finished : done.deliveries)
    if (auto decision = queue_.decide(std::move(finished), now, jumps, with_.random->next())) {
      if (!gives_up_.empty() && decision->state_after == event_state::pending) {
        decision->state_after = event_state::failed;
        decision->value.next_attempt_at.reset();
        queue_.not_tried_again(decision->was.sequence);
      }
      record.decisions.push_back(std::move(*decision));
    }
  if (!record.decisions.empty()) {
    if (const auto state = queue_.state(); state != stored_state_) {
      record.state = encode(state);
      stored_state_ = state;
    }
    leave(std::move(record));
  }
  for (auto& job : done.returned)
    queue_.put_back(std::move(job));
  go_on(now_us, {done.offered, !done.returned.empty()});
}

void supervisor::leave(record_attempts record) {
  queue_.left_for_record(with_.records->push(std::move(record)));
}

void supervisor::take_back(deliveries_returned& returned) {
  for (auto& job : returned.jobs)
    queue_.put_back(std::move(job));
  const auto now_us = with_.clock->now_us();
  if (returned.of_destination)
    queue_.wait_for_moment({now_us / us_per_ms});
  else
    queue_.wait_for_word();
  go_on(now_us, {});
}

void supervisor::let_go(const attempts_recorded& recorded) {
  window_full_ = false;
  for (const auto& attempt : recorded.attempts) {
    queue_.recorded(attempt.sequence);
    if (attempt.next_due) {
      scan_from_ = std::min(scan_from_, due_position{*attempt.next_due, attempt.sequence});
      keep_earlier(next_due_, *attempt.next_due);
    }
  }
  go_on();
}

void supervisor::use_profile(const reconfigure& replaced) {
  ++heard_;
  with_.profile = replaced.profile;
  queue_.reconfigure(config_of(with_.profile));
  longest_cap_ms_ = std::max(longest_cap_ms_, with_.profile->config.retry.cap_ms);
  go_on();
}

void supervisor::give_up(const give_up_all& order) {
  ++heard_;
  gives_up_ = order.why;
  judging_ = false;
  go_on();
}

caf::result<void> supervisor::start_draining() {
  draining_ = true;
  hear_of_records(); // of those that are recorded from now on there will be word
  drained_ = self_->make_response_promise<void>();
  answer_drain_when_done();
  return drained_;
}

void supervisor::answer_drain_when_done() {
  if (drained_.pending() && queue_.in_flight() == 0 && queue_.unrecorded() == 0)
    drained_.deliver();
}

void supervisor::go_on() {
  go_on(with_.clock->now_us(), {});
}

void supervisor::go_on(std::int64_t now_us, places_news news) {
  hear_of_records();
  if (draining_) {
    if (news.offered > 0)
      with_.orders->push(handle{self_}, deliver{{}, news.offered});
    answer_drain_when_done();
    return;
  }
  const auto now = timestamp_ms{now_us / us_per_ms};
  if (gives_up_.empty())
    start_deliveries(now_us, news);
  else
    give_up_waiting(now, news);
  ask_for_more(now, now_us);
  if (is_idle(now, now_us))
    keep_earlier(idle_since_, now);
  else
    idle_since_.reset();
  if (idle_since_ && now - *idle_since_ >= with_.idle_ms)
    ask_to_retire(now_us);
  set_alarm(now, now_us);
}

bool supervisor::is_closed(std::int64_t now_us) const {
  return !queue_.enabled() || queue_.closed_until(now_us) > timestamp_ms{now_us / us_per_ms};
}

bool supervisor::is_idle(timestamp_ms now, std::int64_t now_us) const {
  // Persistence knows of what is settled and not recorded yet, and lets nobody go before it is.
  if (queue_.in_flight() > 0 || queue_.unrecorded_retries() > 0 || refilling_)
    return false;
  if (!gives_up_.empty())
    return queue_.waiting() == 0 && !next_due_;
  return is_closed(now_us) || (queue_.waiting() == 0 && (!next_due_ || *next_due_ > now));
}

void supervisor::start_deliveries(std::int64_t now_us, places_news news) {
  const bool joins = news.some_came_back && !std::exchange(in_line_, in_line_ || news.some_came_back);
  deliver orders;
  orders.offer_answered = news.offered;
  const auto at_most = in_line_ ? std::size_t{news.offered} : std::numeric_limits<std::size_t>::max();
  while (orders.jobs.size() < at_most) {
    auto next = queue_.start_next(now_us);
    if (!next)
      break;
    orders.jobs.push_back({with_.profile, next->position.sequence, next->attempts_made + 1, next->id,
                           std::move(next->envelope), next->what});
  }
  if (in_line_ && (joins || news.offered > 0)) {
    orders.wanted = static_cast<std::uint32_t>(queue_.startable(now_us));
    in_line_ = orders.wanted > 0;
    if (in_line_)
      orders.next = queue_.next_kind();
  }
  if (!orders.jobs.empty() || orders.offer_answered > 0 || orders.wanted > 0)
    with_.orders->push(handle{self_}, std::move(orders));
}

void supervisor::give_up_waiting(timestamp_ms now, places_news news) {
  in_line_ = in_line_ && news.offered == 0; // an offer that nothing is wanted of ends that
  if (news.offered > 0)
    with_.orders->push(handle{self_}, deliver{{}, news.offered});
  if (queue_.waiting() == 0)
    return;
  record_attempts record;
  record.seat = with_.seat;
  record.decisions = queue_.give_up_waiting(gives_up_, now);
  leave(std::move(record));
}

bool supervisor::opens_soon(std::int64_t now_us) const {
  return queue_.closed_until(now_us) - timestamp_ms{now_us / us_per_ms} <= look_ahead_ms;
}

void supervisor::ask_for_more(timestamp_ms now, std::int64_t now_us) {
  const auto beyond = now + longest_cap_ms_;
  const bool all = !gives_up_.empty(); // whenever they are due
  if (!all && next_due_ && *next_due_ > beyond)
    judging_ = true;
  if (refilling_ || window_full_ || !next_due_)
    return;
  if (!all && (!queue_.enabled() || (*next_due_ > now && !judging_) || !opens_soon(now_us)))
    return;
  if (queue_.waiting() > with_.window.events_for(with_.profile->config) / 4)
    return; // a refill costs a look at the index: take a good part of a window at a time
  refilling_ = true;
  refill_judges_ = judging_;
  refill_from_ = std::exchange(scan_from_, due_position{last_time, last_sequence});
  refill_until_ = all ? last_time : now;
  next_due_.reset();
  self_->send(with_.persistence, refill_window{with_.seat, refill_from_, refill_until_, queue_.held(),
                                               judging_ ? std::optional{beyond} : std::nullopt});
}

/// Not while persistence is asked whether it may go: the alarm would hold the memory of one that has gone, until what waits
/// in the index is due. With a no as an answer it goes on, and sets it.
void supervisor::set_alarm(timestamp_ms now, std::int64_t now_us) {
  if (retiring_)
    return;
  // In line it hears when its turn comes, and looks then whether it may.
  std::optional<timestamp_ms> wanted = in_line_ ? std::nullopt : queue_.opens_at(now_us);
  if (next_due_ && queue_.enabled()) {
    const auto reading_at = queue_.closed_until(now_us) - look_ahead_ms;
    if (const auto next = std::max(*next_due_, reading_at); next > now)
      keep_earlier(wanted, next);
  }
  if (idle_since_)
    keep_earlier(wanted, *idle_since_ + with_.idle_ms);
  if (!wanted || (alarm_at_ && *alarm_at_ <= *wanted))
    return;
  alarm_at_ = wanted;
  self_->send(with_.alarm, wake_me{*wanted});
}

void supervisor::ask_to_retire(std::int64_t now_us) {
  if (retiring_)
    return;
  retiring_ = true;
  if (queue_.waiting() > 0) // they can't start; whoever comes next finds them in the index
    give_back_some(std::numeric_limits<std::size_t>::max(), false);
  retire question{with_.seat, encode(queue_.state()), heard_, next_due_, std::nullopt, judging_};
  if (queue_.enabled() && is_closed(now_us))
    question.closed_until = queue_.closed_until(now_us);
  self_->request(with_.persistence, caf::infinite, std::move(question)).then([this](bool may_go) {
    retiring_ = false;
    idle_since_.reset();
    if (may_go)
      self_->quit();
    else
      go_on();
  });
}

} // namespace vicket
