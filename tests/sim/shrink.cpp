#include "tests/sim/shrink.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace vicket::sim {

namespace {

std::vector<std::uint32_t> without(const std::vector<std::uint32_t>& all, std::size_t from,
                                   std::size_t count) {
  std::vector<std::uint32_t> rest;
  rest.reserve(all.size());
  rest.insert(rest.end(), all.begin(), all.begin() + static_cast<std::ptrdiff_t>(from));
  const auto after = std::min(from + count, all.size());
  rest.insert(rest.end(), all.begin() + static_cast<std::ptrdiff_t>(after), all.end());
  return rest;
}

} // namespace

std::vector<std::uint32_t> shrink(std::vector<std::uint32_t> kept,
                                  const std::function<bool(const std::vector<std::uint32_t>&)>& still_fails,
                                  const std::function<bool()>& may_go_on) {
  for (auto piece = std::max<std::size_t>(kept.size() / 2, 1); !kept.empty();) {
    bool left_out = false;
    // From the end: what came after the cause goes first.
    for (auto from = kept.size(); from > 0 && may_go_on();) {
      from = from > piece ? from - piece : 0;
      if (auto rest = without(kept, from, piece); still_fails(rest)) {
        kept = std::move(rest);
        from = std::min(from, kept.size());
        left_out = true;
      }
    }
    if (!may_go_on() || (piece == 1 && !left_out))
      break;
    piece = left_out && piece == 1 ? 1 : std::max<std::size_t>(piece / 2, 1);
  }
  return kept;
}

} // namespace vicket::sim
