#include "actors/partition_rounds.hpp"

#include "policy/assertion.hpp"
#include "policy/event_filter.hpp"
#include "storage/key_codec.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

namespace vicket {

namespace {

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

} // namespace

void partition_rounds::round::clear() {
  batch.clear();
  replies.clear();
  events.clear();
  records.clear();
  spills.clear();
  changes.clear();
  orphaned.clear();
  edge.reset();
  answers.clear();
  accounts.clear();
  ids.clear();
}

partition_rounds::partition_rounds(const partition_store& store, setup with)
    : store_{store}, with_{std::move(with)}, history_{with_.history}, next_sequence_{store.next_sequence()},
      prepared_edge_{store.oldest_kept()} {
  load_history();
}

// -- connectors -------------------------------------------------------------------------------------------------------

connector_slot partition_rounds::take_slot() {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<connector_slot>(places_.size()));
    places_.emplace_back();
  }
  const auto slot = free_slots_.back();
  free_slots_.pop_back();
  places_[slot] = std::make_unique<place>();
  return slot;
}

connector_slot partition_rounds::load(connector config, std::string state) {
  const auto slot = take_slot();
  auto& owner = at(slot);
  owner.config = std::move(config);
  owner.account = codec::account_of(owner.config.id);
  owner.state = std::move(state);
  by_name_.emplace(owner.config.id, slot);
  return slot;
}

std::optional<connector_slot> partition_rounds::find(const connector_id& id) const {
  const auto found = by_name_.find(id);
  return found == by_name_.end() ? std::nullopt : std::optional{found->second};
}

partition_rounds::place* partition_rounds::seat(const supervisor_seat& seat) {
  if (seat.slot >= places_.size() || !places_[seat.slot])
    return nullptr;
  auto& owner = *places_[seat.slot];
  return owner.supervised && owner.generation == seat.generation ? &owner : nullptr;
}

bool partition_rounds::has_unfinished_changes() const noexcept {
  return !filling_.changes.empty() || !flying_.changes.empty();
}

supervisor_seat partition_rounds::seat_supervisor(connector_slot slot) {
  auto& owner = at(slot);
  VICKET_ASSERT(!owner.supervised);
  owner.supervised = true;
  // Slots are used again, so the count goes on over all connectors.
  owner.generation = ++last_generation_;
  return {slot, owner.generation};
}

void partition_rounds::vacate(connector_slot slot) {
  at(slot).supervised = false;
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
  if (auto no = refuse(event, owner)) // it may follow from a change that is not durable yet
    return {*std::move(no), owner != nullptr ? owner->changes_in_rounds > 0 : has_unfinished_changes()};
  if (!room_on_disk())
    return {disk_is_full(), false};
  const auto id = event.id;
  stage(*slot, event, now);
  return {accepted{id, false}, true};
}

std::optional<refusal> partition_rounds::refuse(const composed_event& event, const place* owner) const {
  if (owner == nullptr)
    return refusal{errc::unknown_connector, "no connector has the id '" + event.connector.value + "'"};
  if (!owner->complaint.empty())
    return refusal{errc::connector_disabled,
                   "connector '" + event.connector.value + "' can't be used: " + owner->complaint};
  if (!owner->config.enabled)
    return refusal{errc::connector_disabled, "connector '" + event.connector.value + "' is disabled"};
  if (!event_matches(owner->config.events, event.event))
    return refusal{errc::filtered, "none of the events patterns of connector '" + event.connector.value +
                                       "' matches '" + event.event + "'"};
  return std::nullopt;
}

bool partition_rounds::is_staged(const event_id& id, connector_slot slot) const {
  return filling_.ids.contains({id, slot}) || flying_.ids.contains({id, slot});
}

bool partition_rounds::has_room(const place& owner, std::size_t bytes) const {
  return owner.held_events == 0 || (owner.held_events < with_.window.events_for(owner.config) &&
                                    owner.held_bytes + bytes <= with_.window.bytes);
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
  auto& stored = staged.event.event;
  stored.sequence = next_sequence_++;
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
    ++owner.waiting_in_rounds;
  } else {
    ++owner.held_events;
    owner.held_bytes += bytes;
    unindexed_.add({stored.sequence, stored.accepted_at, &owner.config.id});
  }
  if (event.id_of_sender)
    filling_.ids.insert({event.id, slot});
  filling_.batch.add_event(stored, staged.waits);
  filling_.events.push_back(std::move(staged));
}

// -- connectors, filled -----------------------------------------------------------------------------------------------

