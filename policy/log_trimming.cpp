#include "policy/log_trimming.hpp"

#include <algorithm>

namespace vicket {

void log_ages::note(std::int64_t now_ms, std::uint64_t last, std::uint64_t bytes) {
  bytes_ = bytes;
  const auto is_due = [&](const sample& before) {
    return now_ms - before.at_ms >= keep_.keep_ms / static_cast<std::int64_t>(parts) ||
           bytes - before.bytes >= keep_.keep_bytes / parts;
  };
  if (samples_.empty() || (is_due(samples_.back()) && last > samples_.back().last))
    samples_.push_back({now_ms, last, bytes});
  // Of those that are past a limit the last one is enough; of two times the bytes, likewise.
  while (samples_.size() > 4 * parts || (samples_.size() > 1 && now_ms - samples_[1].at_ms >= keep_.keep_ms &&
                                         bytes - samples_[1].bytes >= 2 * keep_.keep_bytes))
    samples_.pop_front();
}

std::uint64_t log_ages::old(std::int64_t now_ms) const {
  std::uint64_t found = 0;
  for (const auto& each : samples_)
    if (now_ms - each.at_ms >= keep_.keep_ms)
      found = each.last;
  return found;
}

std::uint64_t log_ages::far(std::uint64_t times) const {
  std::uint64_t found = 0;
  for (const auto& each : samples_)
    if (bytes_ - each.bytes >= times * keep_.keep_bytes)
      found = each.last;
  return found;
}

trim_plan plan_trim(const trim_view& view) {
  // Whoever has not said what it needs, needs all that is there.
  const auto needs = [&](const log_copy& copy) { return std::max(copy.synced_to, view.trimmed_to); };
  auto left = view.copies;
  std::sort(left.begin(), left.end(), [&](const log_copy& a, const log_copy& b) {
    return needs(a) != needs(b) ? needs(a) < needs(b) : a.node < b.node;
  });
  trim_plan plan;
  const auto put_out = [&](auto is_out) {
    for (auto at = left.begin(); at != left.end();) {
      if (at->node == view.owner || !is_out(*at)) {
        ++at;
        continue;
      }
      plan.out.push_back(at->node);
      at = left.erase(at);
    }
  };
  put_out([&](const log_copy& copy) { return needs(copy) < (copy.joins ? view.twice_far : view.far); });
  put_out([&](const log_copy& copy) { return left.size() > 2 && !copy.joins && needs(copy) < view.old; });
  const auto may_go = std::max(view.old, view.far);
  if (left.empty() || may_go == 0)
    return plan;
  const auto& lowest = left.front();
  plan.below = std::min(may_go, needs(lowest));
  if (plan.below < may_go)
    plan.held_by = lowest.node;
  return plan;
}

} // namespace vicket
