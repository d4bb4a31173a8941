#include "actors/partition_rounds.hpp"

#include "policy/assertion.hpp"
#include "policy/connector_state.hpp"
#include "policy/envelope.hpp"
#include "policy/event_filter.hpp"
#include "storage/key_codec.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

namespace vicket {

namespace {

constexpr std::int64_t ms_per_s = 1'000;
constexpr timestamp_ms last_time{std::numeric_limits<std::int64_t>::max()};

refusal disk_is_full() {
  return {errc::storage_full,
          "the node's disk is full: free some space, it goes on by itself; pending events are still "
          "delivered"};
}

template <class T>
void append(std::vector<T>& to, std::vector<T>& from) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
  from.clear();
}

bool takes_all(const connector& config) {
  return config.events.empty() && config.filter_json.empty();
}

/// It may be over, or have been another endpoint's.
bool was_held(const partition_rounds::place& owner) {
  const auto state = decode_connector_state(owner.remembered());
  return state && state->held;
}

} // namespace

void partition_rounds::round::clear() {
  batch.clear();
  replies.clear();
  events.clear();
  records.clear();
  records_through = 0;
  spills.clear();
  changes.clear();
  orphaned.clear();
  returned.clear();
  edge.reset();
  history.clear();
  accounts.clear();
  settings.clear();
  settings_grew = {};
  ids.clear();
}

partition_rounds::partition_rounds(const partition_store& store, setup with)
    : store_{store}, with_{std::move(with)}, by_name_{[this](connector_slot slot) {
        return std::string_view{places_[slot].id.value};
      }},
      pending_{store.next_sequence()}, busy_{[this](connector_slot slot) -> const connector_id& {
        return places_[slot].id;
      }},
      history_{with_.history}, next_sequence_{store.next_sequence()}, prepared_edge_{store.oldest_kept()} {
  if (!with_.budget)
    with_.budget = std::make_shared<window_budget>(window_limits::default_node_bytes);
  load_history();
  const auto stored = store_.settings();
  stored->visit_after({setting_kind{0}, {}}, [this](const settings_snapshot::entry_ptr& each) {
    ++settings_.counts[each->key.kind];
    return true;
  });
  settings_.bytes = static_cast<std::ptrdiff_t>(stored->bytes());
}

// -- connectors -------------------------------------------------------------------------------------------------------

connector_slot partition_rounds::take_slot() {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<connector_slot>(places_.size()));
    places_.emplace_back();
  }
  const auto slot = free_slots_.back();
  free_slots_.pop_back();
  at(slot).exists = true;
  return slot;
}

void partition_rounds::free_slot(connector_slot slot) {
  if (busy_.erase(slot)) // nothing is pending for it
    --idle_;
  pending_.forget(slot);
  if (auto& active = at(slot).active)
    budget().forget(active->window);
  at(slot) = {};
  free_slots_.push_back(slot);
}

connector_slot partition_rounds::load(const connector& config) {
  const auto slot = take_slot();
  auto& owner = at(slot);
  owner.id = config.id;
  configure(owner, config);
  by_name_.insert(slot);
  return slot;
}

/// What of a connector's configuration is at hand also while it rests.
void partition_rounds::configure(place& owner, const connector& config) {
  owner.enabled = config.enabled;
  owner.takes_all = takes_all(config);
  owner.longest_cap_s = std::max(owner.longest_cap_s,
                                 static_cast<std::uint32_t>((config.retry.cap_ms + ms_per_s - 1) / ms_per_s));
}

partition_rounds::activity* partition_rounds::activate(connector_slot slot) {
  auto& owner = at(slot);
  if (!owner.active)
    if (auto config = store_.read_connector(owner.id))
      owner.active = std::make_unique<activity>(slot, *std::move(config));
  return owner.active.get();
}

void partition_rounds::rest_if_idle(connector_slot slot) {
  auto& owner = at(slot);
  if (!owner.active || owner.supervised || !owner.active->complaint.empty())
    return;
  const auto& active = *owner.active;
  if (!active.window.idle() || active.waiting_in_rounds > 0 || active.spills_in_rounds > 0 ||
      active.changes_in_rounds > 0)
    return;
  owner.active.reset();
}

std::optional<connector> partition_rounds::config_of(connector_slot slot) const {
  const auto& owner = at(slot);
  return owner.active ? std::optional{owner.active->config()} : store_.read_connector(owner.id);
}

void partition_rounds::place::remember(std::string_view encoded) {
  if (encoded.empty())
    state.reset();
  else
    state = std::make_unique<std::string>(encoded);
}

std::optional<connector_slot> partition_rounds::find(const connector_id& id) const {
  return by_name_.find(id.value);
}

partition_rounds::place* partition_rounds::seat(const supervisor_seat& seat) {
  if (seat.slot >= places_.size())
    return nullptr;
  auto& owner = places_[seat.slot];
  return owner.supervised && owner.generation == seat.generation ? &owner : nullptr;
}

bool partition_rounds::has_unfinished_changes() const noexcept {
  return !filling_.changes.empty() || !flying_.changes.empty();
}

