#include "policy/feed_lineage.hpp"

#include "policy/assertion.hpp"

#include <algorithm>
#include <utility>

namespace vicket {

std::optional<feed_lineage> feed_lineage::from_entries(std::vector<lineage_entry> entries) {
  const auto rises = [](const lineage_entry& a, const lineage_entry& b) { return a.from >= b.from; };
  if (entries.empty() || entries.size() > max_entries ||
      std::adjacent_find(entries.begin(), entries.end(), rises) != entries.end())
    return std::nullopt;
  feed_lineage result;
  result.entries_ = std::move(entries);
  return result;
}

void feed_lineage::begin(std::uint64_t next, std::uint32_t tag, std::uint64_t last_lost) {
  if (tag == entries_.back().tag)
    return;
  VICKET_ASSERT(next > entries_.back().from);
  entries_.push_back({next, tag});
  std::size_t useless = entries_.size() - std::min(entries_.size(), max_entries);
  while (useless + 1 < entries_.size() && entries_[useless + 1].from <= last_lost)
    ++useless;
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(useless));
}

std::uint32_t feed_lineage::tag_of(std::uint64_t position) const {
  auto covering = entries_.front().tag;
  for (const auto& entry : entries_)
    if (entry.from <= position)
      covering = entry.tag;
  return covering;
}

std::optional<std::uint64_t> feed_lineage::common_up_to(std::uint64_t position, std::uint32_t tag,
                                                        std::uint64_t end) const {
  if (position == 0) // of nothing, all logs have the same
    return 0;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].tag != tag || entries_[i].from > position)
      continue;
    const auto last = i + 1 < entries_.size() ? entries_[i + 1].from - 1 : end;
    return std::min(position, last);
  }
  return std::nullopt;
}

} // namespace vicket
