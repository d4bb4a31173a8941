#include "actors/persistence.hpp"

#include "actors/persistence_answers.hpp"
#include "actors/supervisor.hpp"
#include "policy/assertion.hpp"
#include "policy/connector_state.hpp"
#include "policy/envelope.hpp"
#include "policy/retry_after.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace vicket {

namespace {

refusal stopping() {
  return {errc::unavailable, "this node stops, or has just lost the partition to another: send again"};
}

refusal not_fresh() {
  return {
      errc::unavailable,
      "this node does not know for certain what the cluster knows at the moment: ask again a little later"};
}

/// What no gateway lets through: a defect there must not get into the store, where every start would find it again.
std::optional<refusal> not_composed(const composed_event& event) {
  if (event.workflow.size() <= max_workflow_bytes && event.run.size() <= max_workflow_bytes &&
      event.event.size() <= max_event_name_bytes && looks_like_envelope(event.envelope, event.id))
    return std::nullopt;
  return refusal{errc::invalid_event, "event " + event.id.to_string() + " for '" + event.connector.value +
                                          "' has no envelope that could be sent, a defect of this node: "
                                          "it is refused"};
}

} // namespace

/// The answer to a batch of events.
class persistence::waiting_batch final : public round_reply {
public:
  waiting_batch(caf::typed_response_promise<batch_result> promise, batch_result value,
                std::vector<std::size_t> depending)
      : promise_{std::move(promise)}, value_{std::move(value)}, depending_{std::move(depending)} {}

  void durable() override { promise_.deliver(std::move(value_)); }
  void refused(const store_status& why) override {
    for (const auto item : depending_)
      value_.results[item] = refusal_of_round(why);
    promise_.deliver(std::move(value_));
  }

private:
  caf::typed_response_promise<batch_result> promise_;
  batch_result value_;
  std::vector<std::size_t> depending_; ///< which of the results hold only with the round
};

persistence::persistence(handle::pointer self, setup with)
    : self_{self}, with_{std::move(with)}, rounds_{*with_.store,
                                                   {with_.window, with_.budget, with_.late_ms, with_.history,
                                                    [this] { return room_on_disk(); }, with_.max_unindexed}},
      records_{std::make_shared<record_inbox>(handle{self}, with_.attempt_wait_ms, rounds_.shared_budget())},
      orders_{std::make_shared<order_inbox>(with_.delivery)} {
  self_->set_down_handler([this](const caf::down_msg& down) { replace_supervisor(down); });
  // The store's reference to this actor goes with this object, which goes when the actor quits: no cycle is left.
  with_.store->on_trouble([me = handle{self_}] { caf::anon_send(me, look_at_store{}); });
}

persistence::~persistence() {
  with_.store->on_trouble({});
  records_->close();
  if (being_counted_)
    being_counted_->close();
  if (counter_)
    caf::anon_send_exit(counter_, caf::exit_reason::user_shutdown);
  for (const auto& each : supervisors_)
    if (each)
      caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
}

