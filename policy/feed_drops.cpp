#include "policy/feed_drops.hpp"

#include "policy/assertion.hpp"

#include <algorithm>
#include <utility>

namespace vicket {

std::optional<feed_drops> feed_drops::from_entries(std::vector<entry> entries) {
  const auto out_of_order = [](const entry& a, const entry& b) { return a.at >= b.at || a.below <= b.below; };
  if (entries.size() > max_entries ||
      std::adjacent_find(entries.begin(), entries.end(), out_of_order) != entries.end())
    return std::nullopt;
  feed_drops made;
  made.entries_ = std::move(entries);
  return made;
}

void feed_drops::add(std::uint64_t at, std::uint64_t below) {
  VICKET_ASSERT(entries_.empty() || entries_.back().at < at);
  while (!entries_.empty() && entries_.back().below <= below)
    entries_.pop_back();
  entries_.push_back({at, below});
  if (entries_.size() <= max_entries)
    return;
  auto closest = entries_.begin();
  for (auto it = entries_.begin(); it + 1 != entries_.end(); ++it)
    if ((it + 1)->at - it->at < (closest + 1)->at - closest->at)
      closest = it;
  (closest + 1)->below = closest->below;
  entries_.erase(closest);
}

void feed_drops::forget_below(std::uint64_t position) {
  std::erase_if(entries_, [position](const entry& one) { return one.below <= position; });
}

std::uint64_t feed_drops::reach_since(std::uint64_t promised_from) const {
  const auto first = std::find_if(entries_.begin(), entries_.end(),
                                  [promised_from](const entry& one) { return one.at >= promised_from; });
  return first == entries_.end() ? 0 : first->below;
}

} // namespace vicket
