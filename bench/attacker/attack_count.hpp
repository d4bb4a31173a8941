#pragma once

#include <cstdint>

namespace vicket::bench {

/// What became of one kind of attack.
struct attack_count {
  std::uint64_t tried = 0;   ///< connections
  std::uint64_t reached = 0; ///< of these came as far as they were to
  std::uint64_t messages = 0;
};

} // namespace vicket::bench