supervisor_seat partition_rounds::seat_supervisor(connector_slot slot) {
  auto& owner = at(slot);
  VICKET_ASSERT(!owner.supervised && owner.active);
  owner.supervised = true;
  owner.active->told = 0;
  // Slots are used again, so the count goes on over all connectors.
  owner.generation = ++last_generation_;
  return {slot, owner.generation};
}

void partition_rounds::vacate(connector_slot slot) {
  auto& owner = at(slot);
  owner.supervised = false;
  budget().forget(owner.active->window);
}

// -- what a status shows ----------------------------------------------------------------------------------------------

void partition_rounds::show(connector_slot slot) {
  if (busy_.insert(slot) && pending_.of(slot) == 0)
    ++idle_;
}

void partition_rounds::await_counts() {
  for_each([this](connector_slot slot, const place&) { pending_.await(slot); });
}

void partition_rounds::counted(const connector_id& id, pending_times found) {
  const auto slot = find(id);
  if (!slot)
    return;
  const auto before = pending_.of(*slot);
  pending_.counted(*slot, std::move(found));
  if (before == 0 && pending_.of(*slot) > 0 && !busy_.insert(*slot))
    --idle_;
}

void partition_rounds::count_accepted(connector_slot slot, timestamp_ms accepted_at) {
  if (pending_.accepted(slot, accepted_at) && !busy_.insert(slot))
    --idle_;
}

void partition_rounds::count_settled(connector_slot slot, const attempt_decision& decision) {
  if (decision.state_after == event_state::pending)
    return;
  if (pending_.settled(slot, decision.was.sequence, decision.accepted_at))
    ++idle_;
}

/// Once for so many that have become idle that it costs each of them next to nothing.
void partition_rounds::drop_idle() {
  constexpr std::size_t few = 1'024;
  if (idle_ <= few + busy_.size() / 2 + idle_kept_)
    return;
  visit_busy({}, [this](connector_slot slot, const place& owner) {
    return pending_.of(slot) > 0 || !owner.complaint().empty() || was_held(owner)
               ? busy_connectors::verdict::keep
               : busy_connectors::verdict::drop;
  });
  idle_kept_ = idle_;
}

// -- events -----------------------------------------------------------------------------------------------------------

partition_rounds::acceptance partition_rounds::accept(composed_event& event, timestamp_ms now) {
  const auto slot = find(event.connector);
  auto* owner = slot ? &at(*slot) : nullptr;
  if (event.id_of_sender) {
    // Before anything else: what was accepted once is a duplicate also when it would be refused by now.
    if (slot && is_staged(event.id, *slot))
      return {accepted{event.id, true}, true};
    if (!store_.is_open()) // it may be known: no final answer can be given
      return {disk_is_full(), false};
    if (store_.find_event(event.id, event.connector))
      return {accepted{event.id, true}, false};
  }
  if (owner != nullptr && activate(*slot) == nullptr) // the store is closed, or says that it can't be read
    return {disk_is_full(), false};
  if (auto no = refuse(event, owner)) { // it may follow from a change that is not durable yet
    const bool waits = owner != nullptr ? owner->active->changes_in_rounds > 0 : has_unfinished_changes();
    if (owner != nullptr)
      rest_if_idle(*slot);
    return {*std::move(no), waits};
  }
  if (!room_on_disk()) {
    rest_if_idle(*slot);
    return {disk_is_full(), false};
  }
  const auto id = event.id;
  stage(*slot, event, now);
  return {accepted{id, false}, true};
}

std::optional<refusal> partition_rounds::refuse(const composed_event& event, const place* owner) {
  if (owner == nullptr)
    return refusal{errc::unknown_connector, "no connector has the id '" + event.connector.value + "'"};
  auto& active = *owner->active;
  if (!active.complaint.empty())
    return refusal{errc::connector_disabled,
                   "connector '" + event.connector.value + "' can't be used: " + active.complaint};
  if (!owner->enabled)
    return refusal{errc::connector_disabled, "connector '" + event.connector.value + "' is disabled"};
  if (owner->takes_all)
    return std::nullopt;
  if (!event_matches(active.config().events, event.event))
    return refusal{errc::filtered, "none of the events patterns of connector '" + event.connector.value +
                                       "' matches '" + event.event + "'"};
  return active.config().filter_json.empty() ? std::nullopt : refuse_by_filter(event, active);
}

std::optional<refusal> partition_rounds::refuse_by_filter(const composed_event& event, activity& active) {
  if (!active.filter)
    active.filter = filters_.of(active.config().filter_json);
  if (!active.filter) // a put would have refused it
    return refusal{errc::connector_disabled, "connector '" + event.connector.value +
                                                 "' can't be used: its filter can't be read; put it again"};
  const auto data = data_in_envelope(event.envelope);
  if (!data) // its gateway would have refused it
    return refusal{errc::invalid_event, "the event's envelope is none"};
  if (active.filter->matches(event.event, *data))
    return std::nullopt;
  const auto mismatches = active.filter->mismatches(event.event, *data);
  auto detail = "the filter of connector '" + event.connector.value +
                "' does not match: " + mismatches.front().sentence("/filter");
  if (mismatches.size() > 1)
    detail += "; nor does another part of which one would do";
  return refusal{errc::filtered, std::move(detail)};
}

