#include "actors/connector_queue.hpp"

#include "actors/window_budget.hpp"
#include "policy/retry_after.hpp"
#include "policy/retry_schedule.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

namespace vicket {

namespace {

constexpr std::int64_t us_per_ms = 1'000;

/// Memory of an empty queue beyond this many places is given back.
constexpr std::size_t max_kept_places = 32;
/// Places of events that have gone are closed up when there are this many, and as many as others: each event is moved
/// once on average.
constexpr std::size_t min_gone_places = 16;

std::int64_t offset_of(const connector_id& id) {
  return static_cast<std::int64_t>(std::hash<std::string>{}(id.value) % std::size_t{retry_grid_ms});
}

} // namespace

connector_queue::connector_queue(std::shared_ptr<const connector> config, const connector_state& remembered)
    : max_in_flight_{config->max_in_flight}, enabled_{config->enabled}, has_rate_{config->rate.has_value()},
      config_{std::move(config)}, shaper_{config_->rate}, grid_offset_ms_{offset_of(config_->id)} {
  if (remembered.rate_taken_until_us)
    shaper_.restore(*remembered.rate_taken_until_us);
  if (const auto until = hold_of(remembered, config_->url))
    hold_.begin(*until);
}

void connector_queue::reconfigure(std::shared_ptr<const connector> config) {
  if (config->rate != config_->rate)
    shaper_.reconfigure(config->rate);
  if (config->url != config_->url) // another endpoint, which has asked for nothing yet
    hold_.forget();
  config_ = std::move(config);
  enabled_ = config_->enabled;
  has_rate_ = config_->rate.has_value();
  max_in_flight_ = config_->max_in_flight;
}

bool connector_queue::add(due_event event, start_kind what) {
  return !is_under_way(event.position.sequence) && insert({std::move(event), what});
}

bool connector_queue::insert(queued_event event) {
  auto at = waiting_.end();
  if (waiting() > 0 && event.position <= waiting_.back().position) { // most are the last
    at = std::lower_bound(
        waiting_.begin() + static_cast<std::ptrdiff_t>(first_waiting_), waiting_.end(), event.position,
        [](const queued_event& one, const due_position& wanted) { return one.position < wanted; });
    if (at->position == event.position)
      return false;
  }
  waiting_.insert(at, std::move(event));
  return true;
}

bool connector_queue::is_under_way(log_sequence sequence) const {
  const auto is_it = [sequence](const decided& one) { return one.sequence == sequence; };
  return std::any_of(in_flight_.begin(), in_flight_.end(),
                     [&](const flight& one) { return one.position.sequence == sequence; }) ||
         std::any_of(unrecorded_.begin(), unrecorded_.end(), is_it);
}

bool connector_queue::is_short(std::int64_t now_us) const noexcept {
  return waits_for_word_ || (short_until_ && timestamp_ms{now_us / us_per_ms} < *short_until_);
}

std::size_t connector_queue::in_flight_limit() const noexcept {
  return hold_.in_flight_limit(breaker_.in_flight_limit(max_in_flight_));
}

void connector_queue::end_hold(std::int64_t now_us) {
  const auto until = hold_.held_until();
  if (!hold_.ends_by({now_us / us_per_ms}) || !has_rate_)
    return;
  shaper_.spend_burst(until->value * us_per_ms); // what waited goes at the rate, from its first on
  hold_.forget();
}

std::optional<connector_queue::queued_event> connector_queue::start_next(std::int64_t now_us) {
  end_hold(now_us);
  if (!enabled_ || waiting() == 0 || is_short(now_us) || !has_place() || rate_wait_us(now_us) > 0)
    return std::nullopt;
  if (has_rate_)
    shaper_.take(now_us);
  std::optional<queued_event> next{std::move(waiting_[first_waiting_++])};
  if (first_waiting_ == waiting_.size()) {
    first_waiting_ = 0;
    if (waiting_.capacity() > max_kept_places)
      waiting_events{}.swap(waiting_);
    else
      waiting_.clear();
  } else if (first_waiting_ >= min_gone_places && first_waiting_ * 2 >= waiting_.size()) {
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(first_waiting_));
    first_waiting_ = 0;
  }
  in_flight_.push_back({next->position, next->accepted_at, next->envelope ? next->envelope->size() : 0});
  return next;
}

