#include "actors/persistence.hpp"

#include "policy/event_filter.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace vicket {

persistence::persistence(handle::pointer self, setup with)
    : self_{self}, with_{std::move(with)}, records_{std::make_shared<record_inbox>(handle{self},
                                                                                   with_.attempt_wait_ms)} {
  self_->set_down_handler([this](const caf::down_msg& down) { replace_supervisor(down); });
  // The store's reference to this actor goes with this object, which goes when the actor quits: no cycle is left.
  with_.store->on_trouble([me = handle{self_}] { caf::anon_send(me, look_at_store{}); });
}

persistence::~persistence() {
  with_.store->on_trouble({});
  records_->close();
  for (auto& [id, owner] : connectors_)
    if (owner->supervisor)
      caf::anon_send_exit(owner->supervisor, caf::exit_reason::user_shutdown);
}

persistence::handle::behavior_type persistence::make_behavior() {
  load();
  return {
      [this](accept_events& request) { return accept(request); },
      [this](const put_connector& request) { return put(request); },
      [this](const get_connector& request) { return get(request); },
      [this](const delete_connector& request) { return remove(request); },
      [this](const list_connectors& request) { return list(request); },
      [this](const refill_window& request) { refill(request); },
      [this](const retire& request) { return let_retire(request); },
      [this](const tick&) {
        tick_under_way_ = false;
        commit();
      },
      [this](const attempts_waited&) {
        records_->heard();
        if (!tick_under_way_) // else they are committed then
          commit();
      },
      [this](const look_at_store& look) { watch_store(look); },
      [this](const watch_feed& request) { watch(request); },
      [this](const forget_below& request) { forget(request); },
      [this](const get_live_counts&) { return count(); },
      [this](const drain&) { return start_draining(); },
  };
}

// -- start ------------------------------------------------------------------------------------------------------------

void persistence::load() {
  for (auto& config : with_.store->connectors()) {
    auto id = config.id;
    auto loaded = std::make_unique<entry>();
    loaded->config = std::move(config);
    connectors_.emplace(std::move(id), std::move(loaded));
  }
  for (const auto& [id, state] : with_.store->shaper_states())
    if (auto found = connectors_.find(id); found != connectors_.end())
      found->second->shaper_state = state;
  for (const auto& [id, first_due] : with_.store->waiting_connectors()) {
    auto found = connectors_.find(id);
    if (found == connectors_.end())
      continue;
    found->second->backlog = true;
    self_->send(supervisor_of(*found->second), backlog_grew{{first_due, 0}});
  }
}

// -- events -----------------------------------------------------------------------------------------------------------

caf::result<batch_result> persistence::accept(accept_events& request) {
  waiting_reply reply;
  reply.value.results.reserve(request.events.size());
  const auto staged_before = staged_events_.size();
  bool waits_for_commit = false;
  const auto now = with_.clock->now();
  for (auto& event : request.events) {
    reply.value.results.push_back(accept_one(event, now));
    if (staged_events_.size() > staged_before + reply.staged.size())
      reply.staged.push_back(reply.value.results.size() - 1);
    const auto* done = std::get_if<accepted>(&reply.value.results.back());
    waits_for_commit =
        waits_for_commit || (done != nullptr && (!done->duplicate || staged_ids_.contains(done->id)));
  }
  if (!waits_for_commit)
    return std::move(reply.value);
  reply.promise = self_->make_response_promise<batch_result>();
  auto promise = reply.promise;
  replies_.push_back(std::move(reply));
  schedule_commit();
  return promise;
}

send_result persistence::accept_one(composed_event& event, timestamp_ms now) {
  auto found = connectors_.find(event.connector);
  auto* owner = found == connectors_.end() ? nullptr : found->second.get();
  if (auto no = refuse(event, owner))
    return *std::move(no);
  const auto id = event.id;
  if (event.id_of_sender && (staged_ids_.contains(id) || with_.store->find_event(id)))
    return accepted{id, true};
  if (!room_on_disk())
    return refusal{errc::storage_full,
                   "the node's disk is full: free some space, it goes on by itself; pending "
                   "events are still delivered"};
  stage(*owner, event, now);
  return accepted{id, false};
}

std::optional<refusal> persistence::refuse(const composed_event& event, const entry* owner) {
  if (failed_ || draining_)
    return refusal{errc::unavailable, "the node is stopping: send again to its successor"};
  if (owner == nullptr)
    return refusal{errc::unknown_connector, "no connector has the id '" + event.connector.value + "'"};
  if (!owner->config.enabled)
    return refusal{errc::connector_disabled, "connector '" + event.connector.value + "' is disabled"};
  if (!event_matches(owner->config.events, event.event))
    return refusal{errc::filtered, "none of the events patterns of connector '" + event.connector.value +
                                       "' matches '" + event.event + "'"};
  return std::nullopt;
}

void persistence::stage(entry& owner, composed_event& event, timestamp_ms now) {
  staged_event staged;
  staged.owner = &owner;
  auto& stored = staged.event.event;
  stored.sequence = with_.store->allocate_sequence();
  stored.id = event.id;
  stored.connector = std::move(event.connector);
  stored.event = std::move(event.event);
  stored.workflow = std::move(event.workflow);
  stored.run = std::move(event.run);
  stored.accepted_at = now;
  stored.envelope = std::make_shared<const std::string>(std::move(event.envelope));
  staged.event.position = {stored.accepted_at, stored.sequence};
  const auto bytes = stored.envelope->size();
  staged.waits = owner.backlog || !has_room(owner, bytes);
  if (staged.waits) {
    owner.backlog = true;
  } else {
    ++owner.held_events;
    owner.held_bytes += bytes;
    unindexed_.add({stored.sequence, stored.accepted_at, &owner.config.id});
  }
  if (event.id_of_sender)
    staged_ids_.insert(event.id);
  batch_.add_event(stored, staged.waits);
  staged_events_.push_back(std::move(staged));
}

