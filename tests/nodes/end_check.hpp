#pragma once

#include "tests/nodes/cluster_world.hpp"

#include <cstddef>
#include <limits>
#include <string>

namespace vicket::testing {

/// How often a test does what it does: once, or VICKET_ROUNDS=20.
[[nodiscard]] int rounds();
void rest(int ms);
/// To whoever watches.
void tell(const std::string& what);

/// Deliveries that were under way, or within the lease.
inline constexpr std::size_t a_few = 200;

/// All that must be true after whatever it was: what was accepted is delivered, `most_twice` of it more than once; every node,
/// started again if it does not run, shows it, stops well, and has the same as the others that keep it; nothing is halted.
void check_end(cluster_world& world, std::size_t most_twice = std::numeric_limits<std::size_t>::max());

} // namespace vicket::testing