void connector_queue::put_back(delivery_job job) {
  const auto found = flight_of(job.sequence);
  if (found == in_flight_.end())
    return;
  queued_event event;
  event.position = found->position;
  event.attempts_made = job.attempt_number - 1;
  event.id = job.id;
  event.accepted_at = found->accepted_at;
  event.envelope = std::move(job.envelope);
  event.what = job.what;
  *found = in_flight_.back();
  in_flight_.pop_back();
  if (has_rate_)
    shaper_.give_back();
  insert(std::move(event));
}

std::size_t connector_queue::startable(std::int64_t now_us) {
  end_hold(now_us);
  if (!enabled_ || waiting() == 0 || is_short(now_us) || !has_place() || rate_wait_us(now_us) > 0)
    return 0;
  return has_rate_ ? 1 : std::min(waiting(), in_flight_limit() - in_flight_.size());
}

std::optional<timestamp_ms> connector_queue::opens_at(std::int64_t now_us) const {
  if (!enabled_ || waiting() == 0 || waits_for_word_)
    return std::nullopt;
  if (const auto until = hold_.held_until())
    return until;
  if (short_until_ && timestamp_ms{now_us / us_per_ms} < *short_until_)
    return short_until_;
  if (!has_place())
    return std::nullopt;
  const auto wait_us = rate_wait_us(now_us);
  if (wait_us <= 0)
    return std::nullopt;
  return timestamp_ms{(now_us + wait_us + us_per_ms - 1) / us_per_ms};
}

timestamp_ms connector_queue::closed_until(std::int64_t now_us) const {
  const timestamp_ms now{now_us / us_per_ms};
  if (const auto until = hold_.held_until())
    return std::max(now, *until);
  return std::max(now, timestamp_ms{(now_us + rate_wait_us(now_us)) / us_per_ms});
}

std::vector<returned_event> connector_queue::give_back(std::size_t bytes, bool keep_one) {
  std::vector<returned_event> given;
  const auto kept = first_waiting_ + (keep_one && in_flight_.empty() && unrecorded_.empty() ? 1 : 0);
  for (std::size_t sum = 0; sum < bytes && waiting_.size() > kept; waiting_.pop_back()) {
    const auto& last = waiting_.back();
    given.push_back({last.position, last.envelope ? last.envelope->size() : 0});
    sum += window_budget::weight(given.back().envelope_bytes);
  }
  if (first_waiting_ == waiting_.size()) {
    first_waiting_ = 0;
    waiting_.clear();
  }
  return given;
}

std::optional<attempt_decision> connector_queue::decide(finished_delivery finished, timestamp_ms now,
                                                        const clock_jumps& jumps, std::uint64_t random) {
  const auto found = flight_of(finished.sequence);
  if (found == in_flight_.end())
    return std::nullopt;
  short_until_.reset();
  moment_.reset();
  std::optional<attempt_decision> made{std::in_place};
  auto& decision = *made;
  decision.was = found->position;
  decision.accepted_at = found->accepted_at;
  decision.envelope_bytes = found->envelope_bytes;
  decision.value = std::move(finished.value);
  if (decision.value.result == outcome::delivered) {
    breaker_.succeeded();
    hold_.succeeded(max_in_flight_);
    decision.state_after = event_state::delivered;
  } else {
    breaker_.failed();
    retry_input input;
    input.attempt_number = decision.value.number;
    input.accepted_at = found->accepted_at + jumps.since_ms(found->accepted_at);
    input.now = now;
    if (!finished.retry_after.empty()) {
      auto hint = heed_retry_after(finished.retry_after, decision.value.status, config_->retry, now);
      if (hint.not_before)
        input.retry_after_ms = *hint.not_before - now;
      if (hint.held_until)
        hold_.begin(*hint.held_until);
      decision.value.retry_after = std::move(hint);
    }
    input.random = random;
    input.grid_offset_ms = grid_offset_ms_;
    decision.value.next_attempt_at = next_attempt_at(config_->retry, input);
    decision.state_after = decision.value.next_attempt_at ? event_state::pending : event_state::failed;
  }
  const bool again = decision.state_after == event_state::pending;
  unrecorded_.push_back({finished.sequence, again ? decided::retry : decided::not_left});
  unrecorded_retries_ += again ? 1 : 0;
  *found = in_flight_.back();
  in_flight_.pop_back();
  return made;
}

