#include "actors/pending_times.hpp"

#include "policy/assertion.hpp"

#include <algorithm>
#include <iterator>

namespace vicket {

namespace {

/// However far apart two times are.
std::uint64_t distance(std::int64_t from, std::int64_t to) {
  return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
}

} // namespace

void pending_times::add(timestamp_ms accepted_at) {
  const auto time = accepted_at.value;
  ++count_;
  if (joins(time))
    return;
  if (spans_.size() == max_spans) {
    condense();
    if (joins(time))
      return;
  } else if (spans_.capacity() == 0) {
    spans_.reserve(4);
  }
  spans_.insert(first_after(time), {time, time, static_cast<std::uint64_t>(time), 1});
}

/// Times rise, mostly, so it is looked for from the end.
std::vector<pending_times::span>::iterator pending_times::first_after(std::int64_t time) {
  auto after = spans_.end();
  while (after != spans_.begin() && std::prev(after)->from > time)
    --after;
  return after;
}

bool pending_times::joins(std::int64_t time) {
  const auto after = first_after(time);
  if (after == spans_.begin() || time > std::prev(after)->to)
    return false;
  auto& mine = *std::prev(after);
  mine.sum += static_cast<std::uint64_t>(time);
  ++mine.events;
  return true;
}

void pending_times::remove(timestamp_ms accepted_at) {
  const auto time = accepted_at.value;
  VICKET_ASSERT(count_ > 0);
  --count_;
  auto after = std::upper_bound(spans_.begin(), spans_.end(), time,
                                [](std::int64_t wanted, const span& s) { return wanted < s.from; });
  auto mine = after == spans_.begin() ? after : std::prev(after);
  mine->sum -= static_cast<std::uint64_t>(time);
  if (--mine->events == 0) {
    spans_.erase(mine);
  } else if (mine->events == 1) {
    const auto left = static_cast<std::int64_t>(mine->sum);
    if (left >= mine->from && left <= mine->to) // it is, if what was removed had been added
      mine->from = mine->to = left;
  }
}

void pending_times::add_all(const pending_times& others) {
  std::vector<span> both;
  both.reserve(spans_.size() + others.spans_.size());
  std::merge(spans_.begin(), spans_.end(), others.spans_.begin(), others.spans_.end(),
             std::back_inserter(both), [](const span& a, const span& b) { return a.from < b.from; });
  spans_.clear();
  for (const auto& one : both) {
    if (spans_.empty() || one.from > spans_.back().to) {
      spans_.push_back(one);
      continue;
    }
    auto& into = spans_.back();
    into.to = std::max(into.to, one.to);
    into.sum += one.sum;
    into.events += one.events;
  }
  count_ += others.count_;
  if (spans_.size() > max_spans)
    condense();
}

/// Joins neighbours that are together no wider than an eighth of the whole. Of those that are left any two neighbours are
/// wider than that together, so they are 16 at most.
void pending_times::condense() {
  static_assert(max_spans == 32);
  const auto widest = distance(spans_.front().from, spans_.back().to) / 8;
  auto into = spans_.begin();
  for (auto one = std::next(into); one != spans_.end(); ++one) {
    if (distance(into->from, one->to) <= widest) {
      into->to = one->to;
      into->sum += one->sum;
      into->events += one->events;
    } else {
      *++into = *one;
    }
  }
  spans_.erase(std::next(into), spans_.end());
}

void pending_times::check() const {
  VICKET_ASSERT(spans_.size() <= max_spans);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < spans_.size(); ++i) {
    VICKET_ASSERT(spans_[i].events > 0 && spans_[i].from <= spans_[i].to);
    VICKET_ASSERT(i == 0 || spans_[i - 1].to < spans_[i].from);
    sum += spans_[i].events;
  }
  VICKET_ASSERT(sum == count_);
}

} // namespace vicket
