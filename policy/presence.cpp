#include "policy/presence.hpp"

#include <algorithm>
#include <utility>

namespace vicket {

void presence::seen(const std::vector<sign>& all, std::int64_t now_ms) {
  const auto had_gap = std::exchange(has_gap_, false);
  std::map<std::string, known, std::less<>> now;
  for (const auto& each : all) {
    const auto before = nodes_.find(each.node);
    const auto is_same = before != nodes_.end() && before->second.last.incarnation == each.incarnation &&
                         before->second.last.beats == each.beats;
    now.emplace(each.node, known{each, is_same && !had_gap ? before->second.changed_ms : now_ms});
  }
  nodes_ = std::move(now);
}

std::vector<placement_node> presence::present(std::int64_t now_ms) const {
  std::vector<placement_node> found;
  for (const auto& [name, of] : nodes_)
    if (of.last.stays && is_present(name, now_ms))
      found.push_back({name, of.last.zone});
  return found;
}

std::vector<placement_node> presence::not_gone(std::int64_t now_ms) const {
  std::vector<placement_node> found;
  for (const auto& [name, of] : nodes_)
    if (was_seen_within(of, gone_ms, now_ms))
      found.push_back({name, of.last.zone, of.last.stays && was_seen_within(of, present_ms, now_ms)});
  return found;
}

bool presence::is_present(std::string_view node, std::int64_t now_ms) const {
  const auto found = nodes_.find(node);
  return found != nodes_.end() && was_seen_within(found->second, present_ms, now_ms);
}

bool presence::is_superseded(std::string_view node, std::uint64_t incarnation) const {
  const auto found = nodes_.find(node);
  return found != nodes_.end() && found->second.last.incarnation > incarnation;
}

std::uint32_t presence::rank_of(std::string_view node, std::uint32_t partition, std::int64_t now_ms) const {
  const auto order = placement{present(now_ms), 1}.order_of(partition);
  const auto found = std::find(order.begin(), order.end(), node);
  return static_cast<std::uint32_t>(found -
                                    order.begin()); // one that is not there comes after those that are
}

} // namespace vicket