persistence::handle::behavior_type persistence::make_behavior() {
  load();
  return {
      [this](accept_events& request) {
        const checked_after check{rounds_};
        return accept(request);
      },
      [this](const put_connector& request) {
        const checked_after check{rounds_};
        return put(request);
      },
      [this](const get_connector& request) { return get(request); },
      [this](const delete_connector& request) {
        const checked_after check{rounds_};
        return remove(request);
      },
      [this](const list_connectors& request) { return list(request); },
      [this](put_setting& request) {
        const checked_after check{rounds_};
        return put(request);
      },
      [this](const delete_setting& request) {
        const checked_after check{rounds_};
        return remove(request);
      },
      [this](const get_setting& request) { return get(request); },
      [this](const list_settings& request) { return list(request); },
      [this](const settings_settled&) { answer_settled(); },
      [this](const refill_window& request) {
        const checked_after check{rounds_};
        check_sender(request.seat);
        refill(request);
      },
      [this](const retire& request) {
        const checked_after check{rounds_};
        check_sender(request.seat);
        return let_retire(request);
      },
      [this](const room_declined& declined) {
        const checked_after check{rounds_};
        check_sender(declined.seat);
        if (auto* owner = rounds_.seat(declined.seat))
          rounds_.budget().forget(owner->active->window);
        deal_room();
      },
      [this](const given_back& given) {
        const checked_after check{rounds_};
        check_sender(given.seat);
        take_back(given);
      },
      [this](const wake_up&) {
        const checked_after check{rounds_};
        alarm_at_.reset();
        wake_those_due();
      },
      [this](const tick&) {
        const checked_after check{rounds_};
        tick_under_way_ = false;
        commit();
      },
      [this](const look_for_room&) {
        const checked_after check{rounds_};
        refill_when_there_is_room();
      },
      [this](const attempts_waited&) {
        const checked_after check{rounds_};
        records_->heard();
        if (!tick_under_way_) // else they are committed then
          commit();
      },
      [this](const round_came_back& news) {
        const checked_after check{rounds_};
        round_is_back(news.status);
      },
      [this](const look_at_store& look) {
        const checked_after check{rounds_};
        watch_store(look);
      },
      [this](const watch_feed& request) { watch(request); },
      [this](const prepare_edge& request) {
        const checked_after check{rounds_};
        return prepare(request);
      },
      [this](const carry_over& request) {
        const checked_after check{rounds_};
        return carry(request);
      },
      [this](const move_edge& request) {
        const checked_after check{rounds_};
        return move(request);
      },
      [this](const get_partition_overview& request) {
        const checked_after check{rounds_};
        return overview(request);
      },
      [this](const drain&) {
        const checked_after check{rounds_};
        return start_draining();
      },
  };
}

// -- events -----------------------------------------------------------------------------------------------------------

caf::result<batch_result> persistence::accept(accept_events& request) {
  batch_result value;
  value.results.reserve(request.events.size());
  if (failed_ || draining_) {
    value.results.assign(request.events.size(), stopping());
    return value;
  }
  if (const auto away = log_is_away()) {
    value.results.assign(request.events.size(), *away);
    return value;
  }
  std::vector<std::size_t> depending;
  const auto now = with_.clock->now();
  for (auto& event : request.events) {
    if (auto no = not_composed(event)) {
      warn(no->detail);
      value.results.push_back(*std::move(no));
      continue;
    }
    auto answer = rounds_.accept(event, now);
    if (const auto* no = std::get_if<refusal>(&answer.result);
        no != nullptr && with_.permit && !with_.permit->is_fresh()) // another node may know better
      answer.result = not_fresh();
    if (answer.waits)
      depending.push_back(value.results.size());
    value.results.push_back(std::move(answer.result));
  }
  if (depending.empty() && store_is_healthy())
    return value;
  auto promise = self_->make_response_promise<batch_result>();
  if (failed_) // an id that could not be looked up must not pass for a new one: nothing is answered any more
    return promise;
  rounds_.reply_with_round(std::make_unique<waiting_batch>(promise, std::move(value), std::move(depending)));
  schedule_commit();
  return promise;
}

/// A cluster's log that can't be written to, or has not answered for a while: nothing more is taken, since nobody can say when
/// it would be answered.
std::optional<refusal> persistence::log_is_away() const {
  const auto waits_long =
      with_.permit && rounds_.on_its_way() && with_.clock->now_us() - appended_at_us_ > most_append_us;
  if (!away_ && !waits_long)
    return std::nullopt;
  return refusal{errc::unavailable,
                 "the cluster's log can't be written to at the moment: send again a little later"};
}

bool persistence::room_on_disk() const {
  if (disk_full_)
    return false;
  const auto space = with_.store->free_space();
  return space.free_bytes > space.reserve_bytes;
}

// -- attempts ---------------------------------------------------------------------------------------------------------

void persistence::collect_records() {
  const auto now = with_.clock->now();
  rounds_.took_records(records_->take(taken_));
  for (auto& each : taken_)
    rounds_.record(std::move(each), now);
  taken_.clear();
}

/// What is accepted as of a seat must come from the supervisor that sits there.
void persistence::check_sender(const supervisor_seat& seat) {
  if (invariants_are_checked() && rounds_.seat(seat) != nullptr)
    VICKET_ASSERT(self_->current_sender() == caf::actor_cast<caf::strong_actor_ptr>(supervisors_[seat.slot]));
}

