#pragma once

#include "policy/placement.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vicket {

/// The body of a record of kind `copies`: names, a comma between any two.
[[nodiscard]] std::string encode_copies(const placement_copies& nodes);
/// Absent: it is none, or one that names nobody, or somebody twice.
[[nodiscard]] std::optional<placement_copies> decode_copies(std::string_view body);

[[nodiscard]] bool keeps(const placement_copies& copies, std::string_view node);

/// What the owner of a partition knows when it decides who is to keep it.
struct copies_view {
  std::string owner;       ///< itself
  placement_copies now;    ///< as the last record says; empty: there is none, and everybody follows
  placement_copies wanted; ///< `placement`'s
  std::size_t count = 2;   ///< of copies that a partition should have, the owner's among them
  /// The node is there, and its copy had all of the log a moment ago.
  std::function<bool(const std::string& node)> is_complete;
  std::vector<std::string> out = {}; ///< these are to keep it no more, whatever else is said; see `plan_trim`
};

/// What the next record is to say; absent: there is nothing to say. Whoever is to come is added first; who is to go stays until
/// all that are to be there are complete, so that there always is one that can take over quickly, and nobody goes while
/// there are fewer than wanted. (That nothing is lost depends on none of this: the log has everything.) The owner is always
/// one of them, and the first; then those that are to stay.
[[nodiscard]] std::optional<placement_copies> next_copies(const copies_view& view);

} // namespace vicket