bool partition_rounds::is_staged(const event_id& id, connector_slot slot) const {
  return filling_.ids.contains({id, slot}) || flying_.ids.contains({id, slot});
}

bool partition_rounds::has_room(const place& owner, std::size_t bytes) const {
  const auto& window = owner.active->window;
  return (window.events() == 0 || (window.events() < with_.window.events_for(owner.config()) &&
                                   window.bytes() + bytes <= with_.window.bytes)) &&
         with_.budget->has_room(window, bytes);
}

bool partition_rounds::room_on_disk() {
  if (!room_seen_) // while there is none it is asked each time, since nothing else may come
    room_seen_ = !with_.has_room || with_.has_room();
  return room_seen_;
}

void partition_rounds::stage(connector_slot slot, composed_event& event, timestamp_ms now) {
  auto& owner = at(slot);
  staged_event staged;
  staged.slot = slot;
  stored_event stored;
  stored.sequence = next_sequence_++;
  stored.id = event.id;
  stored.connector = std::move(event.connector);
  stored.event = std::move(event.event);
  stored.workflow = std::move(event.workflow);
  stored.run = std::move(event.run);
  stored.accepted_at = now;
  stored.envelope = std::make_shared<const std::string>(std::move(event.envelope));
  const auto bytes = stored.envelope->size();
  staged.waits = owner.backlog || !has_room(owner, bytes);
  if (staged.waits) {
    owner.backlog = true;
    ++owner.active->waiting_in_rounds;
  } else {
    budget().hold(owner.active->window, bytes);
    unindexed_.add({stored.sequence, stored.accepted_at, &owner.id});
  }
  if (event.id_of_sender)
    filling_.ids.insert({event.id, slot});
  filling_.batch.add_event(stored, staged.waits);
  staged.event.position = {stored.accepted_at, stored.sequence};
  staged.event.accepted_at = stored.accepted_at;
  staged.event.id = stored.id;
  staged.event.envelope = std::move(stored.envelope);
  filling_.events.push_back(std::move(staged));
}

// -- connectors, filled -----------------------------------------------------------------------------------------------

connector_slot partition_rounds::put(const connector& config) {
  change made;
  if (const auto known = find(config.id)) {
    made.slot = *known;
    auto& active = *activate(made.slot);
    made.longest_cap_before_s = at(made.slot).longest_cap_s;
    made.before = std::exchange(active.shared, std::make_shared<const connector>(config));
    active.filter = nullptr;
    active.complaint.clear();
    configure(at(made.slot), config);
  } else {
    made.slot = load(config);
    at(made.slot).active = std::make_unique<activity>(made.slot, config);
    made.created = true;
  }
  ++at(made.slot).active->changes_in_rounds;
  filling_.batch.put_connector(config);
  const auto slot = made.slot;
  filling_.changes.push_back(std::move(made));
  return slot;
}

bool partition_rounds::is_busy(connector_slot slot) const {
  const auto& owner = at(slot);
  if (pending_.of(slot) > 0)
    return true;
  if (const auto* active = owner.active.get();
      active != nullptr &&
      (active->window.events() > 0 || active->waiting_in_rounds > 0 || active->spills_in_rounds > 0))
    return true;
  const auto page = store_.read_due(owner.id, {}, last_time, 1, 1, [](log_sequence) { return false; });
  return !page.events.empty() || page.unreadable > 0;
}

void partition_rounds::remove(connector_slot slot) {
  auto& owner = at(slot);
  auto& active = *activate(slot);
  VICKET_ASSERT(!owner.removed && active.window.events() == 0 && active.waiting_in_rounds == 0);
  owner.removed = true;
  pending_.nothing_pending(slot);
  ++active.changes_in_rounds;
  by_name_.erase(owner.id.value);
  filling_.batch.delete_connector(owner.id);
  change made;
  made.slot = slot;
  made.removed = true;
  filling_.changes.push_back(std::move(made));
}

// -- settings ---------------------------------------------------------------------------------------------------------

bool partition_rounds::has_unfinished_settings() const noexcept {
  return !filling_.settings.empty() || !flying_.settings.empty();
}

/// As it will be; absent: there will be none.
std::optional<std::size_t> partition_rounds::setting_bytes(const setting_key& key) const {
  for (const auto* part : {&filling_, &flying_})
    if (const auto found = part->settings.find(key); found != part->settings.end())
      return found->second;
  const auto stored = store_.settings()->find(key);
  return stored ? std::optional{settings_snapshot::bytes_of(*stored)} : std::nullopt;
}

