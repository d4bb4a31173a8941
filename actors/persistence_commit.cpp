// The way of a round, and what it brings about: everything that waits goes to disk together, and only then anybody hears
// of it.

#include "actors/persistence_answers.hpp"

#include <caf/send.hpp>

#include <chrono>
#include <thread>
#include <utility>

namespace vicket {

void persistence::schedule_commit() {
  if (rounds_.filled_bytes() >= max_batch_bytes && !disk_full_) {
    commit();
    return;
  }
  if (tick_under_way_ || rounds_.on_its_way())
    return;
  tick_under_way_ = true;
  // Behind everything that is in the mailbox now: that is what makes it one commit for all of them.
  self_->send(self_, tick{});
}

void persistence::commit() {
  if (failed_ || !store_is_healthy())
    return;
  collect_records();
  if (rounds_.on_its_way())
    return; // when it is back, what is filled by then follows
  // Counting ends a second or two after a start, and the store is not reopened before.
  if (disk_full_ && being_counted_) {
    retry_when_there_is_room();
    return;
  }
  if (disk_full_) {
    if (auto resumed = with_.log->resume(); resumed.code == store_errc::full) {
      disk_full(resumed);
      return;
    } else if (!resumed.ok()) {
      fail(resumed);
      return;
    }
    store_reopened();
  }
  const auto* round = rounds_.seal();
  if (round == nullptr) {
    round_is_back({}, false);
    return;
  }
  appending_ = true;
  if (with_.permit)
    appended_at_us_ = with_.clock->now_us();
  with_.log->append(
      *round, [this, me = handle{self_}, mine = std::this_thread::get_id()](const store_status& status) {
        if (std::this_thread::get_id() == mine && appending_) // still in our own call
          round_is_back(status);
        else
          caf::anon_send(me, round_came_back{status});
      });
  appending_ = false;
}

void persistence::round_is_back(const store_status& status, bool was_written) {
  appending_ = false;
  if (failed_)
    return;
  if (status.code == store_errc::full || status.code == store_errc::away) {
    disk_full(status);
    return;
  }
  if (!status.ok()) {
    fail(status);
    return;
  }
  disk_full_ = away_ = false;
  // Of a log that could not be reached it says nothing that there was nothing to write.
  if (told_short_ && (was_written || !told_away_)) {
    told_short_ = false;
    warn(told_away_ ? "the cluster's log takes rounds again" : "the disk has room again");
  }
  partition_rounds::released out;
  rounds_.durable(out);
  release(std::move(out));
  decide_deletes();
  if (rounds_.has_work() || !deletes_.empty())
    schedule_commit();
  finish_drain_when_done();
}

void persistence::release(partition_rounds::released out) {
  if (out.recorded_through > 0) // before anybody hears of anything
    records_->set_durable(out.recorded_through);
  for (const auto& reply : out.replies)
    reply->durable();
  for (const auto& [slot, supervised] : out.removed) {
    sleepers_.erase(slot);
    in_flight_.erase(slot);
    if (supervised)
      dismiss(slot);
  }
  for (const auto slot : out.reconfigured)
    if (auto profile = profile_of(slot)) {
      ++rounds_.at(slot).active->told;
      self_->send(supervisors_[slot], reconfigure{std::move(profile)});
    }
  for (auto& [slot, attempts] : out.let_go)
    self_->send(supervisors_[slot], std::move(attempts));
  if (out.has_attempts) {
    last_attempt_ = with_.store->committed_end();
    if (feed_watched_ && feed_watcher_)
      self_->send(feed_watcher_, feed_grew{with_.partition});
    feed_watched_ = false;
  }
  if (draining_) // what is new is on disk, and the next start delivers it
    return;
  for (auto& [slot, events] : out.taken)
    if (const auto to = supervisor_of(slot))
      self_->send(to, std::move(events));
    else // the connector was found to be of no use: they wait in the index until it is put
      rounds_.give_up_held(slot);
  for (const auto& [slot, first] : out.grown)
    tell_of_backlog(slot, first);
  deal_room();
}

/// The round did not fit. New events, puts and deletes in it are refused; attempts and index entries are kept, and tried
/// again until there is room: their supervisors do not let go, so what waits here is bounded by what they hold.
void persistence::disk_full(const store_status& why) {
  disk_full_ = true;
  away_ = why.code == store_errc::away;
  if (!std::exchange(told_short_, true) || told_away_ != away_)
    warn(why.detail);
  told_away_ = away_;
  partition_rounds::released out;
  rounds_.refused(why, out);
  for (const auto& reply : out.refused)
    reply->refused(why);
  for (auto& each : std::exchange(deletes_, {}))
    each.promise.deliver(make_refusal(refusal_of_round(why)));
  retry_when_there_is_room();
}

void persistence::retry_when_there_is_room() {
  if (tick_under_way_)
    return;
  tick_under_way_ = true;
  self_->delayed_send(self_, std::chrono::milliseconds{full_retry_ms}, tick{});
}

void persistence::store_reopened() {
  for (const auto& asked : std::exchange(refills_waiting_, {}))
    refill(asked);
  wake_those_due();
}

/// What the store's own threads met. A full disk is looked at as often as one that refused a commit, but only as long as
/// the store wants it: nothing polls a store that is well.
void persistence::watch_store(const look_at_store& look) {
  if (look.again)
    look_under_way_ = false;
  if (failed_ || !store_is_healthy() || look_under_way_ || !with_.store->wants_resume())
    return;
  // Of a cluster's partition the log's follower writes the store, on a thread of its own: closing it here would take it from
  // under that one, which looks for itself.
  if (with_.permit)
    return;
  // While the disk is full the commit that did not fit comes again, and resumes it; and a round on its way must find the
  // store that it is for.
  if (!disk_full_ && !rounds_.on_its_way()) {
    if (!look.again && with_.log_warning)
      with_.log_warning(called() +
                        ": the store's background work stopped, the disk is full: free some space");
    if (being_counted_) {
      // Not yet: it is looked at again below.
    } else if (const auto resumed = with_.store->resume(); resumed.ok()) {
      store_reopened();
      if (with_.log_warning)
        with_.log_warning(called() + ": the store's background work goes on, the disk has room");
    } else if (resumed.code != store_errc::full) {
      fail(resumed);
    } else if (!with_.store->is_open()) {
      disk_full(resumed);
    }
  }
  if (failed_ || !with_.store->wants_resume())
    return;
  look_under_way_ = true;
  self_->delayed_send(self_, std::chrono::milliseconds{full_retry_ms}, look_at_store{true});
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
    with_.store_failed((why.code == store_errc::corrupt
                            ? "a file is damaged, which starting again does not mend: keep the folder, and "
                              "restore it from a backup: "
                            : "the next start recovers: ") +
                       called() + ": " + why.detail);
}

} // namespace vicket