connector_slot partition_rounds::put(const connector& config) {
  change made;
  if (const auto known = find(config.id)) {
    made.slot = *known;
    made.before = std::exchange(at(made.slot).config, config);
  } else {
    made.slot = load(config, {});
    made.created = true;
  }
  ++at(made.slot).changes_in_rounds;
  filling_.batch.put_connector(config);
  const auto slot = made.slot;
  filling_.changes.push_back(std::move(made));
  return slot;
}

bool partition_rounds::is_busy(connector_slot slot) const {
  const auto& owner = at(slot);
  if (owner.held_events > 0 || owner.waiting_in_rounds > 0 || owner.spills_in_rounds > 0)
    return true;
  const auto page = store_.read_due(owner.config.id, {}, last_time, 1, 1, [](log_sequence) { return false; });
  return !page.events.empty() || page.unreadable > 0;
}

void partition_rounds::remove(connector_slot slot) {
  auto& owner = at(slot);
  VICKET_ASSERT(!owner.removed && owner.held_events == 0 && owner.waiting_in_rounds == 0);
  owner.removed = true;
  ++owner.changes_in_rounds;
  by_name_.erase(owner.config.id);
  filling_.batch.delete_connector(owner.config.id);
  change made;
  made.slot = slot;
  made.removed = true;
  filling_.changes.push_back(std::move(made));
}

// -- attempts ---------------------------------------------------------------------------------------------------------

void partition_rounds::record(record_attempts message, timestamp_ms now) {
  if (seat(message.seat) == nullptr)
    return;
  for (auto& decision : message.decisions)
    decision.was_indexed = !unindexed_.erase(decision.was.sequence);
  stage({message.seat.slot, message.seat.generation, now, std::move(message)});
}

void partition_rounds::stage(staged_record record) {
  auto& owner = at(record.slot);
  for (auto& decision : record.message.decisions)
    stage_decision(owner, decision, record.at);
  if (record.message.state) {
    owner.state = *record.message.state;
    filling_.batch.put_connector_state(owner.config.id, owner.state);
  }
  filling_.records.push_back(std::move(record));
}

void partition_rounds::stage_decision(const place& owner, attempt_decision& decision, timestamp_ms at) {
  stored_attempt stored;
  stored.account = owner.account;
  stored.sequence = next_sequence_++;
  stored.event_sequence = decision.was.sequence;
  stored.state_after = decision.state_after;
  stored.value = std::move(decision.value); // it may have 64 KiB of body
  const auto& body = stored.value.response_body;
  if (stored.value.number > 1 && body.size() >= min_shared_body_bytes)
    if (const auto before = store_.body_of(stored.event_sequence, stored.value.number - 1);
        before && before->bytes == body)
      stored.same_body_as = before->number;
  if (const auto bytes = stored.answer_bytes(); bytes >= stored_attempt::min_answer_bytes)
    filling_.answers.push_back({owner.account, stored.sequence, bytes});
  filling_.batch.add_attempt(owner.config.id, stored, decision.was, decision.was_indexed,
                             index_for(stored.event_sequence));
  if (stored.state_after != event_state::pending && at - decision.accepted_at > with_.late_ms)
    filling_.batch.note_late({at, stored.event_sequence});
  decision.value = std::move(stored.value);
}

write_batch::attempt_index partition_rounds::index_for(log_sequence event) const {
  if (event < store_.oldest_kept())
    return write_batch::attempt_index::carried;
  return event < prepared_edge_ ? write_batch::attempt_index::both : write_batch::attempt_index::log;
}

// -- index places -----------------------------------------------------------------------------------------------------

void partition_rounds::stage_spills(std::vector<unindexed_events::entry> spills) {
  for (const auto& spilled : spills) {
    filling_.batch.index_waiting(*spilled.connector, {spilled.due, spilled.sequence}, 0);
    ++at(by_name_.at(*spilled.connector)).spills_in_rounds;
  }
  append(filling_.spills, spills);
}

void partition_rounds::spill_laggards() {
  if (unindexed_.size() > 0 && next_sequence_ - *unindexed_.lowest() > with_.max_unindexed)
    stage_spills(unindexed_.spill_below(next_sequence_ - with_.max_unindexed / 2));
}