void persistence::refill(const refill_window& request) {
  auto* owner = rounds_.seat(request.seat);
  if (failed_ || owner == nullptr)
    return;
  if (!with_.store->is_open()) { // what can't be read must not pass for "nothing waits"
    refills_waiting_.push_back(request);
    return;
  }
  // What is given up writes an attempt for each event: below the reserve that would take the room of all others.
  if (is_given_up(request.seat.slot) && !room_on_disk()) {
    if (std::none_of(given_up_without_room_.begin(), given_up_without_room_.end(),
                     [&](const refill_window& each) { return each.seat.slot == request.seat.slot; }))
      given_up_without_room_.push_back(request);
    look_for_room_later();
    return;
  }
  auto answer = rounds_.refill(*owner, request);
  if (!store_is_healthy())
    return;
  self_->send(supervisors_[request.seat.slot], std::move(answer));
  deal_room();
}

void persistence::look_for_room_later() {
  if (!std::exchange(room_is_looked_for_, true))
    self_->delayed_send(self_, std::chrono::milliseconds{full_retry_ms}, look_for_room{});
}

void persistence::refill_when_there_is_room() {
  room_is_looked_for_ = false;
  for (const auto& each : std::exchange(given_up_without_room_, {}))
    refill(each);
}

void persistence::take_back(const given_back& given) {
  if (rounds_.seat(given.seat) != nullptr && !failed_)
    rounds_.take_back(given.seat.slot, given.events);
  deal_room();
  schedule_commit();
}

/// Whoever waits for room in the windows and can have it now is told; and where somebody without any event finds none,
/// those who hold most are asked for some of theirs.
void persistence::deal_room() {
  auto& budget = rounds_.budget();
  if (budget.waiting() == 0)
    return;
  for (const auto slot : budget.call())
    self_->send(supervisors_[slot], room_for_more{});
  for (const auto& [slot, bytes] : budget.ask_back())
    if (slot < supervisors_.size() && supervisors_[slot])
      self_->send(supervisors_[slot], give_back{bytes});
    else // it holds what is on its way to it
      budget.answered(rounds_.at(slot).active->window, true);
}

// -- feed, retention, status, stop ------------------------------------------------------------------------------------

void persistence::watch(const watch_feed& request) {
  auto watcher = caf::actor_cast<history_reader_actor>(self_->current_sender());
  if (!watcher)
    return;
  if (last_attempt_ > request.after) {
    self_->send(watcher, feed_grew{with_.partition}); // it was committed between the reading and the watching
    return;
  }
  feed_watcher_ = watcher;
  feed_watched_ = true;
}

caf::result<void> persistence::prepare(const prepare_edge& request) {
  if (failed_ || draining_)
    return make_refusal(stopping());
  rounds_.prepare_edge(request.edge);
  return answer_with_round<void>([](auto& promise) { promise.deliver(); });
}

caf::result<void> persistence::carry(const carry_over& request) {
  if (failed_ || draining_)
    return make_refusal(stopping());
  rounds_.carry(request.carried, request.expired, request.late);
  return answer_with_round<void>([](auto& promise) { promise.deliver(); });
}

caf::result<void> persistence::move(const move_edge& request) {
  if (failed_ || draining_)
    return make_refusal(stopping());
  rounds_.move_edge(request.edge, request.last_lost_attempt);
  return answer_with_round<void>([](auto& promise) { promise.deliver(); });
}

/// Until when the connector is held, if it is.
std::optional<timestamp_ms> persistence::held_until(connector_slot slot, timestamp_ms now) const {
  const auto state = decode_connector_state(rounds_.at(slot).remembered());
  if (!state || !state->held || state->held->until <= now)
    return std::nullopt;
  const auto config = rounds_.config_of(slot);
  const auto until =
      config ? hold_of(*state, config->url) : state->held->until; // what can't be read is not denied
  return until ? std::optional{std::min(*until, now + longest_hold_ms)}
               : std::nullopt; // as its supervisor takes it
}

