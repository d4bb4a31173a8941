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
  for (std::size_t p = 0; p < now.size(); ++p)
    leave_at(p, [](const placement_node& node) { return node.keeps; });
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
        --kept[placed[p].back()];
        placed[p].back() = node;
        ++kept[node];
      }
    }
  }
  while (even_out(placed, kept)) {
  }
  const auto owners = owners_of(now, placed);
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

/// Moves one copy from a node to another that keeps two fewer: of those that can go, the one in whose order that comes first.
/// False: there is none.
bool placement::even_out(std::vector<nodes_of_one>& placed, std::vector<std::size_t>& kept) const {
  std::vector<std::size_t> by_load(nodes_.size());
  std::iota(by_load.begin(), by_load.end(), std::size_t{0});
  std::stable_sort(by_load.begin(), by_load.end(),
                   [&](std::size_t a, std::size_t b) { return kept[a] > kept[b]; });
  for (const auto from : by_load)
    for (auto to = by_load.rbegin(); to != by_load.rend() && kept[from] >= kept[*to] + 2; ++to) {
      auto best = none;
      for (std::size_t p = 0; p < placed.size(); ++p) {
        if (!nodes_[*to].takes_more || !contains(placed[p], from) || contains(placed[p], *to))
          continue;
        auto others = placed[p];
        others.erase(std::find(others.begin(), others.end(), from));
        if (shares_zone(*to, others) && !shares_zone(from, others))
          continue;
        if (best == none || weight_of(static_cast<std::uint32_t>(p), nodes_[*to].name) >
                                weight_of(static_cast<std::uint32_t>(best), nodes_[*to].name))
          best = p;
      }
      if (best != none) {
        *std::find(placed[best].begin(), placed[best].end(), from) = *to;
        --kept[from];
        ++kept[*to];
        return true;
      }
    }
  return false;
}

/// One of those that keep it: who owns it, else the one that owns the least. Then, as long as one owns two more than another
/// that keeps one of its partitions, it gives that one up.
placement::nodes_of_one placement::owners_of(const std::vector<placement_copies>& now,
                                             const std::vector<nodes_of_one>& placed) const {
  nodes_of_one owners(now.size(), none);
  std::vector<std::size_t> owned(nodes_.size(), 0);
  for (std::size_t p = 0; p < now.size(); ++p)
    if (const auto node = now[p].empty() ? none : find(now[p].front());
        node != none && contains(placed[p], node) &&
        (nodes_[node].may_own ||
         std::none_of(placed[p].begin(), placed[p].end(), [&](auto i) { return nodes_[i].takes_more; }))) {
      owners[p] = node;
      ++owned[node];
    }
  const auto least = [&](std::size_t p) {
    return *std::min_element(placed[p].begin(), placed[p].end(), [&](std::size_t a, std::size_t b) {
      if (nodes_[a].takes_more != nodes_[b].takes_more)
        return nodes_[a].takes_more;
      return owned[a] != owned[b] ? owned[a] < owned[b] : weighs_more(p, a, b);
    });
  };
  for (std::size_t p = 0; p < now.size(); ++p)
    if (owners[p] == none && !placed[p].empty())
      ++owned[owners[p] = least(p)];
  while (pass_on(placed, owners, owned)) {
  }
  return owners;
}

/// One partition fewer for a node that owns two more than another, and one more for that one: where no copy of the one's is
/// the other's, those between them pass one on, each to the next. The shortest such way. False: there is none.
bool placement::pass_on(const std::vector<nodes_of_one>& placed, nodes_of_one& owners,
                        std::vector<std::size_t>& owned) const {
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
