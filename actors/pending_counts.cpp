#include "actors/pending_counts.hpp"

#include "policy/assertion.hpp"

#include <algorithm>
#include <utility>

namespace vicket {

void pending_counts::accepted(slot which, timestamp_ms accepted_at) {
  add(which, accepted_at);
}

void pending_counts::settled(slot which, log_sequence event, timestamp_ms accepted_at) {
  if (event < first_new_ && awaited(which))
    early_[which].push_back(accepted_at);
  else
    remove(which, accepted_at);
}

void pending_counts::forget(slot which) {
  if (which < awaited_.size())
    awaited_[which] = false;
  early_.erase(which);
  if (which >= entries_.size())
    return;
  auto& mine = entries_[which];
  VICKET_ASSERT(mine.pending == 0);
  mine = {};
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
  if (found.count() == 1) {
    add(which, found.oldest());
    return;
  }
  if (which >= entries_.size())
    entries_.resize(which + 1);
  auto& mine = entries_[which];
  total_ += found.count();
  if (mine.pending == 1)
    found.add(mine.time());
  else if (mine.pending > 1)
    found.add_all(times_[mine.low]);
  if (mine.pending < 2)
    mine.low = take_times();
  mine.pending = static_cast<std::uint32_t>(found.count());
  times_[mine.low] = std::move(found);
}

void pending_counts::all_counted() {
  for (const auto& [which, times] : early_)
    unknown_ += times.size();
  early_.clear();
  awaited_ = {};
  counting_ = false;
}

std::uint64_t pending_counts::of(slot which) const {
  return which < entries_.size() ? entries_[which].pending : 0;
}

std::optional<timestamp_ms> pending_counts::oldest(slot which) const {
  if (of(which) == 0)
    return std::nullopt;
  const auto& mine = entries_[which];
  return mine.pending == 1 ? mine.time() : times_[mine.low].oldest();
}

void pending_counts::add(slot which, timestamp_ms accepted_at) {
  if (which >= entries_.size())
    entries_.resize(which + 1);
  auto& mine = entries_[which];
  ++total_;
  if (++mine.pending == 1) {
    mine.set_time(accepted_at);
    return;
  }
  if (mine.pending == 2) {
    const auto first = mine.time();
    mine.low = take_times();
    times_[mine.low].add(first);
  }
  times_[mine.low].add(accepted_at);
}

void pending_counts::remove(slot which, timestamp_ms accepted_at) {
  if (of(which) == 0) {
    ++unknown_;
    return;
  }
  auto& mine = entries_[which];
  --total_;
  if (--mine.pending == 0)
    return;
  auto& times = times_[mine.low];
  times.remove(accepted_at);
  if (mine.pending == 1) {
    const auto left = times.oldest();
    free_times(mine);
    mine.set_time(left);
  }
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

void pending_counts::free_times(entry& of) {
  times_[of.low] = {};
  free_times_.push_back(of.low);
}

void pending_counts::check() const {
  std::uint64_t sum = 0;
  std::size_t with_times = 0;
  for (const auto& each : entries_) {
    sum += each.pending;
    if (each.pending < 2)
      continue;
    ++with_times;
    VICKET_ASSERT(each.low < times_.size() && times_[each.low].count() == each.pending);
    times_[each.low].check();
  }
  VICKET_ASSERT(sum == total_);
  VICKET_ASSERT(with_times + free_times_.size() == times_.size());
  VICKET_ASSERT(unknown_ == 0);
  for (const auto& [which, times] : early_)
    VICKET_ASSERT(awaited(which));
  VICKET_ASSERT(counting_ || early_.empty());
}

} // namespace vicket
