#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vicket {

/// A node of a cluster, as far as it matters for who keeps what.
struct placement_node {
  std::string name;
  std::string zone; ///< what fails together; empty: a zone of its own
  /// Else it keeps what it has, and gets nothing more: it has gone a moment ago, or says that it is about to.
  bool takes_more = true;
  /// Else what it owns goes to another that keeps it and takes more.
  bool may_own = true;
  /// Else what it keeps goes to others, where there are any that take more: it is drained.
  bool keeps = true;
};

/// Who keeps a partition; the first is its owner.
using placement_copies = std::vector<std::string>;

/// Which nodes keep which partitions. Pure, and the same on every node that sees the same members, so that nobody has to be
/// asked; but nothing depends on their agreeing: who owns a partition is what its log says.
///
/// Each partition has its own order of all nodes, by rendezvous hashing (Thaler and Ravishankar, 1998): a node that comes or
/// goes changes no other's place in it. What is kept stays where it is, but for as many moves as even out what the nodes have;
/// what has to go somewhere goes to another zone than its other copies if there is one, there to who keeps the least, and
/// among these to the first in its order.
class placement {
public:
  /// `nodes`: those that are there, in any order, no name twice. `copies`: wanted of each partition, fewer where there are not
  /// as many nodes.
  placement(std::vector<placement_node> nodes, std::size_t copies);

  /// A partition's order of the nodes: who claims first when it has no owner.
  [[nodiscard]] std::vector<std::string> order_of(std::uint32_t partition) const;

  /// Where they should be, given where they are: by partition. Names of nodes that are not there count as gone. No node keeps
  /// two more than another, unless zones or what that one keeps forbid every move; and none owns two more than another that
  /// keeps one of its partitions, or one of those of a third that does, and so on. Both of those that take more; where too few
  /// do, a partition has fewer copies, or stays where it should not be kept.
  [[nodiscard]] std::vector<placement_copies> of(const std::vector<placement_copies>& now) const;

private:
  [[nodiscard]] std::size_t find(std::string_view name) const;
  [[nodiscard]] std::vector<std::size_t> ranked(std::uint32_t partition) const;
  using nodes_of_one = std::vector<std::size_t>;

  [[nodiscard]] bool weighs_more(std::size_t partition, std::size_t a, std::size_t b) const;
  /// Who owns which partition, and how many each.
  struct ownership {
    nodes_of_one owners;
    std::vector<std::size_t> owned;
  };
  [[nodiscard]] std::size_t best_for(std::size_t partition, const nodes_of_one& has,
                                     const std::vector<std::size_t>& kept) const;
  [[nodiscard]] std::size_t owner_among(std::size_t partition, const nodes_of_one& has,
                                        const ownership& by) const;
  bool even_out(std::vector<nodes_of_one>& placed, std::vector<std::size_t>& kept, ownership& by) const;
  bool pass_on(const std::vector<nodes_of_one>& placed, ownership& by) const;
  [[nodiscard]] bool shares_zone(std::size_t node, const nodes_of_one& with) const;

  std::vector<placement_node> nodes_; ///< by name
  std::size_t copies_;
};

} // namespace vicket
