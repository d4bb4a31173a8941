#pragma once

#include "policy/clock.hpp"

#include <cstdint>
#include <random>

namespace vicket {

/// A random source whose whole sequence follows from its seed.
class seeded_random final : public random_source {
public:
  explicit seeded_random(std::uint64_t seed) : engine_{seed} {}

  std::uint64_t next() override { return engine_(); }

  /// 0 to `bound` - 1.
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }

private:
  std::mt19937_64 engine_;
};

} // namespace vicket