void partition_rounds::stage_setting(const setting_key& key, std::optional<std::size_t> bytes) {
  const auto before = setting_bytes(key);
  const auto grew_by =
      static_cast<std::ptrdiff_t>(bytes.value_or(0)) - static_cast<std::ptrdiff_t>(before.value_or(0));
  const auto more = (bytes ? 1 : 0) - (before ? 1 : 0);
  for (auto* totals : {&settings_, &filling_.settings_grew}) {
    totals->bytes += grew_by;
    totals->counts[key.kind] += more;
  }
  filling_.settings.insert_or_assign(key, bytes);
}

std::optional<refusal> partition_rounds::put_setting(setting value) {
  const auto bytes = settings_snapshot::bytes_of(value);
  if (!value.key.valid()) // the gateway has looked: what it let through by a defect, every start would find
    return refusal{errc::invalid_event, "its id must be 1 to 64 characters of A-Z a-z 0-9 . _ -"};
  if (value.bytes.size() > settings_bounds::record_bytes)
    return refusal{errc::too_large, "'" + value.key.id + "' has " + std::to_string(value.bytes.size()) +
                                        " bytes, of " + std::to_string(settings_bounds::record_bytes) +
                                        " at most"};
  const auto before = setting_bytes(value.key);
  if (!before && settings_.counts[value.key.kind] >= static_cast<std::ptrdiff_t>(settings_bounds::per_kind))
    return refusal{errc::too_large, "there are " + std::to_string(settings_bounds::per_kind) +
                                        " already, which is the most: delete some that are not needed"};
  if (settings_.bytes + static_cast<std::ptrdiff_t>(bytes) - static_cast<std::ptrdiff_t>(before.value_or(0)) >
      static_cast<std::ptrdiff_t>(settings_bounds::all_bytes))
    return refusal{errc::too_large, "with '" + value.key.id + "' all of them would have more than " +
                                        std::to_string(settings_bounds::all_bytes) +
                                        " bytes: delete some that are not needed"};
  if (!before && !room_on_disk())
    return disk_is_full();
  stage_setting(value.key, bytes);
  filling_.batch.put_setting(std::move(value));
  return std::nullopt;
}

bool partition_rounds::delete_setting(const setting_key& key) {
  if (!setting_bytes(key))
    return false;
  stage_setting(key, std::nullopt);
  filling_.batch.delete_setting(key);
  return true;
}

// -- attempts ---------------------------------------------------------------------------------------------------------

void partition_rounds::record(record_attempts message, timestamp_ms now) {
  if (seat(message.seat) == nullptr) {
    forget_answers(message);
    return;
  }
  for (auto& decision : message.decisions)
    decision.was_indexed = !unindexed_.erase(decision.was.sequence);
  stage({message.seat.slot, message.seat.generation, now, std::move(message)});
}

void partition_rounds::remember(supervisor_seat seat, std::string state, timestamp_ms now) {
  record_attempts message;
  message.seat = seat;
  message.state = std::move(state);
  stage({seat.slot, seat.generation, now, std::move(message)});
}

void partition_rounds::stage(staged_record record) {
  auto& owner = at(record.slot);
  for (auto& decision : record.message.decisions)
    stage_decision(owner.id, decision, record.at);
  if (record.message.state) {
    owner.remember(*record.message.state);
    if (was_held(owner))
      show(record.slot);
    filling_.batch.put_connector_state(owner.id, *record.message.state);
  }
  filling_.records.push_back(std::move(record));
}

void partition_rounds::stage_decision(const connector_id& connector, attempt_decision& decision,
                                      timestamp_ms at) {
  stored_attempt stored;
  stored.account = codec::account_of(connector);
  stored.sequence = next_sequence_++;
  stored.event_sequence = decision.was.sequence;
  stored.state_after = decision.state_after;
  stored.value = std::move(decision.value); // it may have 64 KiB of body
  const auto& body = stored.value.response_body;
  if (stored.value.number > 1 && body.size() >= min_shared_body_bytes)
    if (const auto before = store_.body_of(stored.event_sequence, stored.value.number - 1);
        before && before->bytes == body)
      stored.same_body_as = before->number;
  const auto record_bytes =
      filling_.batch.add_attempt(connector, stored, decision.was, decision.was_indexed,
                                 index_for(stored.event_sequence), decision.accepted_at);
  filling_.history.push_back({stored.account, stored.sequence, stored.weight(record_bytes)});
  if (stored.state_after != event_state::pending && at - decision.accepted_at > with_.late_ms)
    filling_.batch.note_late({at, stored.event_sequence});
  decision.value = std::move(stored.value);
}

write_batch::attempt_index partition_rounds::index_for(log_sequence event) const {
  if (event < store_.oldest_kept())
    return write_batch::attempt_index::carried;
  return event < prepared_edge_ ? write_batch::attempt_index::both : write_batch::attempt_index::log;
}

/// What is kept of their answers is not waiting for the disk any more.
void partition_rounds::forget_answers(const record_attempts& of) {
  for (const auto& decision : of.decisions)
    if (decision.counted_bytes > 0)
      budget().drop_answer(decision.counted_bytes);
}

// -- index places -----------------------------------------------------------------------------------------------------