/// Costs what it shows, and the connectors that it passes over because they were busy a little while ago.
partition_overview persistence::overview(const get_partition_overview& request) {
  using verdict = busy_connectors::verdict;
  const auto now = with_.clock->now();
  const auto& pending = rounds_.pending();
  partition_overview answer;
  answer.partition.number = with_.partition;
  answer.partition.next_sequence = with_.store->next_sequence();
  answer.partition.settled_below = with_.store->settled_below();
  answer.partition.epoch = with_.store->epoch();
  answer.partition.accepting = room_on_disk();
  if (with_.permit && !with_.permit->is_fresh()) {
    answer.partition.accepting = false;
    answer.partition.why = not_fresh().detail;
  }
  answer.partition.pending = pending.total();
  answer.partition.in_flight = all_in_flight_->value();
  answer.partition.counting = pending.counting();
  answer.connectors_configured = rounds_.connectors();
  const auto settings = with_.store->settings();
  answer.settings = settings->size();
  answer.settings_bytes = settings->bytes();
  rounds_.visit_busy(request.after, [&](connector_slot slot, const partition_rounds::place& owner) {
    connector_status status;
    status.pending = pending.of(slot);
    if (const auto found = in_flight_.find(slot); found != in_flight_.end())
      status.in_flight = found->second->value();
    status.held_until = held_until(slot, now);
    status.problem = owner.complaint();
    if (status.pending == 0 && status.in_flight == 0 && !status.held_until && status.problem.empty())
      return verdict::drop;
    if (answer.connectors.size() >= request.limit) {
      answer.more = true;
      return verdict::stop;
    }
    status.id = owner.id;
    status.enabled = owner.enabled;
    status.oldest_pending_at = pending.oldest(slot);
    status.being_deleted = is_being_deleted(slot);
    answer.connectors.push_back(std::move(status));
    return verdict::keep;
  });
  return answer;
}

caf::result<void> persistence::start_draining() {
  draining_ = true;
  rounds_.tell_all_of_records();
  drained_ = self_->make_response_promise<void>();
  for (auto& each : std::exchange(given_up_, {})) // it goes on when it is asked for again
    for (auto& promise : each.promises)
      promise.deliver(make_refusal(stopping()));
  for (const auto& each : supervisors_) {
    if (!each)
      continue;
    ++supervisors_draining_;
    auto one_less = [this] {
      --supervisors_draining_;
      schedule_commit();
    };
    self_->request(each, caf::infinite, drain{}).then(one_less, [one_less](const caf::error&) {
      one_less();
    });
  }
  auto promise = drained_;
  schedule_commit();
  return promise;
}

void persistence::finish_drain_when_done() {
  if (draining_ && supervisors_draining_ == 0 && !rounds_.has_work() && !rounds_.on_its_way() &&
      drained_.pending())
    drained_.deliver();
}

// -- connectors that sleep --------------------------------------------------------------------------------------------

void persistence::wake_those_due() {
  if (failed_ || draining_ || !with_.store->is_open()) // it comes again when the store is open
    return;
  const auto now = with_.clock->now();
  for (std::size_t woken = 0; woken < max_woken && !sleepers_.empty() && sleepers_.next() <= now; ++woken) {
    const auto slot = sleepers_.first();
    if (rounds_.at(slot).enabled)
      static_cast<void>(supervisor_of(slot, true));
    sleepers_.erase(slot); // one that is disabled, or can't be used, waits until it is put
  }
  set_alarm();
}

void persistence::set_alarm() {
  if (sleepers_.empty() || (alarm_at_ && *alarm_at_ <= sleepers_.next()))
    return;
  alarm_at_ = sleepers_.next();
  if (*alarm_at_ <= with_.clock->now() && is_crowded())
    self_->delayed_send(self_, std::chrono::milliseconds{crowd_pause_ms}, wake_up{});
  else if (*alarm_at_ <= with_.clock->now())
    self_->send(self_, wake_up{}); // behind what others want meanwhile
  else
    self_->send(with_.alarm, wake_me{*alarm_at_});
}

std::string persistence::called() const {
  return "partition " + (with_.is_settings ? std::string{"settings"} : std::to_string(with_.partition));
}

void persistence::warn(const std::string& what) const {
  if (with_.log_warning)
    with_.log_warning(called() + ": " + what);
}

} // namespace vicket
