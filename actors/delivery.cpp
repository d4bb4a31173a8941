#include "actors/delivery.hpp"

#include "policy/utf8.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace vicket {

void result_inbox::push(std::uint64_t token, http_result result) {
  {
    std::lock_guard guard{mutex_};
    if (!owner_)
      return;
    entries_.push_back({token, std::move(result)});
    if (entries_.size() > 1)
      return;
  }
  transport_.defer([self = shared_from_this()] { self->wake_owner(); });
}

void result_inbox::wake_owner() {
  delivery_actor owner;
  {
    std::lock_guard guard{mutex_};
    if (!entries_.empty())
      owner = owner_;
  }
  if (owner) // without the lock, which is the first thing that it will want
    caf::anon_send(owner, collect_results{});
}

std::vector<result_inbox::entry> result_inbox::take() {
  std::lock_guard guard{mutex_};
  return std::exchange(entries_, {});
}

void result_inbox::close() {
  std::lock_guard guard{mutex_};
  owner_ = nullptr;
  entries_.clear();
}

namespace {

/// A body that ends inside a character ends before it, so that what is text stays so.
void drop_cut_character(attempt& value) {
  const auto whole = whole_utf8_bytes(value.response_body);
  value.response_truncated = value.response_truncated || whole < value.response_body.size();
  value.response_body.resize(whole);
}

} // namespace

attempt classify(http_result&& result, std::uint32_t number, timestamp_ms started_at) {
  attempt value;
  value.number = number;
  value.started_at = started_at;
  value.duration_us = result.duration_us;
  value.phases = result.phases;
  value.status = result.status;
  value.error = std::move(result.error);
  value.response_body = std::move(result.body);
  value.response_body_bytes = result.body_bytes;
  value.response_truncated = result.body_truncated;
  if (value.response_truncated || result.failure)
    drop_cut_character(value);
  value.response_headers = std::move(result.headers);
  if (result.failure) {
    value.result = *result.failure;
  } else if (result.status && *result.status >= 200 && *result.status <= 299) {
    value.result = outcome::delivered; // seed: success is 2xx, nothing else
    value.error.clear();
  } else {
    value.result = outcome::http_status;
    const auto how_it_ended = value.error.empty() ? "" : " (" + value.error + ")";
    value.error = "the endpoint answered " + std::to_string(value.status.value_or(0)) + how_it_ended +
                  "; only 2xx is success";
    if (value.status && *value.status >= 300 && *value.status <= 399)
      value.error += ", redirects are not followed";
  }
  return value;
}

delivery::delivery(handle::pointer self, setup with)
    : self_{self}, with_{std::move(with)}, inbox_{std::make_shared<result_inbox>(handle{self},
                                                                                 *with_.transport)} {}

delivery::~delivery() {
  inbox_->close();
}

delivery::handle::behavior_type delivery::make_behavior() {
  return {
      [this](deliver& orders) { enqueue(orders); },
      [this](const collect_results&) { collect(); },
  };
}

void delivery::enqueue(deliver& orders) {
  auto supervisor = caf::actor_cast<supervisor_actor>(self_->current_sender());
  if (!supervisor)
    return; // it died; its successor starts over from the store
  for (auto& job : orders.jobs)
    waiting_.push_back({supervisor, std::move(job)});
  start_waiting();
}

void delivery::start_waiting() {
  if (waiting_.empty())
    return;
  std::vector<http_transport::posting> postings;
  const start_time now{with_.clock->now(), with_.clock->unix_seconds()};
  while (!waiting_.empty() && in_flight() < with_.max_in_flight) {
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    start(std::move(next), now, postings);
  }
  if (!postings.empty())
    with_.transport->post_all(std::move(postings));
}

void delivery::start(order next, const start_time& now, std::vector<http_transport::posting>& postings) {
  const auto& job = next.job;
  const auto& profile = *job.profile;
  const auto token =
      take_slot({std::move(next.supervisor), job.profile, job.sequence, job.attempt_number, now.scheduled});
  if (!profile.endpoint->tls && !with_.allow_http) {
    http_result refused;
    refused.failure = outcome::blocked;
    refused.error =
        "the connector's URL is http:// and this node was started without --allow-http; nothing was sent";
    inbox_->push(token, std::move(refused));
    return;
  }
  try {
    postings.push_back(posting_of(job, now.unix_seconds, token));
  } catch (const std::exception& problem) { // out of memory, say: this attempt failed, the others go on
    http_result failed;
    failed.failure = outcome::connect;
    failed.error = std::string{"the node could not send the request: "} + problem.what();
    inbox_->push(token, std::move(failed));
  }
}

http_transport::posting delivery::posting_of(const delivery_job& job, std::int64_t unix_seconds,
                                             std::uint64_t token) const {
  const auto& profile = *job.profile;
  http_request request;
  request.endpoint = profile.endpoint;
  request.header_lines = profile.head.header_lines(job.id, unix_seconds, *job.envelope, profile.key);
  request.body = job.envelope;
  request.timeout_ms = profile.config.timeout_ms;
  return {std::move(request),
          [inbox = inbox_, token](http_result result) { inbox->push(token, std::move(result)); }};
}

std::uint64_t delivery::take_slot(flight what) {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const auto index = free_slots_.back();
  free_slots_.pop_back();
  auto& place = slots_[index];
  place.now = std::move(what);
  place.now.profile->in_flight->begin();
  return std::uint64_t{++place.turn} << 32 | index;
}

delivery::slot* delivery::slot_of(std::uint64_t token) {
  const auto index = static_cast<std::uint32_t>(token);
  if (index >= slots_.size())
    return nullptr;
  auto& place = slots_[index];
  return place.now.supervisor && place.turn == token >> 32 ? &place : nullptr;
}

void delivery::collect() {
  // One message for each supervisor; its answers stay in the order in which they came.
  auto results = inbox_->take();
  by_supervisor_.clear();
  for (std::size_t i = 0; i < results.size(); ++i)
    if (const auto* place = slot_of(results[i].token))
      by_supervisor_.emplace_back(place->now.supervisor->id(), i);
  std::sort(by_supervisor_.begin(), by_supervisor_.end());
  supervisor_actor supervisor;
  deliveries_done done;
  const auto send = [&] {
    if (!done.deliveries.empty())
      self_->send(supervisor, std::exchange(done, {}));
  };
  for (const auto& [whose, position] : by_supervisor_) {
    auto& [token, result] = results[position];
    auto* place = slot_of(token);
    if (place == nullptr) // a second result of the same request
      continue;
    auto ended = std::exchange(place->now, {});
    free_slots_.push_back(static_cast<std::uint32_t>(token));
    ended.profile->in_flight->end();
    if (supervisor && supervisor->id() != whose)
      send();
    supervisor = std::move(ended.supervisor);
    auto retry_after = std::move(result.retry_after);
    done.deliveries.push_back({ended.sequence,
                               classify(std::move(result), ended.attempt_number, ended.started_at),
                               std::move(retry_after)});
  }
  send();
  start_waiting();
}

} // namespace vicket