void partition_rounds::stage_spills(std::vector<unindexed_events::entry> spills) {
  for (const auto& spilled : spills) {
    filling_.batch.index_waiting(*spilled.connector, {spilled.due, spilled.sequence});
    ++at(*find(*spilled.connector)).active->spills_in_rounds;
  }
  append(filling_.spills, spills);
}

void partition_rounds::spill_laggards() {
  if (unindexed_.size() > 0 && next_sequence_ - *unindexed_.lowest() > with_.max_unindexed)
    stage_spills(unindexed_.spill_below(next_sequence_ - with_.max_unindexed / 2));
}

void partition_rounds::give_up_held(connector_slot slot) {
  auto& owner = at(slot);
  stage_spills(unindexed_.spill_connector(owner.id));
  // Those on their way to the store, which were to be handed over then, are among the spills, too.
  for (auto* part : {&flying_, &filling_})
    for (auto& staged : part->events)
      staged.given_up = staged.given_up || (staged.slot == slot && !staged.waits);
  budget().let_go_all(owner.active->window);
  owner.backlog = true;
  filling_.orphaned.push_back(slot);
}

void partition_rounds::take_back(connector_slot slot, const std::vector<returned_event>& events) {
  auto& owner = at(slot);
  auto& window = owner.active->window;
  std::vector<unindexed_events::entry> spills;
  std::optional<due_position> first;
  for (const auto& each : events) {
    budget().let_go(window, each.envelope_bytes);
    if (!unindexed_.erase(each.position.sequence))
      continue; // it has its place in the index since it was read from there
    spills.push_back({each.position.sequence, each.position.due, &owner.id});
    first = std::min(first.value_or(each.position), each.position);
  }
  budget().answered(window, !events.empty());
  owner.backlog = owner.backlog || !events.empty();
  stage_spills(std::move(spills));
  if (first)
    filling_.returned.emplace_back(slot, *first);
}

// -- retention --------------------------------------------------------------------------------------------------------

void partition_rounds::prepare_edge(log_sequence edge) {
  prepared_edge_ = std::max(prepared_edge_, edge);
  stage_spills(unindexed_.spill_below(edge));
}

void partition_rounds::carry(const std::vector<carried_event>& carried,
                             const std::vector<expired_event>& expired, const std::vector<late_event>& late) {
  for (const auto& each : carried)
    filling_.batch.carry(each);
  for (const auto& each : expired)
    filling_.batch.expire(each);
  for (const auto& each : late)
    filling_.batch.expire(each);
}

void partition_rounds::move_edge(log_sequence edge, log_sequence last_lost_attempt) {
  if (edge > prepared_edge_ || edge <= std::max(store_.oldest_kept(), filling_.edge.value_or(0)))
    return;
  filling_.edge = edge;
  if (last_lost_attempt > 0)
    filling_.batch.put_lost(last_lost_attempt);
}

// -- what history takes -----------------------------------------------------------------------------------------------

/// What the accounts are to be: those that are stored, and what came since.
void partition_rounds::load_history() {
  for (auto& [account, value] : store_.history_accounts())
    history_.load(account, std::move(value));
  counted_below_ = store_.history_counted_below();
  drops_ = store_.drops();
  store_.visit_history(counted_below_,
                       [this](std::uint64_t account, log_sequence sequence, const history_weight& weight) {
                         history_.add(account, sequence, weight.answer_bytes, weight.attempt_bytes);
                       });
  history_.forget_below(store_.oldest_kept());
}

/// Only into a round that is written anyway.
void partition_rounds::stage_accounts() {
  const auto durable_end = store_.last_round().next_sequence;
  filling_.accounts = history_.take_changes(durable_end, max_accounts_stored);
  log_sequence dropped_below = 0;
  for (const auto& one : filling_.accounts) {
    if (one.value)
      filling_.batch.put_history(one.connector, *one.value);
    else
      filling_.batch.remove_history(one.connector);
    if (one.drops_attempts)
      dropped_below = std::max(dropped_below, one.value->attempts_from);
  }
  if (dropped_below > 0) {
    drops_.forget_below(store_.oldest_kept());
    drops_.add(next_sequence_++,
               dropped_below); // a position of its own, so that promises lie before or behind it
    filling_.batch.put_drops(drops_);
  }
  const auto counted_below = history_.counted_below(durable_end);
  if (counted_below > counted_below_ &&
      (!filling_.accounts.empty() || counted_below - counted_below_ > max_uncounted)) {
    filling_.batch.put_counted(counted_below);
    counted_below_ = counted_below;
  }
}

// -- the way of a round -----------------------------------------------------------------------------------------------

void partition_rounds::reply_with_round(std::unique_ptr<round_reply> reply) {
  filling_.replies.push_back(std::move(reply));
}

bool partition_rounds::has_work() const {
  return filling_.writes() || !filling_.replies.empty() || !filling_.orphaned.empty();
}