void partition_rounds::give_up_held(connector_slot slot) {
  auto& owner = at(slot);
  stage_spills(unindexed_.spill_connector(owner.config.id));
  // Those on their way to the store, which were to be handed over then, are among the spills, too.
  for (auto* part : {&flying_, &filling_})
    for (auto& staged : part->events)
      staged.given_up = staged.given_up || (staged.slot == slot && !staged.waits);
  owner.held_events = 0;
  owner.held_bytes = 0;
  owner.backlog = true;
  filling_.orphaned.push_back(slot);
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
  store_.visit_answers(counted_below_, [this](std::uint64_t account, log_sequence sequence,
                                              std::size_t bytes) { history_.add(account, sequence, bytes); });
  history_.forget_below(store_.oldest_kept());
}

/// Only into a round that is written anyway.
void partition_rounds::stage_accounts() {
  const auto durable_end = store_.last_round().next_sequence;
  filling_.accounts = history_.take_changes(durable_end, max_accounts_stored);
  for (const auto& one : filling_.accounts)
    if (one.value)
      filling_.batch.put_history(one.connector, *one.value);
    else
      filling_.batch.remove_history(one.connector);
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
}

void partition_rounds::release(round& done, released& out) {
  append(out.replies, done.replies);
  for (const auto& [account, sequence, bytes] : done.answers)
    history_.add(account, sequence, bytes);
  if (done.edge)
    history_.forget_below(*done.edge);
  release_changes(done, out);
  release_records(done, out);
  release_events(done, out);
  done.clear();
}

void partition_rounds::release_changes(round& done, released& out) {
  for (const auto& each : done.changes) {
    auto& owner = at(each.slot);
    --owner.changes_in_rounds;
    if (each.removed) {
      out.removed.emplace_back(each.slot, owner.supervised);
      std::erase(out.reconfigured, each.slot);
      std::erase_if(out.grown, [&](const auto& one) { return one.first == each.slot; });
      places_[each.slot].reset();
      free_slots_.push_back(each.slot);
    } else if (owner.supervised) {
      out.reconfigured.push_back(each.slot);
    } else if (owner.backlog) { // it was set aside, with events that wait
      out.grown.emplace_back(each.slot, due_position{});
    }
  }
}

/// One message for each supervisor, in the order of their first attempts.
void partition_rounds::release_records(round& done, released& out) {
  std::vector<connector_slot> concerned;
  for (auto& record : done.records) {
    auto& owner = at(record.slot);
    if (!owner.supervised || owner.generation != record.generation)
      continue; // its successor holds nothing of this
    if (owner.to_let_go.attempts.empty() && !record.message.decisions.empty())
      concerned.push_back(record.slot);
    for (const auto& decision : record.message.decisions) {
      owner.to_let_go.attempts.push_back({decision.was.sequence, decision.value.next_attempt_at});
      VICKET_ASSERT(owner.held_events > 0 && owner.held_bytes >= decision.envelope_bytes);
      --owner.held_events;
      owner.held_bytes -= decision.envelope_bytes;
    }
  }
  out.has_attempts = out.has_attempts || !done.records.empty();
  for (const auto slot : concerned)
    out.let_go.emplace_back(slot, std::exchange(at(slot).to_let_go, {}));
}

/// One message for each supervisor, in the order of their first events: the attempts then come back, and go into the
/// store, about in the order of the log, which is the cheap one (docs/decisions/0004-speed.md).
void partition_rounds::release_events(round& done, released& out) {
  std::vector<connector_slot> takers;
  std::vector<connector_slot> growers;
  const auto grow = [&](connector_slot slot, due_position first) {
    auto& owner = at(slot);
    if (!owner.grown) {
      owner.grown = first;
      growers.push_back(slot);
    }
    owner.grown = std::min(*owner.grown, first);
  };
  for (const auto& spilled : done.spills)
    --at(by_name_.at(*spilled.connector)).spills_in_rounds;
  for (const auto slot : done.orphaned)
    if (places_[slot]) // else the supervisor that died held nothing, and the connector was deleted since
      grow(slot, {});
  for (auto& staged : done.events) {
    auto& owner = at(staged.slot);
    if (staged.waits) {
      --owner.waiting_in_rounds;
      grow(staged.slot, staged.event.position);
    } else if (!staged.given_up) {
      if (owner.to_take.events.empty())
        takers.push_back(staged.slot);
      owner.to_take.events.push_back(std::move(staged.event));
    }
  }
  for (const auto slot : takers)
    out.taken.emplace_back(slot, std::exchange(at(slot).to_take, {}));
  for (const auto slot : growers)
    out.grown.emplace_back(slot, *std::exchange(at(slot).grown, std::nullopt));
}

// -- a round that did not fit -----------------------------------------------------------------------------------------

