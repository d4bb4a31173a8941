#include "actors/persistence.hpp"

#include "actors/persistence_answers.hpp"
#include "policy/assertion.hpp"
#include "policy/connector_state.hpp"
#include "policy/retry_after.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace vicket {

namespace {

refusal stopping() {
  return {errc::unavailable, "the node is stopping: send again to its successor"};
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
      value_.results[item] = refusal{errc::storage_full, why.detail};
    promise_.deliver(std::move(value_));
  }

private:
  caf::typed_response_promise<batch_result> promise_;
  batch_result value_;
  std::vector<std::size_t> depending_; ///< which of the results hold only with the round
};

persistence::persistence(handle::pointer self, setup with)
    : self_{self}, with_{std::move(with)}, rounds_{*with_.store,
                                                   {with_.window, with_.late_ms, with_.history,
                                                    [this] { return room_on_disk(); }, with_.max_unindexed}},
      records_{std::make_shared<record_inbox>(handle{self}, with_.attempt_wait_ms)} {
  self_->set_down_handler([this](const caf::down_msg& down) { replace_supervisor(down); });
  // The store's reference to this actor goes with this object, which goes when the actor quits: no cycle is left.
  with_.store->on_trouble([me = handle{self_}] { caf::anon_send(me, look_at_store{}); });
}

persistence::~persistence() {
  with_.store->on_trouble({});
  records_->close();
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
      [this](const tick&) {
        const checked_after check{rounds_};
        tick_under_way_ = false;
        commit();
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
      [this](const get_live_counts&) { return count(); },
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
  std::vector<std::size_t> depending;
  const auto now = with_.clock->now();
  for (auto& event : request.events) {
    auto answer = rounds_.accept(event, now);
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

bool persistence::room_on_disk() const {
  if (disk_full_)
    return false;
  const auto space = with_.store->free_space();
  return space.free_bytes > space.reserve_bytes;
}

// -- attempts ---------------------------------------------------------------------------------------------------------

void persistence::collect_records() {
  const auto now = with_.clock->now();
  for (auto& each : records_->take())
    rounds_.record(std::move(each), now);
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
  auto answer = rounds_.refill(*owner, request);
  if (store_is_healthy())
    self_->send(supervisors_[request.seat.slot], std::move(answer));
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
std::optional<timestamp_ms> persistence::held_until(const partition_rounds::place& owner,
                                                    timestamp_ms now) const {
  const auto state = decode_connector_state(owner.state);
  const auto until = state ? hold_of(*state, owner.config.url) : std::nullopt;
  if (!until || *until <= now)
    return std::nullopt;
  return std::min(*until, now + longest_hold_ms); // as its supervisor takes it
}

live_counts persistence::count() const {
  const auto now = with_.clock->now();
  live_counts counts;
  counts.partition.number = with_.partition;
  counts.partition.next_sequence = with_.store->next_sequence();
  counts.partition.settled_below = with_.store->settled_below();
  counts.partition.epoch = with_.store->epoch();
  counts.partition.accepting = room_on_disk();
  counts.connectors_configured = rounds_.connectors();
  std::unordered_map<connector_id, connector_status> pending;
  rounds_.unindexed().for_each([&](const unindexed_events::entry& event) {
    auto& status = pending[*event.connector];
    ++status.pending;
    if (!status.oldest_pending_at || event.due < *status.oldest_pending_at)
      status.oldest_pending_at = event.due;
  });
  rounds_.for_each([&](connector_slot, const partition_rounds::place& owner) {
    const auto& id = owner.config.id;
    const auto found = pending.find(id);
    const auto held = held_until(owner, now);
    if (found == pending.end() && !owner.supervised && !owner.backlog && owner.complaint.empty() && !held)
      return;
    auto status = found != pending.end() ? found->second : connector_status{};
    status.id = id;
    status.enabled = owner.config.enabled;
    status.problem = owner.complaint;
    status.held_until = held;
    counts.connectors.push_back(std::move(status));
  });
  return counts;
}

caf::result<void> persistence::start_draining() {
  draining_ = true;
  drained_ = self_->make_response_promise<void>();
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

void persistence::warn(const std::string& what) const {
  if (with_.log_warning)
    with_.log_warning("partition " + std::to_string(with_.partition) + ": " + what);
}

} // namespace vicket