const sealed_round* partition_rounds::seal() {
  VICKET_ASSERT(!sealed_);
  if (!filling_.writes())
    return nullptr;
  stage_accounts();
  auto header = store_.last_round();
  header.epoch = store_.epoch();
  ++header.number;
  header.next_sequence = next_sequence_;
  header.settled_below = std::max(unindexed_.lowest().value_or(next_sequence_), header.settled_below);
  header.oldest_kept = filling_.edge.value_or(header.oldest_kept);
  if (store_.needs_lineage(header))
    filling_.batch.put_lineage(store_.lineage());
  VICKET_ASSERT(header.oldest_kept <= header.settled_below);
  VICKET_ASSERT(unindexed_.size() == 0 || *unindexed_.lowest() >= header.settled_below);
  std::swap(filling_, flying_);
  sealed_.emplace(std::move(flying_.batch), header);
  flying_.batch = {};
  ++filling_number_;
  room_seen_ = false;
  return &*sealed_;
}

void partition_rounds::durable(released& out) {
  if (sealed_) {
    flying_.batch = std::move(*sealed_).reuse();
    sealed_.reset();
    release(flying_, out);
    if (filling_.batch.empty()) // that one's memory has grown to what rounds need
      std::swap(filling_.batch, flying_.batch);
  }
  if (!filling_.writes()) { // those who wait in it wait for nothing more
    release(filling_, out);
    ++filling_number_;
  }
  spill_laggards();
  drop_idle();
}

void partition_rounds::release(round& done, released& out) {
  append(out.replies, done.replies);
  for (const auto& [account, sequence, weight] : done.history)
    history_.add(account, sequence, weight.answer_bytes, weight.attempt_bytes);
  if (done.edge)
    history_.forget_below(*done.edge);
  release_changes(done, out);
  release_records(done, out);
  release_events(done, out);
  done.clear();
}

std::shared_ptr<const connector> partition_rounds::durable_config(connector_slot slot) const {
  const auto& active = *at(slot).active;
  if (active.changes_in_rounds > 0)
    for (const auto* part : {&flying_, &filling_}) // the first change of it that is not durable
      for (const auto& each : part->changes)
        if (each.slot == slot && each.before)
          return each.before;
  return active.shared;
}

void partition_rounds::release_changes(round& done, released& out) {
  for (const auto& each : done.changes) {
    auto& owner = at(each.slot);
    --owner.active->changes_in_rounds;
    if (each.removed) {
      out.removed.emplace_back(each.slot, bool{owner.supervised});
      std::erase(out.reconfigured, each.slot);
      std::erase_if(out.grown, [&](const auto& one) { return one.first == each.slot; });
      free_slot(each.slot);
      continue;
    }
    if (was_held(owner)) // perhaps by the endpoint that it has now
      show(each.slot);
    if (owner.supervised) {
      out.reconfigured.push_back(each.slot);
    } else {
      owner.closed = false;
      if ((owner.backlog || owner.indexed) && // it was set aside or asleep, with events that wait
          !is_orphaned_in_next(done, each.slot))
        out.grown.emplace_back(each.slot, due_position{});
      rest_if_idle(each.slot);
    }
  }
}

/// One message for each supervisor that has to hear of it, in the order of their first attempts. The others see it when
/// they have something to do anyway: to wake each was a third of all that the supervisors of many connectors cost.
void partition_rounds::release_records(round& done, released& out) {
  std::vector<connector_slot> concerned;
  for (auto& record : done.records) {
    forget_answers(record.message);
    auto& owner = at(record.slot);
    for (const auto& decision : record.message.decisions)
      count_settled(record.slot, decision);
    if (!owner.supervised || owner.generation != record.generation)
      continue; // its successor holds nothing of this
    auto& active = *owner.active;
    for (const auto& decision : record.message.decisions)
      budget().let_go(active.window, decision.envelope_bytes);
    if (!has_to_hear(owner, record.message))
      continue;
    if (active.to_let_go.attempts.empty() && !record.message.decisions.empty())
      concerned.push_back(record.slot);
    for (const auto& decision : record.message.decisions)
      active.to_let_go.attempts.push_back({decision.was.sequence, decision.value.next_attempt_at});
  }
  out.has_attempts = out.has_attempts || !done.records.empty();
  out.recorded_through = std::max(out.recorded_through, done.records_through);
  for (const auto slot : concerned)
    out.let_go.emplace_back(slot, std::exchange(at(slot).active->to_let_go, {}));
}

/// Its attempts are durable, and it has something to do for that: it waits for the retries, for places in the window, or
/// for all.
bool partition_rounds::has_to_hear(const place& owner, const record_attempts& of) const {
  return all_hear_of_records_ || owner.backlog ||
         std::any_of(of.decisions.begin(), of.decisions.end(),
                     [](const attempt_decision& one) { return one.state_after == event_state::pending; });
}

