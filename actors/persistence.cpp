#include "actors/persistence.hpp"

#include "policy/event_filter.hpp"
#include "policy/secret.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

namespace vicket {

namespace {

/// What a get, list or put shows of a connector: never its secret.
connector_view without_secret(const connector& config) {
  connector_view view{config, false};
  view.value.secret.value.clear();
  return view;
}

constexpr std::string_view secret_placeholder = "***";

} // namespace

persistence::persistence(handle::pointer self, setup with) : self_{self}, with_{std::move(with)} {
  self_->set_down_handler([this](const caf::down_msg& down) { replace_supervisor(down); });
}

persistence::~persistence() {
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
      [this](record_attempts& message) { record(message); },
      [this](const retire& request) { return let_retire(request); },
      [this](const tick&) {
        tick_under_way_ = false;
        commit();
      },
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
  for (auto& event : request.events) {
    reply.value.results.push_back(accept_one(event));
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

send_result persistence::accept_one(composed_event& event) {
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
  stage(*owner, event);
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

void persistence::stage(entry& owner, composed_event& event) {
  staged_event staged;
  staged.owner = &owner;
  auto& stored = staged.event.event;
  stored.sequence = with_.store->allocate_sequence();
  stored.id = event.id;
  stored.connector = std::move(event.connector);
  stored.event = std::move(event.event);
  stored.workflow = std::move(event.workflow);
  stored.run = std::move(event.run);
  stored.accepted_at = with_.clock->now();
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

void persistence::record(record_attempts& message) {
  auto found = connectors_.find(message.connector);
  if (failed_ || found == connectors_.end())
    return;
  staged_record record{found->second.get(), std::move(message), {}};
  for (const auto& decision : record.message.decisions) {
    record.indexed.push_back(!unindexed_.erase(decision.was.sequence));
    stage_decision(record, decision);
  }
  if (record.message.shaper_state) {
    record.owner->shaper_state = record.message.shaper_state;
    batch_.put_shaper_state(record.message.connector, *record.message.shaper_state);
  }
  staged_records_.push_back(std::move(record));
  schedule_commit();
}

void persistence::stage_decision(staged_record& record, const attempt_decision& decision) {
  stored_attempt stored;
  stored.sequence = with_.store->allocate_sequence();
  stored.event_sequence = decision.was.sequence;
  stored.state_after = decision.state_after;
  stored.value = decision.value;
  const auto position = static_cast<std::size_t>(&decision - record.message.decisions.data());
  batch_.add_attempt(record.message.connector, stored, decision.was, record.indexed[position]);
}

void persistence::refill(const refill_window& request) {
  auto found = connectors_.find(request.connector);
  if (failed_ || found == connectors_.end() || !found->second->supervisor)
    return;
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

// -- the commit -------------------------------------------------------------------------------------------------------

void persistence::schedule_commit() {
  if (batch_.bytes() >= max_batch_bytes && !disk_full_) {
    commit();
    return;
  }
  if (tick_under_way_)
    return;
  tick_under_way_ = true;
  // Behind everything that is in the mailbox now: that is what makes it one commit for all of them.
  self_->send(self_, tick{});
}

void persistence::commit() {
  if (failed_ || !store_is_healthy())
    return;
  if (disk_full_) {
    if (auto resumed = with_.store->resume(); !resumed.ok()) {
      disk_full(resumed);
      return;
    }
  }
  if (!batch_.empty()) {
    const auto settled_below = unindexed_.lowest().value_or(with_.store->next_sequence());
    const auto status = with_.store->commit(batch_, settled_below);
    if (status.code == store_errc::full) {
      disk_full(status);
      return;
    }
    if (!status.ok()) {
      fail(status);
      return;
    }
  }
  if (disk_full_ && with_.log_warning)
    with_.log_warning("partition " + std::to_string(with_.partition) + ": the disk has room again");
  disk_full_ = false;
  committed();
}

void persistence::committed() {
  batch_.clear();
  room_on_disk_ = false;
  staged_ids_.clear();
  staged_spills_.clear();
  for (auto& reply : replies_)
    reply.promise.deliver(std::move(reply.value));
  replies_.clear();
  release_attempts();
  hand_over_events();
  spill_laggards();
  finish_drain_when_done();
}

void persistence::release_attempts() {
  if (staged_records_.empty())
    return;
  for (auto& record : staged_records_) {
    attempts_recorded recorded;
    recorded.attempts.reserve(record.message.decisions.size());
    for (const auto& decision : record.message.decisions) {
      recorded.attempts.push_back({decision.was.sequence, decision.value.next_attempt_at});
      record.owner->held_events -= std::min<std::size_t>(1, record.owner->held_events);
      record.owner->held_bytes -= std::min(decision.envelope_bytes, record.owner->held_bytes);
    }
    if (record.owner->supervisor)
      self_->send(record.owner->supervisor, std::move(recorded));
  }
  staged_records_.clear();
  last_attempt_ = with_.store->next_sequence() - 1;
  if (feed_watched_ && feed_watcher_)
    self_->send(feed_watcher_, feed_grew{with_.partition});
  feed_watched_ = false;
}

void persistence::hand_over_events() {
  // One message for each supervisor: the events of a batch tend to be of few connectors, or one of each.
  std::unordered_map<entry*, take_events> to_take;
  std::unordered_map<entry*, due_position> grown;
  for (auto& staged : staged_events_) {
    if (staged.waits)
      grown.try_emplace(staged.owner, staged.event.position); // positions rise: the first is the foremost
    else
      to_take[staged.owner].events.push_back(std::move(staged.event));
  }
  staged_events_.clear();
  if (draining_)
    return; // they are on disk: the next start delivers them
  for (auto& [owner, events] : to_take)
    self_->send(supervisor_of(*owner), std::move(events));
  for (const auto& [owner, first] : grown)
    self_->send(supervisor_of(*owner), backlog_grew{first});
}

void persistence::spill_laggards() {
  if (unindexed_.size() == 0)
    return;
  const auto head = with_.store->next_sequence();
  if (head - *unindexed_.lowest() <= max_unindexed)
    return;
  staged_spills_ = unindexed_.spill_below(head - max_unindexed / 2);
  for (const auto& laggard : staged_spills_)
    batch_.index_waiting(*laggard.connector, {laggard.due, laggard.sequence}, 0);
  schedule_commit();
}

/// The batch did not fit. New events in it are refused; attempts and index entries are kept, and tried again until
/// there is room: their supervisors do not let go, so what waits here is bounded by what they hold.
void persistence::disk_full(const store_status& why) {
  if (!disk_full_ && with_.log_warning)
    with_.log_warning("partition " + std::to_string(with_.partition) + ": " + why.detail);
  disk_full_ = true;
  for (auto& reply : replies_) {
    for (auto staged : reply.staged)
      reply.value.results[staged] = refusal{errc::storage_full, why.detail};
    reply.promise.deliver(std::move(reply.value));
  }
  replies_.clear();
  for (auto& staged : staged_events_) {
    if (staged.waits)
      continue;
    unindexed_.erase(staged.event.position.sequence);
    --staged.owner->held_events;
    staged.owner->held_bytes -= staged.event.event.envelope->size();
  }
  staged_events_.clear();
  staged_ids_.clear();
  room_on_disk_ = false;
  batch_.clear();
  for (const auto& laggard : staged_spills_)
    batch_.index_waiting(*laggard.connector, {laggard.due, laggard.sequence}, 0);
  for (auto& record : staged_records_) {
    for (const auto& decision : record.message.decisions)
      stage_decision(record, decision);
    if (record.message.shaper_state)
      batch_.put_shaper_state(record.message.connector, *record.message.shaper_state);
  }
  if (tick_under_way_)
    return;
  tick_under_way_ = true;
  self_->delayed_send(self_, std::chrono::milliseconds{full_retry_ms}, tick{});
}

/// What can't be read must not pass for "nothing there" (rule 5).
bool persistence::store_is_healthy() {
  const auto health = with_.store->health();
  if (!health.ok())
    fail(health);
  return health.ok();
}

void persistence::fail(const store_status& why) {
  if (std::exchange(failed_, true))
    return;
  // Nothing that waits is answered: whoever asked learns from the lost connection that it is not known.
  if (with_.store_failed)
    with_.store_failed("partition " + std::to_string(with_.partition) + ": " + why.detail);
}

// -- connectors -------------------------------------------------------------------------------------------------------

caf::result<connector_view> persistence::put(const put_connector& request) {
  if (failed_ || draining_)
    return make_refusal(errc::unavailable, "the node is stopping");
  auto config = request.value;
  auto found = connectors_.find(config.id);
  const bool known = found != connectors_.end();
  bool generated = false;
  if (config.secret.value == secret_placeholder && !known)
    return make_refusal(errc::invalid_connector,
                        "secret: \"***\" keeps the secret of an existing connector, and '" + config.id.value +
                            "' does not exist: give one, or none to have one made");
  if (known && (config.secret.value.empty() || config.secret.value == secret_placeholder)) {
    config.secret = found->second->config.secret;
  } else if (config.secret.value.empty()) {
    config.secret = generate_secret(*with_.random);
    generated = true;
  }
  commit(); // what came before it is on disk before it
  if (disk_full_ || failed_ || !room_on_disk())
    return make_refusal(errc::storage_full, "the node's disk is full: free some space and put it again");
  room_on_disk_ = false; // seen for this commit only
  write_batch alone;
  alone.put_connector(config);
  const auto status = with_.store->commit(alone, unindexed_.lowest().value_or(with_.store->next_sequence()));
  if (status.code == store_errc::full)
    return make_refusal(errc::storage_full, status.detail);
  if (!status.ok()) {
    fail(status);
    return make_refusal(errc::unavailable, "the node is stopping: its store failed");
  }
  auto& slot = known ? found->second : connectors_[config.id];
  if (!slot)
    slot = std::make_unique<entry>();
  slot->config = config;
  if (slot->supervisor)
    self_->send(slot->supervisor, reconfigure{make_delivery_profile(config, with_.version)});
  auto view = without_secret(config);
  if (generated)
    view.value.secret = config.secret;
  view.secret_generated = generated;
  return view;
}

caf::result<connector_view> persistence::get(const get_connector& request) const {
  auto found = connectors_.find(request.id);
  if (found == connectors_.end())
    return make_refusal(errc::not_found, "no connector has the id '" + request.id.value + "'");
  return without_secret(found->second->config);
}

caf::result<void> persistence::remove(const delete_connector& request) {
  auto found = connectors_.find(request.id);
  if (found == connectors_.end())
    return make_refusal(errc::not_found, "no connector has the id '" + request.id.value + "'");
  if (failed_ || draining_)
    return make_refusal(errc::unavailable, "the node is stopping");
  commit();
  auto& owner = *found->second;
  const auto page = with_.store->read_due(request.id, {}, {std::numeric_limits<std::int64_t>::max()}, 1, 1,
                                          [](log_sequence) { return false; });
  if (owner.held_events > 0 || !page.events.empty())
    return make_refusal(
        errc::connector_busy,
        "events are pending for connector '" + request.id.value +
            "': wait until they are settled (`vicket status`), or put it with \"enabled\":false to "
            "stop new ones");
  write_batch alone;
  alone.delete_connector(request.id);
  const auto status = with_.store->commit(alone, unindexed_.lowest().value_or(with_.store->next_sequence()));
  if (status.code == store_errc::full)
    return make_refusal(errc::storage_full, status.detail);
  if (!status.ok()) {
    fail(status);
    return make_refusal(errc::unavailable, "the node is stopping: its store failed");
  }
  if (owner.supervisor) {
    self_->demonitor(owner.supervisor);
    self_->send_exit(owner.supervisor, caf::exit_reason::user_shutdown);
  }
  connectors_.erase(found);
  return caf::unit;
}

connector_page persistence::list(const list_connectors& request) const {
  std::vector<const connector*> chosen;
  for (const auto& [id, owner] : connectors_)
    if (request.after.value.empty() || id > request.after)
      chosen.push_back(&owner->config);
  const auto limit =
      std::min<std::size_t>(std::clamp(request.limit, 1u, list_connectors::max_limit), chosen.size());
  std::partial_sort(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(limit), chosen.end(),
                    [](const connector* a, const connector* b) { return a->id < b->id; });
  connector_page page;
  page.more = chosen.size() > limit;
  chosen.resize(limit);
  for (const auto* config : chosen)
    page.connectors.push_back(without_secret(*config));
  return page;
}

// -- supervisors ------------------------------------------------------------------------------------------------------

supervisor_actor& persistence::supervisor_of(entry& owner) {
  if (!owner.supervisor) {
    supervisor::setup needs;
    needs.profile = make_delivery_profile(owner.config, with_.version);
    needs.shaper_state = owner.shaper_state;
    needs.persistence = handle{self_};
    needs.delivery = with_.delivery;
    needs.alarm = with_.alarm;
    needs.clock = with_.clock;
    needs.random = with_.random;
    needs.window = with_.window;
    owner.supervisor = self_->spawn<actor_of<supervisor>>(std::move(needs));
    self_->monitor(owner.supervisor);
  }
  return owner.supervisor;
}

bool persistence::let_retire(const retire& request) {
  auto found = connectors_.find(request.connector);
  if (found == connectors_.end())
    return true;
  auto& owner = *found->second;
  if (owner.held_events > 0 || owner.backlog || draining_)
    return false;
  owner.shaper_state = request.shaper_state;
  if (owner.supervisor)
    self_->demonitor(owner.supervisor);
  owner.supervisor = nullptr;
  return true;
}

/// A supervisor died of a defect: its successor starts over from the store. What was in flight may be sent twice.
void persistence::replace_supervisor(const caf::down_msg& down) {
  for (auto& [id, owner] : connectors_) {
    if (!owner->supervisor || owner->supervisor.address() != down.source)
      continue;
    if (with_.log_warning)
      with_.log_warning("the supervisor of connector '" + id.value + "' died (" +
                        caf::to_string(down.reason) + "): a new one starts over from the store");
    owner->supervisor = nullptr;
    commit();
    for (const auto& orphan : unindexed_.spill_connector(id)) {
      batch_.index_waiting(id, {orphan.due, orphan.sequence}, 0);
      staged_spills_.push_back(orphan);
    }
    owner->held_events = 0;
    owner->held_bytes = 0;
    owner->backlog = true;
    commit();
    if (!draining_)
      self_->send(supervisor_of(*owner), backlog_grew{});
    return;
  }
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
