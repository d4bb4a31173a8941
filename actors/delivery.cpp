#include "actors/delivery.hpp"

#include "policy/utf8.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <exception>
#include <iterator>
#include <map>
#include <new>
#include <unordered_map>
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
    : self_{self}, with_{std::move(with)},
      inbox_{std::make_shared<result_inbox>(handle{self}, *with_.transport)}, short_{with_.shortages,
                                                                                     with_.partition} {}

delivery::~delivery() {
  inbox_->close();
}

delivery::handle::behavior_type delivery::make_behavior() {
  return {
      [this](const wake_up&) {
        alarm_at_.reset();
        look_after_shortage();
      },
      [this](deliver& orders) { enqueue(orders); },
      [this](const collect_results&) { collect(); },
      [this](const get_in_flight&) { return count(); },
  };
}

void delivery::enqueue(deliver& orders) {
  auto supervisor = caf::actor_cast<supervisor_actor>(self_->current_sender());
  if (!supervisor)
    return; // it died; its successor starts over from the store
  short_.answered();
  for (auto& job : orders.jobs)
    waiting_.push_back({supervisor, std::move(job)});
  start_waiting();
}

void delivery::start_waiting() {
  if (waiting_.empty())
    return;
  std::vector<http_transport::posting> postings;
  const start_time now{with_.clock->now(), with_.clock->unix_seconds()};
  while (!waiting_.empty() && in_flight() < with_.max_in_flight && short_.allows(in_flight())) {
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    start(std::move(next), now, postings);
  }
  if (!postings.empty())
    with_.transport->post_all(std::move(postings));
  if (!waiting_.empty() && !short_.allows(in_flight()))
    give_back_what_waits();
}

void delivery::give_back_what_waits() {
  std::vector<order> orders{std::make_move_iterator(waiting_.begin()),
                            std::make_move_iterator(waiting_.end())};
  waiting_.clear();
  give_back(std::move(orders), false);
}

void delivery::start(order next, const start_time& now, std::vector<http_transport::posting>& postings) {
  const auto token = take_slot({std::move(next), now.scheduled});
  const auto& job = slot_of(token)->now.what.job;
  const auto& profile = *job.profile;
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
  } catch (const std::bad_alloc&) {
    http_result none;
    none.shortage = own_shortage{"memory"};
    inbox_->push(token, std::move(none));
  } catch (const std::exception& problem) { // this attempt failed, the others go on
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
  return std::uint64_t{++place.turn} << 32 | index;
}

delivery::slot* delivery::slot_of(std::uint64_t token) {
  const auto index = static_cast<std::uint32_t>(token);
  if (index >= slots_.size())
    return nullptr;
  auto& place = slots_[index];
  return place.now.what.supervisor && place.turn == token >> 32 ? &place : nullptr;
}

void delivery::collect() {
  // One message for each supervisor; its answers stay in the order in which they came.
  auto results = inbox_->take();
  by_supervisor_.clear();
  for (std::size_t i = 0; i < results.size(); ++i)
    if (const auto* place = slot_of(results[i].token); place && !results[i].result.shortage)
      by_supervisor_.emplace_back(place->now.what.supervisor->id(), i);
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
    if (supervisor && supervisor->id() != whose)
      send();
    supervisor = std::move(ended.what.supervisor);
    const auto& job = ended.what.job;
    auto retry_after = std::move(result.retry_after);
    done.deliveries.push_back({job.sequence,
                               classify(std::move(result), job.attempt_number, ended.started_at),
                               std::move(retry_after)});
  }
  send();
  give_back_what_was_short(results);
  start_waiting();
  look_after_shortage();
}

void delivery::give_back_what_was_short(std::vector<result_inbox::entry>& results) {
  std::vector<order> of_node, of_destination;
  for (auto& [token, result] : results) {
    auto* place = result.shortage ? slot_of(token) : nullptr;
    if (place == nullptr)
      continue;
    auto& group = result.shortage->of_destination ? of_destination : of_node;
    group.push_back(std::exchange(place->now, {}).what);
    free_slots_.push_back(static_cast<std::uint32_t>(token));
    if (result.shortage->of_destination)
      short_.came_back_from_destination(result.shortage->what, 1, with_.clock->now());
    else
      short_.came_back(result.shortage->what, in_flight(), with_.clock->now());
  }
  give_back(std::move(of_node), false);
  give_back(std::move(of_destination), true);
}

/// One message for each supervisor; its deliveries stay in order.
void delivery::give_back(std::vector<order> orders, bool of_destination) {
  std::map<caf::actor_id, std::pair<supervisor_actor, deliveries_returned>> by_supervisor;
  for (auto& [supervisor, job] : orders) {
    auto& [whose, returned] = by_supervisor[supervisor->id()];
    whose = supervisor;
    returned.of_destination = of_destination;
    returned.jobs.push_back(std::move(job));
  }
  for (auto& [id, one] : by_supervisor) {
    if (!of_destination)
      short_.waits(one.first, one.second.jobs.size());
    self_->send(one.first, std::move(one.second));
  }
}

void delivery::look_after_shortage() {
  const auto at_first = short_.looks_at();
  if (!at_first)
    return;
  short_.look(in_flight(), with_.clock->now());
  start_waiting();
  for (const auto& next : short_.give_word(in_flight(), with_.max_in_flight - in_flight()))
    self_->send(next, start_again{});
  const auto at = short_.looks_at();
  if (!at || (alarm_at_ && *alarm_at_ <= *at))
    return;
  alarm_at_ = at;
  self_->send(with_.alarm, wake_me{*at});
}

in_flight_counts delivery::count() const {
  std::unordered_map<connector_id, std::uint64_t> counts;
  for (const auto& one : slots_)
    if (one.now.what.supervisor)
      ++counts[one.now.what.job.profile->config.id];
  in_flight_counts result;
  result.connectors.assign(counts.begin(), counts.end());
  return result;
}

} // namespace vicket