/// One message for each supervisor, in the order of their first events: the attempts then come back, and go into the
/// store, about in the order of the log, which is the cheap one (docs/decisions/0004-speed.md).
void partition_rounds::release_events(round& done, released& out) {
  std::vector<connector_slot> takers;
  std::vector<connector_slot> growers;
  const auto grow = [&](connector_slot slot, due_position first) {
    if (is_orphaned_in_next(done, slot))
      return;
    auto* active = activate(slot);
    if (active == nullptr) // the store, which says so, could not be read
      return;
    if (!active->grown) {
      active->grown = first;
      growers.push_back(slot);
    }
    active->grown = std::min(*active->grown, first);
  };
  for (const auto& spilled : done.spills)
    --at(*find(*spilled.connector)).active->spills_in_rounds;
  for (const auto slot : done.orphaned)
    if (at(slot).exists) // else the supervisor that died held nothing, and the connector was deleted since
      grow(slot, {});
  for (const auto& [slot, first] : done.returned)
    if (at(slot).exists)
      grow(slot, first);
  for (auto& staged : done.events) {
    auto* active = at(staged.slot).active.get();
    count_accepted(staged.slot, staged.event.accepted_at);
    if (staged.waits) {
      --active->waiting_in_rounds;
      grow(staged.slot, staged.event.position);
    } else if (!staged.given_up) {
      if (active->to_take.events.empty())
        takers.push_back(staged.slot);
      active->to_take.events.push_back(std::move(staged.event));
    }
  }
  for (const auto slot : takers)
    out.taken.emplace_back(slot, std::exchange(at(slot).active->to_take, {}));
  for (const auto slot : growers)
    out.grown.emplace_back(slot, *std::exchange(at(slot).active->grown, std::nullopt));
}

/// Its supervisor died while this round was on its way: what that one recorded last may be in the next round, so only
/// then its successor may begin, who would do it again.
bool partition_rounds::is_orphaned_in_next(const round& done, connector_slot slot) const {
  return &done != &filling_ &&
         std::find(filling_.orphaned.begin(), filling_.orphaned.end(), slot) != filling_.orphaned.end();
}

// -- a round that did not fit -----------------------------------------------------------------------------------------

void partition_rounds::refused(const store_status&, released& out) {
  append(out.refused, flying_.replies);
  append(out.refused, filling_.replies);
  std::vector<unindexed_events::entry> spills;
  std::vector<staged_record> records;
  const auto records_through = std::max(flying_.records_through, filling_.records_through);
  std::vector<connector_slot> orphaned;
  std::vector<std::pair<connector_slot, due_position>> returned;
  for (auto* part : {&flying_, &filling_}) {
    append(spills, part->spills);
    append(records, part->records);
    append(orphaned, part->orphaned);
    append(returned, part->returned);
  }
  for (const auto& spilled : spills)
    --at(*find(*spilled.connector)).active->spills_in_rounds;
  // The sequences from here on were never written: an index entry for one of them would point to nothing.
  std::erase_if(spills,
                [first = store_.next_sequence()](const auto& each) { return each.sequence >= first; });
  std::vector<connector_slot> concerned;
  for (auto* part : {&filling_, &flying_}) { // backwards: what was built on top comes down first
    for (const auto& each : part->events)
      concerned.push_back(each.slot);
    for (const auto& each : part->changes)
      concerned.push_back(each.slot);
    undo_events(*part);
    undo_changes(*part);
    history_.put_back(part->accounts);
    settings_.bytes -= part->settings_grew.bytes;
    for (const auto& [kind, more] : part->settings_grew.counts)
      settings_.counts[kind] -= more;
    part->clear();
  }
  if (sealed_) {
    filling_.batch = std::move(*sealed_).reuse();
    sealed_.reset();
  }
  room_seen_ = false;
  counted_below_ = store_.history_counted_below();
  drops_ = store_.drops();
  stage_spills(std::move(spills));
  for (auto& record : records)
    stage(std::move(record));
  filling_.records_through = records_through;
  append(filling_.orphaned, orphaned);
  append(filling_.returned, returned);
  for (const auto slot : concerned)
    rest_if_idle(slot);
}

void partition_rounds::undo_events(round& undone) {
  for (auto& staged : undone.events) {
    auto* active = at(staged.slot).active.get();
    if (staged.waits) {
      --active->waiting_in_rounds;
    } else if (!staged.given_up) {
      unindexed_.erase(staged.event.position.sequence);
      budget().let_go(active->window, staged.event.envelope->size());
    }
  }
}

void partition_rounds::undo_changes(round& undone) {
  for (auto each = undone.changes.rbegin(); each != undone.changes.rend(); ++each) {
    auto& owner = at(each->slot);
    --owner.active->changes_in_rounds;
    if (each->removed) {
      owner.removed = false;
      by_name_.insert(each->slot);
    } else if (each->created) {
      by_name_.erase(owner.id.value);
      free_slot(each->slot);
    } else {
      owner.active->shared = std::move(each->before);
      owner.active->filter = nullptr;
      owner.enabled = owner.active->config().enabled;
      owner.takes_all = takes_all(owner.active->config());
      owner.longest_cap_s = each->longest_cap_before_s;
    }
  }
}

// -- refills ----------------------------------------------------------------------------------------------------------

