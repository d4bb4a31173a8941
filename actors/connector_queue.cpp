#include "actors/connector_queue.hpp"

#include "policy/retry_after.hpp"
#include "policy/retry_schedule.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

namespace vicket {

namespace {

constexpr std::int64_t us_per_ms = 1'000;

std::int64_t offset_of(const connector_id& id) {
  return static_cast<std::int64_t>(std::hash<std::string>{}(id.value) % std::size_t{retry_grid_ms});
}

} // namespace

connector_queue::connector_queue(const connector& config, std::optional<std::int64_t> shaper_state)
    : config_{config}, grid_offset_ms_{offset_of(config.id)}, shaper_{config.rate} {
  if (shaper_state)
    shaper_.restore(*shaper_state);
}

void connector_queue::reconfigure(const connector& config) {
  if (config.rate != config_.rate)
    shaper_.reconfigure(config.rate);
  config_ = config;
}

void connector_queue::add(waiting_event event) {
  const auto sequence = event.position.sequence;
  if (in_flight_.contains(sequence) || unrecorded_.contains(sequence))
    return;
  waiting_.try_emplace(event.position, std::move(event));
}

bool connector_queue::has_place() const noexcept {
  return in_flight_.size() < breaker_.in_flight_limit(config_.max_in_flight);
}

const waiting_event* connector_queue::start_next(std::int64_t now_us) {
  if (!config_.enabled || waiting_.empty() || !has_place() || shaper_.wait_us(now_us) > 0)
    return nullptr;
  shaper_.take(now_us);
  auto first = waiting_.extract(waiting_.begin());
  const auto sequence = first.key().sequence;
  return &in_flight_.try_emplace(sequence, std::move(first.mapped())).first->second;
}

std::optional<timestamp_ms> connector_queue::rate_opens_at(std::int64_t now_us) const {
  if (!config_.enabled || waiting_.empty() || !has_place())
    return std::nullopt;
  const auto wait_us = shaper_.wait_us(now_us);
  if (wait_us <= 0)
    return std::nullopt;
  return timestamp_ms{(now_us + wait_us + us_per_ms - 1) / us_per_ms};
}

std::optional<attempt_decision> connector_queue::decide(const finished_delivery& finished, timestamp_ms now,
                                                        std::uint64_t random) {
  auto found = in_flight_.find(finished.sequence);
  if (found == in_flight_.end())
    return std::nullopt;
  const auto& event = found->second;
  attempt_decision decision;
  decision.was = event.position;
  decision.envelope_bytes = event.event.envelope ? event.event.envelope->size() : 0;
  decision.value = finished.value;
  if (finished.value.result == outcome::delivered) {
    breaker_.succeeded();
    decision.state_after = event_state::delivered;
  } else {
    breaker_.failed();
    retry_input input;
    input.attempt_number = finished.value.number;
    input.accepted_at = event.event.accepted_at;
    input.now = now;
    if (!finished.retry_after.empty())
      input.retry_after_ms = parse_retry_after(finished.retry_after, now);
    input.random = random;
    input.grid_offset_ms = grid_offset_ms_;
    decision.value.next_attempt_at = next_attempt_at(config_.retry, input);
    decision.state_after = decision.value.next_attempt_at ? event_state::pending : event_state::failed;
  }
  unrecorded_.insert(finished.sequence);
  in_flight_.erase(found);
  return decision;
}

void connector_queue::recorded(log_sequence sequence) {
  unrecorded_.erase(sequence);
}

std::vector<log_sequence> connector_queue::held() const {
  std::vector<log_sequence> sequences;
  sequences.reserve(waiting_.size() + in_flight_.size() + unrecorded_.size());
  for (const auto& [position, event] : waiting_)
    sequences.push_back(position.sequence);
  for (const auto& [sequence, event] : in_flight_)
    sequences.push_back(sequence);
  sequences.insert(sequences.end(), unrecorded_.begin(), unrecorded_.end());
  std::sort(sequences.begin(), sequences.end());
  return sequences;
}

std::optional<std::int64_t> connector_queue::shaper_state() const {
  if (!config_.rate)
    return std::nullopt;
  return shaper_.state();
}

} // namespace vicket