void partition_rounds::refused(const store_status&, released& out) {
  append(out.refused, flying_.replies);
  append(out.refused, filling_.replies);
  std::vector<unindexed_events::entry> spills;
  std::vector<staged_record> records;
  std::vector<connector_slot> orphaned;
  for (auto* part : {&flying_, &filling_}) {
    append(spills, part->spills);
    append(records, part->records);
    append(orphaned, part->orphaned);
  }
  for (const auto& spilled : spills)
    --at(by_name_.at(*spilled.connector)).spills_in_rounds;
  // The sequences from here on were never written: an index entry for one of them would point to nothing.
  std::erase_if(spills,
                [first = store_.next_sequence()](const auto& each) { return each.sequence >= first; });
  for (auto* part : {&filling_, &flying_}) { // backwards: what was built on top comes down first
    undo_events(*part);
    undo_changes(*part);
    history_.put_back(part->accounts);
    part->clear();
  }
  if (sealed_) {
    filling_.batch = std::move(*sealed_).reuse();
    sealed_.reset();
  }
  room_seen_ = false;
  counted_below_ = store_.history_counted_below();
  stage_spills(std::move(spills));
  for (auto& record : records)
    stage(std::move(record));
  append(filling_.orphaned, orphaned);
}

void partition_rounds::undo_events(round& undone) {
  for (auto& staged : undone.events) {
    auto& owner = at(staged.slot);
    if (staged.waits)
      --owner.waiting_in_rounds;
    if (staged.waits || staged.given_up)
      continue;
    unindexed_.erase(staged.event.position.sequence);
    --owner.held_events;
    owner.held_bytes -= staged.event.event.envelope->size();
  }
}

void partition_rounds::undo_changes(round& undone) {
  for (auto each = undone.changes.rbegin(); each != undone.changes.rend(); ++each) {
    auto& owner = at(each->slot);
    --owner.changes_in_rounds;
    if (each->removed) {
      owner.removed = false;
      by_name_.emplace(owner.config.id, each->slot);
    } else if (each->created) {
      by_name_.erase(owner.config.id);
      places_[each->slot].reset();
      free_slots_.push_back(each->slot);
    } else {
      owner.config = *std::move(each->before);
    }
  }
}

// -- refills ----------------------------------------------------------------------------------------------------------

refilled partition_rounds::refill(place& owner, const refill_window& request) {
  refilled answer;
  const auto limit = with_.window.events_for(owner.config);
  if (owner.held_events >= limit || (owner.held_events > 0 && owner.held_bytes >= with_.window.bytes)) {
    answer.next_due = request.until; // there is more, but no room: it asks again when it let go of some
  } else {
    auto page = store_.read_due(
        owner.config.id, request.from, request.until, limit - owner.held_events,
        with_.window.bytes - std::min(owner.held_bytes, with_.window.bytes),
        [&](log_sequence sequence) {
          return std::binary_search(request.held.begin(), request.held.end(), sequence);
        },
        request.beyond);
    answer.events = std::move(page.events);
    answer.next_due = page.next_due;
  }
  for (const auto& event : answer.events) {
    ++owner.held_events;
    owner.held_bytes += event.event.envelope->size();
  }
  owner.backlog = (answer.next_due && *answer.next_due <= request.until) || owner.waiting_in_rounds > 0;
  return answer;
}

// -- invariants -------------------------------------------------------------------------------------------------------

void partition_rounds::check() const {
  std::size_t named = 0;
  for (const auto& owner : places_) {
    if (!owner)
      continue;
    const auto found = by_name_.find(owner->config.id);
    VICKET_ASSERT(owner->removed || (found != by_name_.end() && places_[found->second].get() == owner.get()));
    VICKET_ASSERT(!owner->removed || owner->changes_in_rounds > 0);
    VICKET_ASSERT(owner->held_events > 0 || owner->held_bytes == 0);
    VICKET_ASSERT(owner->to_take.events.empty() && owner->to_let_go.attempts.empty() && !owner->grown);
    named += owner->removed ? 0 : 1;
  }
  VICKET_ASSERT(named == by_name_.size());
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
    VICKET_ASSERT(at(slot).held_events >= counts.first);
    VICKET_ASSERT(at(slot).waiting_in_rounds == counts.second);
  }
  VICKET_ASSERT(sealed_ || (flying_.events.empty() && flying_.records.empty() && flying_.replies.empty() &&
                            flying_.changes.empty() && flying_.ids.empty()));
}

} // namespace vicket