refilled partition_rounds::refill(place& owner, const refill_window& request) {
  refilled answer;
  auto& window = owner.active->window;
  const auto limit = with_.window.events_for(owner.config());
  if (window.events() >= limit || (window.events() > 0 && window.bytes() >= with_.window.bytes)) {
    answer.next_due = request.until; // there is more, but no room: it asks again when it let go of some
    budget().forget(window);
  } else {
    auto taking = budget().begin_refill(window);
    const auto worth_bytes = taking.worth_reading();
    auto page = store_.read_due(
        owner.id, request.from, request.until,
        std::clamp<std::size_t>(worth_bytes / window_budget::event_bytes, 1, limit - window.events()),
        std::min(with_.window.bytes - std::min(window.bytes(), with_.window.bytes), worth_bytes),
        [&](log_sequence sequence) {
          return std::binary_search(request.held.begin(), request.held.end(), sequence);
        },
        request.beyond);
    answer.next_due = page.next_due;
    for (auto& event : page.events) {
      const auto bytes = event.event.envelope->size();
      if (!taking.take(bytes)) {
        answer.next_due = std::min(event.position.due, request.until);
        if (answer.events.empty()) {
          taking.wait(bytes);
          answer.no_room = true;
        }
        break;
      }
      answer.events.emplace_back(std::move(event));
    }
  }
  owner.backlog = (answer.next_due && *answer.next_due <= request.until) ||
                  owner.active->waiting_in_rounds > 0 || owner.active->spills_in_rounds > 0;
  return answer;
}

// -- invariants -------------------------------------------------------------------------------------------------------

void partition_rounds::check() const {
  std::size_t named = 0;
  std::size_t held = 0;
  for (std::size_t slot = 0; slot < places_.size(); ++slot) {
    const auto& owner = places_[slot];
    if (!owner.exists)
      continue;
    VICKET_ASSERT(owner.removed || by_name_.find(owner.id.value) == static_cast<connector_slot>(slot));
    VICKET_ASSERT(owner.active || (!owner.supervised && !owner.removed));
    named += owner.removed ? 0 : 1;
    if (!owner.active)
      continue;
    const auto& active = *owner.active;
    VICKET_ASSERT(!owner.removed || active.changes_in_rounds > 0);
    VICKET_ASSERT(active.config().id == owner.id && active.config().enabled == owner.enabled);
    VICKET_ASSERT(takes_all(active.config()) == owner.takes_all);
    VICKET_ASSERT(!active.filter || !active.config().filter_json.empty());
    VICKET_ASSERT(active.to_take.events.empty() && active.to_let_go.attempts.empty() && !active.grown);
    VICKET_ASSERT(owner.supervised || !active.window.waits());
    held += active.window.counts();
  }
  VICKET_ASSERT(named == by_name_.size());
  VICKET_ASSERT(held == with_.budget->held());
  with_.budget->check();
  VICKET_ASSERT(!unindexed_.lowest() || *unindexed_.lowest() >= store_.settled_below());
  VICKET_ASSERT(next_sequence_ >= store_.last_round().next_sequence);
  VICKET_ASSERT(prepared_edge_ >= store_.oldest_kept());
  history_.check();
  std::unordered_map<connector_slot, std::pair<std::size_t, std::size_t>> in_rounds; // held, waiting
  for (const auto* part : {&flying_, &filling_})
    for (const auto& staged : part->events)
      (staged.waits ? in_rounds[staged.slot].second : in_rounds[staged.slot].first) +=
          staged.given_up ? 0 : 1;
  for (const auto& [slot, counts] : in_rounds) {
    VICKET_ASSERT(at(slot).active->window.events() >= counts.first);
    VICKET_ASSERT(at(slot).active->waiting_in_rounds == counts.second);
  }
  pending_.check();
  busy_.check();
  std::size_t idle = 0;
  for (connector_slot slot = 0; slot < places_.size(); ++slot) {
    if (!places_[slot].exists) {
      VICKET_ASSERT(pending_.of(slot) == 0 && !busy_.contains(slot));
      continue;
    }
    VICKET_ASSERT(pending_.of(slot) == 0 || busy_.contains(slot));
    idle += busy_.contains(slot) && pending_.of(slot) == 0 ? 1 : 0;
  }
  // What stands in no index is pending, or will be with a round that is still unfinished. Nothing like that can be said of
  // windows: an event may be in one twice for a moment, see `supervisor::take_refill`.
  std::unordered_map<connector_slot, std::size_t> unindexed;
  unindexed_.for_each([&](const unindexed_events::entry& event) { ++unindexed[*find(*event.connector)]; });
  for (const auto& [slot, count] : unindexed) {
    const auto found = in_rounds.find(slot);
    VICKET_ASSERT(count <= pending_.of(slot) + (found == in_rounds.end() ? 0 : found->second.first));
  }
  VICKET_ASSERT(idle == idle_);
  VICKET_ASSERT(sealed_ || (flying_.events.empty() && flying_.records.empty() && flying_.replies.empty() &&
                            flying_.changes.empty() && flying_.settings.empty() && flying_.ids.empty()));
  VICKET_ASSERT(has_unfinished_settings() ||
                settings_.bytes == static_cast<std::ptrdiff_t>(store_.settings()->bytes()));
}

} // namespace vicket
