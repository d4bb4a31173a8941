#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace vicket::sim {

/// Leaves out of `kept` whatever can be left out so that `still_fails` goes on to say true: halves first, then
/// smaller and smaller pieces (Zeller's ddmin, without its complements of one piece). Ends early when `may_go_on`
/// says false.
[[nodiscard]] std::vector<std::uint32_t>
shrink(std::vector<std::uint32_t> kept,
       const std::function<bool(const std::vector<std::uint32_t>&)>& still_fails,
       const std::function<bool()>& may_go_on);

} // namespace vicket::sim
