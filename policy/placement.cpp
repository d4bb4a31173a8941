#include "policy/placement.hpp"

#include "policy/assertion.hpp"
#include "policy/fnv1a.hpp"

#include <algorithm>
#include <numeric>

namespace vicket {

namespace {

constexpr std::size_t none = static_cast<std::size_t>(-1);

/// FNV-1a alone leaves names that differ in their last byte close to each other; the end of MurmurHash3 spreads them.
std::uint64_t weight_of(std::uint32_t partition, std::string_view node) {
  auto x = fnv1a(std::string{node} + '/' + std::to_string(partition));
  x = (x ^ (x >> 33)) * std::uint64_t{0xff51afd7ed558ccd};
  x = (x ^ (x >> 33)) * std::uint64_t{0xc4ceb9fe1a85ec53};
  return x ^ (x >> 33);
}

bool contains(const std::vector<std::size_t>& nodes, std::size_t node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

} // namespace

placement::placement(std::vector<placement_node> nodes, std::size_t copies)
    : nodes_{std::move(nodes)}, copies_{std::min(copies, nodes_.size())} {
  std::sort(nodes_.begin(), nodes_.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  VICKET_ASSERT(std::adjacent_find(nodes_.begin(), nodes_.end(), [](const auto& a, const auto& b) {
                  return a.name == b.name;
                }) == nodes_.end());
}

std::size_t placement::find(std::string_view name) const {
  const auto at =
      std::lower_bound(nodes_.begin(), nodes_.end(), name,
                       [](const placement_node& node, std::string_view what) { return node.name < what; });
  return at != nodes_.end() && at->name == name ? static_cast<std::size_t>(at - nodes_.begin()) : none;
}

std::vector<std::size_t> placement::ranked(std::uint32_t partition) const {
  std::vector<std::uint64_t> weights;
  for (const auto& node : nodes_)
    weights.push_back(weight_of(partition, node.name));
  std::vector<std::size_t> order(nodes_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return weights[a] != weights[b] ? weights[a] > weights[b] : a < b;
  });
  return order;
}

bool placement::weighs_more(std::size_t partition, std::size_t a, std::size_t b) const {
  return weight_of(static_cast<std::uint32_t>(partition), nodes_[a].name) >
         weight_of(static_cast<std::uint32_t>(partition), nodes_[b].name);
}

std::vector<std::string> placement::order_of(std::uint32_t partition) const {
  std::vector<std::string> names;
  for (const auto node : ranked(partition))
    names.push_back(nodes_[node].name);
  return names;
}

bool placement::shares_zone(std::size_t node, const std::vector<std::size_t>& with) const {
  return std::any_of(with.begin(), with.end(), [&](std::size_t other) {
    return !nodes_[node].zone.empty() && nodes_[node].zone == nodes_[other].zone;
  });
}

std::vector<placement_copies> placement::of(const std::vector<placement_copies>& now) const {
  std::vector<placement_copies> result(now.size());
  if (nodes_.empty())
    return result;
  std::vector<nodes_of_one> placed(now.size());
  std::vector<std::size_t> kept(nodes_.size(), 0);
  const auto leave_at = [&](std::size_t p, const auto& which) {
    for (const auto& name : now[p])
      if (const auto node = find(name);
          node != none && placed[p].size() < copies_ && !contains(placed[p], node) && which(nodes_[node])) {
        placed[p].push_back(node);
        ++kept[node];
      }
  };
  ownership by{nodes_of_one(now.size(), none), std::vector<std::size_t>(nodes_.size(), 0)};
  const auto owns = [&](std::size_t p, std::size_t node) {
    by.owners[p] = node;
    ++by.owned[node];
  };
  for (std::size_t p = 0; p < now.size(); ++p) {
    leave_at(p, [](const placement_node& node) { return node.keeps; });
    const auto owner = now[p].empty() ? none : find(now[p].front());
    if (owner != none && contains(placed[p], owner) && nodes_[owner].may_own)
      owns(p, owner);
  }
  for (std::size_t p = 0; p < now.size(); ++p) {
    while (placed[p].size() < copies_) {
      const auto node = best_for(p, placed[p], kept);
      if (node == none)
        break;
      placed[p].push_back(node);
      ++kept[node];
    }
    leave_at(p, [](const placement_node&) { return true; });
    // Both copies in one zone, and there is another by now: the last one goes there.
    if (auto others = placed[p];
        others.size() > 1 && shares_zone(others.back(), {others.begin(), others.end() - 1})) {
      others.pop_back();
      if (const auto node = best_for(p, others, kept); node != none && !shares_zone(node, others)) {
        if (by.owners[p] == placed[p].back()) {
          --by.owned[by.owners[p]];
          by.owners[p] = none;
        }
        --kept[placed[p].back()];
        placed[p].back() = node;
        ++kept[node];
      }
    }
    if (by.owners[p] != none || placed[p].empty())
      continue;
    const auto owner = now[p].empty() ? none : find(now[p].front());
    const bool stays =
        owner != none && contains(placed[p], owner) &&
        std::none_of(placed[p].begin(), placed[p].end(), [&](auto i) { return nodes_[i].takes_more; });
    owns(p, stays ? owner : owner_among(p, placed[p], by));
  }
  while (even_out(placed, kept, by)) {
  }
  while (pass_on(placed, by)) {
  }
  const auto& owners = by.owners;
  for (std::size_t p = 0; p < now.size(); ++p) {
    if (owners[p] == none)
      continue;
    result[p].push_back(nodes_[owners[p]].name);
    for (const auto node : placed[p])
      if (node != owners[p])
        result[p].push_back(nodes_[node].name);
  }
  return result;
}

/// One more for a partition: of another zone than those it has, if there is one; of these who keeps the least; of these the
/// first in the partition's order. `none`: there is no other that takes more.
std::size_t placement::best_for(std::size_t partition, const nodes_of_one& has,
                                const std::vector<std::size_t>& kept) const {
  auto best = none;
  const auto better = [&](std::size_t a, std::size_t b) {
    if (const auto a_shares = shares_zone(a, has); a_shares != shares_zone(b, has))
      return !a_shares;
    return kept[a] != kept[b] ? kept[a] < kept[b] : weighs_more(partition, a, b);
  };
  for (std::size_t node = 0; node < nodes_.size(); ++node)
    if (nodes_[node].takes_more && !contains(has, node) && (best == none || better(node, best)))
      best = node;
  return best;
}

/// Moves one copy from a node to another that keeps two fewer: one that the node owns if it owns more than its part, else one
/// that it does not, so that few owners have to be moved for themselves; of these the one in whose order the other comes
/// first. False: there is none.
bool placement::even_out(std::vector<nodes_of_one>& placed, std::vector<std::size_t>& kept,
                         ownership& by) const {
  std::vector<std::size_t> by_load(nodes_.size());
  std::iota(by_load.begin(), by_load.end(), std::size_t{0});
  std::stable_sort(by_load.begin(), by_load.end(), [&](std::size_t a, std::size_t b) {
    return kept[a] != kept[b] ? kept[a] > kept[b] : by.owned[a] > by.owned[b];
  });
  const auto owned_by_each =
      std::accumulate(by.owned.begin(), by.owned.end(), std::size_t{0}) / nodes_.size();
  for (const auto from : by_load)
    for (auto to = by_load.rbegin(); to != by_load.rend() && kept[from] >= kept[*to] + 2; ++to) {
      auto best = none;
      const bool with_owner = by.owned[from] > owned_by_each && by.owned[*to] < by.owned[from];
      const auto better = [&](std::size_t a, std::size_t b) {
        if (const bool fits = (by.owners[a] == from) == with_owner;
            fits != ((by.owners[b] == from) == with_owner))
          return fits;
        return weight_of(static_cast<std::uint32_t>(a), nodes_[*to].name) >
               weight_of(static_cast<std::uint32_t>(b), nodes_[*to].name);
      };
      for (std::size_t p = 0; p < placed.size(); ++p) {
        if (!nodes_[*to].takes_more || !contains(placed[p], from) || contains(placed[p], *to))
          continue;
        auto others = placed[p];
        others.erase(std::find(others.begin(), others.end(), from));
        if (shares_zone(*to, others) && !shares_zone(from, others))
          continue;
        if (best == none || better(p, best))
          best = p;
      }
      if (best != none) {
        *std::find(placed[best].begin(), placed[best].end(), from) = *to;
        --kept[from];
        ++kept[*to];
        if (by.owners[best] == from) {
          by.owners[best] = *to;
          --by.owned[from];
          ++by.owned[*to];
        }
        return true;
      }
    }
  return false;
}

/// For one that nobody owns: of those that keep it, and take more, who owns the least.
std::size_t placement::owner_among(std::size_t partition, const nodes_of_one& has,
                                   const ownership& by) const {
  return *std::min_element(has.begin(), has.end(), [&](std::size_t a, std::size_t b) {
    if (nodes_[a].takes_more != nodes_[b].takes_more)
      return nodes_[a].takes_more;
    return by.owned[a] != by.owned[b] ? by.owned[a] < by.owned[b] : weighs_more(partition, a, b);
  });
}

/// One partition fewer for a node that owns two more than another, and one more for that one: where no copy of the one's is
/// the other's, those between them pass one on, each to the next. The shortest such way. False: there is none.
bool placement::pass_on(const std::vector<nodes_of_one>& placed, ownership& by_now) const {
  auto& [owners, owned] = by_now;
  std::vector<std::size_t> by_load(nodes_.size());
  std::iota(by_load.begin(), by_load.end(), std::size_t{0});
  std::stable_sort(by_load.begin(), by_load.end(),
                   [&](std::size_t a, std::size_t b) { return owned[a] > owned[b]; });
  for (const auto from : by_load) {
    std::vector<std::size_t> by(nodes_.size(), none); // the partition that comes to a node on the way
    nodes_of_one reached{from};
    for (std::size_t next = 0; next < reached.size(); ++next)
      for (std::size_t p = 0; p < owners.size(); ++p) {
        if (owners[p] != reached[next])
          continue;
        for (const auto to : placed[p]) {
          if (to == from || by[to] != none || !nodes_[to].takes_more)
            continue;
          by[to] = p;
          reached.push_back(to);
          if (owned[from] < owned[to] + 2)
            continue;
          --owned[from];
          ++owned[to];
          for (auto node = to; node != from;) {
            const auto before = owners[by[node]];
            owners[by[node]] = node;
            node = before;
          }
          return true;
        }
      }
  }
  return false;
}

} // namespace vicket
