#include "actors/unindexed_events.hpp"

#include <algorithm>
#include <cassert>

namespace vicket {

void unindexed_events::add(const entry& value) {
  assert(slots_.empty() || slots_.back().value.sequence < value.sequence);
  slots_.push_back({value, true});
  ++live_;
}

bool unindexed_events::erase(log_sequence sequence) {
  auto at = std::lower_bound(slots_.begin(), slots_.end(), sequence,
                             [](const place& s, log_sequence wanted) { return s.value.sequence < wanted; });
  if (at == slots_.end() || at->value.sequence != sequence || !at->live)
    return false;
  at->live = false;
  --live_;
  pop_dead_front();
  return true;
}

std::optional<log_sequence> unindexed_events::lowest() const {
  if (slots_.empty())
    return std::nullopt;
  return slots_.front().value.sequence;
}

std::vector<unindexed_events::entry> unindexed_events::spill_below(log_sequence sequence) {
  std::vector<entry> spilled;
  while (!slots_.empty() && slots_.front().value.sequence < sequence) {
    if (slots_.front().live) {
      spilled.push_back(slots_.front().value);
      --live_;
    }
    slots_.pop_front();
  }
  pop_dead_front();
  return spilled;
}

std::vector<unindexed_events::entry> unindexed_events::spill_connector(const connector_id& connector) {
  std::vector<entry> spilled;
  for (auto& slot : slots_) {
    if (slot.live && *slot.value.connector == connector) {
      spilled.push_back(slot.value);
      slot.live = false;
      --live_;
    }
  }
  pop_dead_front();
  return spilled;
}

void unindexed_events::pop_dead_front() {
  while (!slots_.empty() && !slots_.front().live)
    slots_.pop_front();
}

} // namespace vicket