bool persistence::has_room(const entry& owner, std::size_t bytes) const {
  return owner.held_events == 0 || (owner.held_events < with_.window.events_for(owner.config) &&
                                    owner.held_bytes + bytes <= with_.window.bytes);
}

bool persistence::room_on_disk() {
  if (disk_full_)
    return false;
  if (!room_on_disk_) { // looked at once for a batch; while there is none, each time, since nothing else may come
    const auto space = with_.store->free_space();
    room_on_disk_ = space.free_bytes > space.reserve_bytes;
  }
  return room_on_disk_;
}

// -- attempts ---------------------------------------------------------------------------------------------------------

void persistence::collect_records() {
  for (auto& each : records_->take())
    record(std::move(each));
}

void persistence::record(record_attempts message) {
  auto found = connectors_.find(message.connector);
  if (failed_ || found == connectors_.end())
    return;
  staged_record record{found->second.get(), std::move(message)};
  for (auto& decision : record.message.decisions) {
    decision.was_indexed = !unindexed_.erase(decision.was.sequence);
    stage_decision(record.message.connector, decision);
  }
  if (record.message.shaper_state) {
    record.owner->shaper_state = record.message.shaper_state;
    batch_.put_shaper_state(record.message.connector, *record.message.shaper_state);
  }
  staged_records_.push_back(std::move(record));
}

void persistence::stage_decision(const connector_id& connector, attempt_decision& decision) {
  stored_attempt stored;
  stored.sequence = with_.store->allocate_sequence();
  stored.event_sequence = decision.was.sequence;
  stored.state_after = decision.state_after;
  stored.value = std::move(decision.value); // it may have 64 KiB of body
  batch_.add_attempt(connector, stored, decision.was, decision.was_indexed);
  decision.value = std::move(stored.value);
}

void persistence::refill(const refill_window& request) {
  auto found = connectors_.find(request.connector);
  if (failed_ || found == connectors_.end() || !found->second->supervisor)
    return;
  if (!with_.store->is_open()) { // what can't be read must not pass for "nothing waits"
    refills_waiting_.push_back(request);
    return;
  }
  auto& owner = *found->second;
  const auto limit = with_.window.events_for(owner.config);
  refilled answer;
  if (owner.held_events >= limit || (owner.held_events > 0 && owner.held_bytes >= with_.window.bytes)) {
    answer.next_due =
        request.until; // there is more, but no room: the supervisor asks again when it let go of some
  } else {
    auto page = with_.store->read_due(
        request.connector, request.from, request.until, limit - owner.held_events,
        with_.window.bytes - std::min(owner.held_bytes, with_.window.bytes), [&](log_sequence sequence) {
          return std::binary_search(request.held.begin(), request.held.end(), sequence);
        });
    answer.events = std::move(page.events);
    answer.next_due = page.next_due;
  }
  if (!store_is_healthy())
    return;
  for (const auto& event : answer.events) {
    ++owner.held_events;
    owner.held_bytes += event.event.envelope->size();
  }
  owner.backlog = answer.next_due && *answer.next_due <= request.until;
  self_->send(owner.supervisor, std::move(answer));
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

void persistence::forget(const forget_below& request) {
  if (failed_ || disk_full_)
    return;
  commit();
  if (const auto status = with_.store->drop_history_below(request.sequence); !status.ok()) {
    if (status.code == store_errc::failed)
      fail(status);
    else if (with_.log_warning)
      with_.log_warning("partition " + std::to_string(with_.partition) + ": retention: " + status.detail);
  }
}

live_counts persistence::count() const {
  live_counts counts;
  counts.partition.number = with_.partition;
  counts.partition.next_sequence = with_.store->next_sequence();
  counts.partition.settled_below = with_.store->settled_below();
  counts.partition.epoch = with_.store->epoch();
  const auto space = with_.store->free_space();
  counts.partition.accepting = !disk_full_ && space.free_bytes > space.reserve_bytes;
  counts.connectors_configured = connectors_.size();
  std::unordered_map<connector_id, connector_status> pending;
  unindexed_.for_each([&](const unindexed_events::entry& event) {
    auto& status = pending[*event.connector];
    ++status.pending;
    if (!status.oldest_pending_at || event.due < *status.oldest_pending_at)
      status.oldest_pending_at = event.due;
  });
  for (const auto& [id, owner] : connectors_) {
    if (auto found = pending.find(id); found != pending.end() || owner->supervisor || owner->backlog) {
      auto status = found != pending.end() ? found->second : connector_status{};
      status.id = id;
      status.enabled = owner->config.enabled;
      counts.connectors.push_back(std::move(status));
    }
  }
  return counts;
}

caf::result<void> persistence::start_draining() {
  draining_ = true;
  drained_ = self_->make_response_promise<void>();
  for (auto& [id, owner] : connectors_) {
    if (!owner->supervisor)
      continue;
    ++supervisors_draining_;
    auto one_less = [this] {
      --supervisors_draining_;
      schedule_commit();
    };
    self_->request(owner->supervisor, caf::infinite, drain{}).then(one_less, [one_less](const caf::error&) {
      one_less();
    });
  }
  auto promise = drained_;
  schedule_commit();
  return promise;
}

void persistence::finish_drain_when_done() {
  if (draining_ && supervisors_draining_ == 0 && batch_.empty() && drained_.pending())
    drained_.deliver();
}

} // namespace vicket
