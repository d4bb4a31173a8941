#include "actors/busy_connectors.hpp"

#include "policy/assertion.hpp"

#include <algorithm>
#include <iterator>

namespace vicket {

/// The one that it is in, or would go into; 0 when there is none.
std::size_t busy_connectors::chunk_of(const connector_id& id) const {
  const auto after = std::upper_bound(chunks_.begin(), chunks_.end(), id,
                                      [this](const connector_id& wanted, const std::vector<slot>& chunk) {
                                        return wanted < id_of_(chunk.front());
                                      });
  return after == chunks_.begin() ? 0 : static_cast<std::size_t>(std::distance(chunks_.begin(), after)) - 1;
}

bool busy_connectors::insert(slot which) {
  if (contains(which))
    return false;
  if (which >= inside_.size())
    inside_.resize(which + 1);
  inside_[which] = true;
  ++size_;
  const auto& id = id_of_(which);
  auto chunk = chunk_of(id);
  if (chunks_.empty())
    chunks_.emplace_back();
  const auto place_in = [&](std::vector<slot>& slots) {
    return std::upper_bound(slots.begin(), slots.end(), id,
                            [this](const connector_id& wanted, slot one) { return wanted < id_of_(one); });
  };
  if (chunks_[chunk].size() == chunk_slots) {
    auto& full = chunks_[chunk];
    // At the end of all the next one begins: those who come in order fill theirs.
    const auto half = chunk + 1 == chunks_.size() && place_in(full) == full.end()
                          ? full.end()
                          : full.begin() + chunk_slots / 2;
    std::vector<slot> rest(half, full.end());
    full.erase(half, full.end());
    const bool into_rest = rest.empty() || !(id < id_of_(rest.front()));
    chunks_.insert(chunks_.begin() + static_cast<std::ptrdiff_t>(chunk) + 1, std::move(rest));
    chunk += into_rest ? 1 : 0;
  }
  auto& slots = chunks_[chunk];
  slots.insert(place_in(slots), which);
  return true;
}

bool busy_connectors::erase(slot which) {
  if (!contains(which))
    return false;
  leave(which);
  const auto chunk = chunk_of(id_of_(which));
  auto& slots = chunks_[chunk];
  slots.erase(std::find(slots.begin(), slots.end(), which));
  if (slots.empty())
    chunks_.erase(chunks_.begin() + static_cast<std::ptrdiff_t>(chunk));
  return true;
}

void busy_connectors::check() const {
  std::size_t inside = 0;
  const connector_id* before = nullptr;
  for (const auto& chunk : chunks_) {
    VICKET_ASSERT(!chunk.empty() && chunk.size() <= chunk_slots);
    for (const auto which : chunk) {
      VICKET_ASSERT(contains(which));
      const auto& id = id_of_(which);
      VICKET_ASSERT(before == nullptr || *before < id);
      before = &id;
      ++inside;
    }
  }
  VICKET_ASSERT(inside == size_);
  VICKET_ASSERT(static_cast<std::size_t>(std::count(inside_.begin(), inside_.end(), true)) == size_);
}

} // namespace vicket
