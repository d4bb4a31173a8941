#include "actors/delivery.hpp"

#include "actors/scratch.hpp"
#include "policy/assertion.hpp"
#include "policy/charset.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <iterator>
#include <map>
#include <new>
#include <utility>

namespace vicket {

void result_inbox::push(std::uint64_t token, http_result&& result) {
  {
    std::lock_guard guard{mutex_};
    if (!owner_)
      return;
    entries_.emplace_back(token, std::move(result));
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

void result_inbox::take(std::vector<entry>& into) {
  empty_for_reuse(into, 1'024);
  std::lock_guard guard{mutex_};
  into.swap(entries_);
}

void result_inbox::close() {
  std::lock_guard guard{mutex_};
  owner_ = nullptr;
  entries_.clear();
}

namespace {

constexpr std::int64_t us_per_ms = 1'000;

/// The transport begins with so many while the next are being signed.
constexpr std::size_t max_postings = 32;

/// A body that ends inside a character ends before it, so that what is text stays so.
void drop_cut_character(attempt& value) {
  const auto whole = whole_character_bytes(value);
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
  value.response_headers = std::move(result.headers);
  value.response_headers_truncated = result.headers_truncated;
  if (value.response_truncated || result.failure)
    drop_cut_character(value);
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
                                                                                 *with_.transport)},
      dealer_{with_.max_in_flight}, short_{with_.shortages, with_.number} {
  self_->set_down_handler([this](const caf::down_msg& down) {
    const checked_after check{*this};
    lose(down);
  });
}

delivery::~delivery() {
  inbox_->close();
}

delivery::handle::behavior_type delivery::make_behavior() {
  return {
      [this](const wake_up&) {
        const checked_after check{*this};
        alarm_at_.reset();
        look_after_shortage();
        go_on();
      },
      [this](const orders_wait& call) {
        const checked_after check{*this};
        take_orders(*call.inbox);
      },
      [this](const collect_results&) {
        const checked_after check{*this};
        collect();
      },
      [this](const tick&) {
        const checked_after check{*this};
        tick_under_way_ = false;
        allow_backlog(with_.clock->now_us());
        go_on();
      },
  };
}

// -- starts -----------------------------------------------------------------------------------------------------------

void delivery::take_orders(order_inbox& from) {
  from.take(orders_);
  const auto now_us = with_.clock->now_us();
  const start_time now{{now_us / us_per_ms}, with_.clock->unix_seconds()};
  allow_backlog(now_us);
  for (auto left = orders_.size(); auto& order : orders_) {
    --left;
    if (postings_.capacity() == 0)
      postings_.reserve(std::min(left + order.what.jobs.size(), max_postings));
    take_order(order.whose, order.what, now);
  }
  orders_.clear();
  post();
  std::stable_sort(outgoing_.begin(), outgoing_.end(),
                   [](const auto& a, const auto& b) { return a.first->id() < b.first->id(); });
  go_on();
}

/// Of one that died meanwhile, too: of that we hear, and its successor starts over from the store.
void delivery::take_order(const supervisor_actor& supervisor, deliver& orders, const start_time& now) {
  short_.answered();
  const auto who = supervisor->id();
  if (!may_start(orders)) { // of a partition that may be another node's by now: it tries again after a moment
    dealer_.decline(who, orders.offer_answered);
    dealer_.want(who, 0, orders.next);
    watch_while_waiting(supervisor);
    return return_short(
        supervisor,
        {{std::make_move_iterator(orders.jobs.begin()), std::make_move_iterator(orders.jobs.end())}, true});
  }
  const auto started = start_jobs(supervisor, orders, now);
  dealer_.decline(who, orders.offer_answered - std::min<std::uint32_t>(orders.offer_answered,
                                                                       static_cast<std::uint32_t>(started)));
  dealer_.want(who, orders.wanted, orders.next);
  watch_while_waiting(supervisor);
  if (started < orders.jobs.size()) {
    std::vector<delivery_job> left{
        std::make_move_iterator(orders.jobs.begin() + static_cast<std::ptrdiff_t>(started)),
        std::make_move_iterator(orders.jobs.end())};
    if (short_.allows(in_flight()))
      outgoing_.emplace_back(supervisor, deliveries_done{{}, std::move(left)});
    else
      return_short(supervisor, {std::move(left), false});
  }
}

bool delivery::may_start(const deliver& orders) {
  const auto* permit = orders.jobs.empty() ? nullptr : orders.jobs.front().profile->permit.get();
  return permit == nullptr || permit->holds();
}

/// As many as there are places for, in their order: how many.
std::size_t delivery::start_jobs(const supervisor_actor& supervisor, deliver& orders, const start_time& now) {
  std::size_t started = 0;
  for (auto& job : orders.jobs) {
    if (!short_.allows(in_flight()))
      break;
    const auto place = started < orders.offer_answered ? dealer_.take_offered(supervisor->id(), job.what)
                                                       : dealer_.take(supervisor->id(), job.what);
    if (!place)
      break;
    ++started;
    start(supervisor, std::move(job), *place, now);
    if (postings_.size() >= max_postings)
      post();
  }
  return started;
}

void delivery::post() {
  if (!postings_.empty())
    with_.transport->post_all(std::exchange(postings_, {}));
}

void delivery::start(const supervisor_actor& supervisor, delivery_job job, const start_dealer::place& place,
                     const start_time& now) {
  const bool may_go = job.profile->endpoint->tls || with_.allow_http;
  const auto token = take_slot({supervisor, std::move(job), now.scheduled, place});
  if (!may_go) {
    http_result refused;
    refused.failure = outcome::blocked;
    refused.error =
        "the connector's URL is http:// and this node was started without --allow-http; nothing was sent";
    inbox_->push(token, std::move(refused));
    return;
  }
  try {
    postings_.push_back(posting_of(slot_of(token)->now.job, now.unix_seconds, token));
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

// -- the line ---------------------------------------------------------------------------------------------------------

/// One that dies in line, or with an offer, must not keep its places for ever.
void delivery::watch_while_waiting(const supervisor_actor& supervisor) {
  if (waiting_.empty() && !dealer_.has_line())
    return;
  const auto who = supervisor->id();
  if (dealer_.is_waiting(who)) {
    if (waiting_.emplace(who, supervisor).second)
      self_->monitor(supervisor);
  } else if (waiting_.erase(who) > 0) {
    self_->demonitor(supervisor);
  }
}

void delivery::lose(const caf::down_msg& down) {
  waiting_.erase(down.source.id());
  dealer_.forget(down.source.id());
  go_on();
}

void delivery::allow_backlog(std::int64_t now_us) {
  if (with_.intake) {
    const auto now_read = with_.intake->read_on(
        intake_read_, [&](std::int64_t duration_us) { pace_.fresh_accepted(duration_us, now_us); });
    pace_.events_came(now_read.events - intake_read_.events);
    intake_read_ = now_read;
  }
  backlog_allowed_ = pace_.allowance(now_us);
  dealer_.allow_backlog(backlog_allowed_);
}

/// After whatever has used of what was allowed, or given it back.
void delivery::note_backlog() {
  const auto left = dealer_.backlog_left();
  pace_.started(static_cast<std::int64_t>(backlog_allowed_ - left));
  backlog_allowed_ = left;
  if (!dealer_.backlog_waits() || std::exchange(tick_under_way_, true))
    return;
  self_->delayed_send(self_, std::chrono::microseconds{backlog_pace::refill_us}, tick{});
}

/// After every handler.
void delivery::go_on() {
  offer_places();
  note_backlog();
  send_outgoing();
}

/// Together with what is there for the same supervisor. None while the node is short of what starts take: who waits for
/// that gets word first.
void delivery::offer_places() {
  if (!short_.allows(in_flight()))
    return;
  dealer_.deal(offers_);
  const auto ready = outgoing_.size();
  for (const auto& offer : offers_) {
    const auto end = outgoing_.begin() + static_cast<std::ptrdiff_t>(ready);
    const auto known =
        std::lower_bound(outgoing_.begin(), end, offer.connector,
                         [](const auto& one, caf::actor_id wanted) { return one.first->id() < wanted; });
    if (known != end && known->first->id() == offer.connector)
      known->second.offered = offer.places;
    else
      outgoing_.emplace_back(waiting_.at(offer.connector), deliveries_done{{}, {}, offer.places});
  }
}

void delivery::send_outgoing() {
  for (auto& [supervisor, what] : outgoing_)
    self_->send(supervisor, std::move(what));
  outgoing_.clear();
}

// -- requests under way -----------------------------------------------------------------------------------------------

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
  place.now.job.profile->in_flight->begin();
  return std::uint64_t{++place.turn} << 32 | index;
}

delivery::slot* delivery::slot_of(std::uint64_t token) {
  const auto index = static_cast<std::uint32_t>(token);
  if (index >= slots_.size())
    return nullptr;
  auto& place = slots_[index];
  return place.now.supervisor && place.turn == token >> 32 ? &place : nullptr;
}

delivery::flight delivery::end_of(std::uint64_t token, slot& place, std::optional<std::int64_t> took_ms) {
  auto ended = std::exchange(place.now, {});
  free_slots_.push_back(static_cast<std::uint32_t>(token));
  ended.job.profile->in_flight->end();
  dealer_.give_back(ended.place, took_ms);
  return ended;
}

void delivery::collect() {
  // One message for each supervisor; its answers stay in the order in which they came.
  inbox_->take(results_);
  by_supervisor_.clear();
  for (std::size_t i = 0; i < results_.size(); ++i)
    if (const auto* place = slot_of(results_[i].token); place && !results_[i].result.shortage)
      by_supervisor_.emplace_back(place->now.supervisor->id(), i);
  std::sort(by_supervisor_.begin(), by_supervisor_.end());
  for (const auto& [whose, position] : by_supervisor_) {
    auto& [token, result] = results_[position];
    auto* place = slot_of(token);
    if (place == nullptr) // a second result of the same request
      continue;
    auto ended = end_of(token, *place, result.duration_us / us_per_ms);
    if (outgoing_.empty() || outgoing_.back().first->id() != whose)
      outgoing_.emplace_back(std::move(ended.supervisor), deliveries_done{});
    auto retry_after = std::move(result.retry_after);
    outgoing_.back().second.deliveries.push_back(
        {ended.job.sequence, classify(std::move(result), ended.job.attempt_number, ended.started_at),
         std::move(retry_after)});
  }
  return_what_was_short(results_);
  if (dealer_.backlog_waits())
    allow_backlog(with_.clock->now_us());
  go_on();
  if (!short_.looks_at())
    return;
  look_after_shortage(); // after the answers have gone out: one of them may hold who gets word
  go_on();
}

// -- what the node is short of ----------------------------------------------------------------------------------------

/// One message for each supervisor and kind of shortage; its deliveries stay in order.
void delivery::return_what_was_short(std::vector<result_inbox::entry>& results) {
  std::map<std::pair<caf::actor_id, bool>, std::pair<supervisor_actor, deliveries_returned>> by_supervisor;
  for (auto& [token, result] : results) {
    auto* place = result.shortage ? slot_of(token) : nullptr;
    if (place == nullptr)
      continue;
    auto ended = end_of(token, *place, std::nullopt);
    const bool of_destination = result.shortage->of_destination;
    if (of_destination)
      short_.came_back_from_destination(result.shortage->what, 1, with_.clock->now());
    else
      short_.came_back(result.shortage->what, in_flight(), with_.clock->now());
    auto& [whose, returned] = by_supervisor[{ended.supervisor->id(), of_destination}];
    whose = std::move(ended.supervisor);
    returned.of_destination = of_destination;
    returned.jobs.push_back(std::move(ended.job));
  }
  for (auto& [key, one] : by_supervisor)
    return_short(one.first, std::move(one.second));
}

void delivery::return_short(const supervisor_actor& to, deliveries_returned what) {
  if (!what.of_destination)
    short_.waits(to, what.jobs.size());
  self_->send(to, std::move(what));
}

void delivery::look_after_shortage() {
  if (!short_.looks_at())
    return;
  short_.look(in_flight(), with_.clock->now());
  for (const auto& next : short_.give_word(in_flight(), dealer_.places() - dealer_.used()))
    self_->send(next, start_again{});
  const auto at = short_.looks_at();
  if (!at || (alarm_at_ && *alarm_at_ <= *at))
    return;
  alarm_at_ = at;
  self_->send(with_.alarm, wake_me{*at});
}

void delivery::check() const {
  dealer_.check();
  VICKET_ASSERT(dealer_.used() == in_flight() + dealer_.offered());
  VICKET_ASSERT(dealer_.places() == with_.max_in_flight && dealer_.used() <= dealer_.places());
  VICKET_ASSERT(outgoing_.empty());
  for (const auto& [who, supervisor] : waiting_)
    VICKET_ASSERT(dealer_.is_waiting(who) && supervisor->id() == who);
}

} // namespace vicket