std::vector<attempt_decision> connector_queue::give_up_waiting(std::string_view why, timestamp_ms now) {
  std::vector<attempt_decision> made;
  made.reserve(waiting());
  for (auto i = first_waiting_; i < waiting_.size(); ++i) {
    const auto& event = waiting_[i];
    auto& decision = made.emplace_back();
    decision.was = event.position;
    decision.accepted_at = event.accepted_at;
    decision.envelope_bytes = event.envelope ? event.envelope->size() : 0;
    decision.state_after = event_state::failed;
    decision.value.number = event.attempts_made + 1;
    decision.value.started_at = now;
    decision.value.result = outcome::blocked;
    decision.value.error = why;
    unrecorded_.push_back({event.position.sequence});
  }
  waiting_events{}.swap(waiting_);
  first_waiting_ = 0;
  return made;
}

connector_queue::flights::iterator connector_queue::flight_of(log_sequence sequence) {
  return std::find_if(in_flight_.begin(), in_flight_.end(),
                      [&](const flight& one) { return one.position.sequence == sequence; });
}

void connector_queue::wait_for_moment(timestamp_ms now) {
  if (!short_until_ || *short_until_ <= now) // else one more of the same try
    short_until_ = now + moment_.next_ms();
}

connector_queue::decisions::iterator connector_queue::decided_of(log_sequence sequence) {
  return std::find_if(unrecorded_.begin(), unrecorded_.end(),
                      [sequence](const decided& one) { return one.sequence == sequence; });
}

void connector_queue::not_tried_again(log_sequence sequence) {
  const auto found = decided_of(sequence);
  if (found == unrecorded_.end() || found->record != decided::retry)
    return;
  found->record = decided::not_left;
  --unrecorded_retries_;
}

void connector_queue::left_for_record(std::uint64_t number) {
  for (auto& one : unrecorded_)
    if (one.record == decided::not_left)
      one.record = number;
}

void connector_queue::recorded_through(std::uint64_t number) {
  const auto is_durable = [number](const decided& one) { return one.record <= number; };
  unrecorded_.erase(std::remove_if(unrecorded_.begin(), unrecorded_.end(), is_durable), unrecorded_.end());
}

void connector_queue::recorded(log_sequence sequence) {
  const auto found = decided_of(sequence);
  if (found == unrecorded_.end())
    return;
  unrecorded_retries_ -= found->record == decided::retry ? 1 : 0;
  *found = unrecorded_.back();
  unrecorded_.pop_back();
}

std::vector<log_sequence> connector_queue::held() const {
  std::vector<log_sequence> sequences;
  sequences.reserve(waiting() + in_flight_.size() + unrecorded_.size());
  for (auto i = first_waiting_; i < waiting_.size(); ++i)
    sequences.push_back(waiting_[i].position.sequence);
  for (const auto& one : in_flight_)
    sequences.push_back(one.position.sequence);
  for (const auto& one : unrecorded_)
    sequences.push_back(one.sequence);
  std::sort(sequences.begin(), sequences.end());
  return sequences;
}

connector_state connector_queue::state() const {
  connector_state state;
  if (has_rate_)
    state.rate_taken_until_us = shaper_.state();
  if (const auto until = hold_.remembered())
    state.held = make_hold(*until, config_->url);
  return state;
}

} // namespace vicket
