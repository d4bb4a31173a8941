#pragma once

#include <cstddef>
#include <vector>

namespace vicket {

/// Of several partitions' lists, each in its own order, the partition whose next entry comes first; `lists.size()`
/// when all are used up.
template <class Lists, class NextOf, class Before>
std::size_t first_of(const Lists& lists, const std::vector<std::size_t>& positions, NextOf next_of,
                     Before before) {
  auto best = lists.size();
  for (std::size_t i = 0; i < lists.size(); ++i) {
    if (positions[i] >= next_of(lists[i]).size())
      continue;
    if (best == lists.size() ||
        before(next_of(lists[i])[positions[i]], next_of(lists[best])[positions[best]]))
      best = i;
  }
  return best;
}

} // namespace vicket
