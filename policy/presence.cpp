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

std::vector<std::string> presence::all_cut_off(std::int64_t now_ms) const {
  std::vector<contact_report> live;
  for (const auto& [name, of] : nodes_)
    if (is_present(name, now_ms))
      live.push_back({name, of.last.unreached});
  return cut_off(live);
}

std::vector<placement_node> presence::able(std::int64_t now_ms) const {
  const auto without = all_cut_off(now_ms);
  auto found = present(now_ms);
  std::erase_if(found, [&](const placement_node& each) {
    const auto& last = nodes_.at(each.name).last;
    return !last.able || last.drained ||
           std::find(without.begin(), without.end(), each.name) != without.end();
  });
  return found;
}

bool presence::is_cut_off(std::string_view node, std::int64_t now_ms) const {
  const auto all = all_cut_off(now_ms);
  return std::find(all.begin(), all.end(), node) != all.end();
}

std::vector<placement_node> presence::not_gone(std::int64_t now_ms) const {
  const auto without = all_cut_off(now_ms);
  std::vector<placement_node> found;
  for (const auto& [name, of] : nodes_)
    if (was_seen_within(of, gone_ms, now_ms)) {
      const auto may_own = of.last.able && !of.last.drained &&
                           std::find(without.begin(), without.end(), name) == without.end();
      found.push_back({name, of.last.zone,
                       may_own && of.last.stays && was_seen_within(of, present_ms, now_ms), may_own,
                       !of.last.drained});
    }
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

} // namespace vicket
