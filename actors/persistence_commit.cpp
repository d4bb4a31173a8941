// The group commit: everything that waits goes to disk together, and only then anybody hears of it.

#include "actors/persistence.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace vicket {

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
  collect_records();
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
  // One message for each supervisor, in the order of their first attempts.
  std::vector<entry*> concerned;
  for (auto& record : staged_records_) {
    auto& owner = *record.owner;
    if (owner.to_let_go.attempts.empty() && !record.message.decisions.empty())
      concerned.push_back(&owner);
    for (const auto& decision : record.message.decisions) {
      owner.to_let_go.attempts.push_back({decision.was.sequence, decision.value.next_attempt_at});
      owner.held_events -= std::min<std::size_t>(1, owner.held_events);
      owner.held_bytes -= std::min(decision.envelope_bytes, owner.held_bytes);
    }
  }
  for (auto* owner : concerned) {
    auto recorded = std::exchange(owner->to_let_go, {});
    if (owner->supervisor)
      self_->send(owner->supervisor, std::move(recorded));
  }
  staged_records_.clear();
  last_attempt_ = with_.store->next_sequence() - 1;
  if (feed_watched_ && feed_watcher_)
    self_->send(feed_watcher_, feed_grew{with_.partition});
  feed_watched_ = false;
}

void persistence::hand_over_events() {
  // One message for each supervisor, in the order of their first events: the attempts then come back, and go into the
  // store, about in the order of the log, which is the cheap one (docs/decisions/0004-speed.md).
  std::vector<entry*> takers;
  std::vector<entry*> growers;
  for (auto& staged : staged_events_) {
    auto& owner = *staged.owner;
    if (!staged.waits) {
      if (owner.to_take.events.empty())
        takers.push_back(&owner);
      owner.to_take.events.push_back(std::move(staged.event));
    } else if (!owner.grown) { // positions rise: the first is the foremost
      owner.grown = staged.event.position;
      growers.push_back(&owner);
    }
  }
  staged_events_.clear();
  for (auto* owner : takers) {
    auto taken = std::exchange(owner->to_take, {});
    if (!draining_) // else they are on disk, and the next start delivers them
      self_->send(supervisor_of(*owner), std::move(taken));
  }
  for (auto* owner : growers) {
    const auto first = *std::exchange(owner->grown, std::nullopt);
    if (!draining_)
      self_->send(supervisor_of(*owner), backlog_grew{first});
  }
}

void persistence::spill_laggards() {
  if (unindexed_.size() == 0)
    return;
  const auto head = with_.store->next_sequence();
  if (head - *unindexed_.lowest() <= with_.max_unindexed)
    return;
  staged_spills_ = unindexed_.spill_below(head - with_.max_unindexed / 2);
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
    for (auto& decision : record.message.decisions)
      stage_decision(record.message.connector, decision);
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

} // namespace vicket
