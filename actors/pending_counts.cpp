#include "actors/pending_counts.hpp"

#include "policy/assertion.hpp"

#include <algorithm>
#include <utility>

namespace vicket {

bool pending_counts::accepted(slot which, timestamp_ms accepted_at) {
  ++total_;
  auto& mine = entry_of(which);
  if (mine.has_time() || mine.has_place()) {
    times_of(mine).add(accepted_at);
    return false;
  }
  if (entry::fits(accepted_at))
    mine.set_time(accepted_at);
  else
    times_of(mine).add(accepted_at);
  return true;
}

bool pending_counts::settled(slot which, log_sequence event, timestamp_ms accepted_at) {
  if (event >= first_new_ || !awaited(which))
    return remove(which, accepted_at);
  early_[which].push_back(accepted_at);
  return false;
}

void pending_counts::forget(slot which) {
  nothing_pending(which);
  if (which < entries_.size())
    entries_[which].clear();
}

void pending_counts::nothing_pending(slot which) {
  VICKET_ASSERT(of(which) == 0);
  if (which < awaited_.size())
    awaited_[which] = false;
  early_.erase(which);
}

void pending_counts::await(slot which) {
  counting_ = true;
  if (which >= awaited_.size())
    awaited_.resize(which + 1);
  awaited_[which] = true;
}

void pending_counts::counted(slot which, pending_times found) {
  if (!awaited(which))
    return;
  awaited_[which] = false;
  if (const auto early = early_.find(which); early != early_.end()) {
    for (const auto time : early->second)
      if (found.count() > 0)
        found.remove(time);
      else
        ++unknown_;
    early_.erase(early);
  }
  if (found.count() == 0)
    return;
  total_ += found.count();
  auto& mine = entry_of(which);
  auto& times = times_of(mine);
  found.add_all(times);
  times = std::move(found);
  slim(mine);
}

void pending_counts::all_counted() {
  for (const auto& [which, times] : early_)
    unknown_ += times.size();
  early_.clear();
  awaited_ = {};
  counting_ = false;
}

std::uint64_t pending_counts::of(slot which) const {
  if (which >= entries_.size())
    return 0;
  const auto& mine = entries_[which];
  return mine.has_place() ? times_[mine.place()].count() : mine.has_time() ? 1 : 0;
}

std::optional<timestamp_ms> pending_counts::oldest(slot which) const {
  if (of(which) == 0)
    return std::nullopt;
  const auto& mine = entries_[which];
  return mine.has_time() ? mine.time() : times_[mine.place()].oldest();
}

bool pending_counts::remove(slot which, timestamp_ms accepted_at) {
  if (which >= entries_.size()) {
    ++unknown_;
    return false;
  }
  auto& mine = entries_[which];
  if (mine.has_time()) {
    --total_;
    mine.clear();
    return true;
  }
  if (!mine.has_place()) {
    ++unknown_;
    return false;
  }
  --total_;
  times_[mine.place()].remove(accepted_at);
  slim(mine);
  return !mine.has_place() && !mine.has_time();
}

pending_counts::entry& pending_counts::entry_of(slot which) {
  if (which >= entries_.size())
    entries_.resize(which + 1);
  return entries_[which];
}

/// Its place in times_, where all that is pending for it is from now on.
pending_times& pending_counts::times_of(entry& mine) {
  if (mine.has_place())
    return times_[mine.place()];
  const auto place = take_times();
  if (mine.has_time())
    times_[place].add(mine.time());
  mine.set_place(place);
  return times_[place];
}

/// Gives up its place in times_ when it can do without.
void pending_counts::slim(entry& mine) {
  const auto place = mine.place();
  auto& times = times_[place];
  if (times.count() > 1 || (times.count() == 1 && !entry::fits(times.oldest())))
    return;
  if (times.count() == 1)
    mine.set_time(times.oldest());
  else
    mine.clear();
  times = {};
  free_times_.push_back(place);
}

std::uint32_t pending_counts::take_times() {
  if (free_times_.empty()) {
    free_times_.push_back(static_cast<std::uint32_t>(times_.size()));
    times_.emplace_back();
  }
  const auto place = free_times_.back();
  free_times_.pop_back();
  return place;
}

void pending_counts::check() const {
  std::uint64_t sum = 0;
  std::size_t with_times = 0;
  for (const auto& each : entries_) {
    sum += each.has_time() ? 1 : 0;
    if (!each.has_place())
      continue;
    ++with_times;
    VICKET_ASSERT(each.place() < times_.size());
    const auto& times = times_[each.place()];
    VICKET_ASSERT(times.count() > 1 || (times.count() == 1 && !entry::fits(times.oldest())));
    sum += times.count();
    times.check();
  }
  VICKET_ASSERT(sum == total_);
  VICKET_ASSERT(with_times + free_times_.size() == times_.size());
  VICKET_ASSERT(unknown_ == 0);
  for (const auto& [which, times] : early_)
    VICKET_ASSERT(awaited(which));
  VICKET_ASSERT(counting_ || early_.empty());
}

} // namespace vicket
