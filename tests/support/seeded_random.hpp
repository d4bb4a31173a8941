#pragma once

#include "policy/clock.hpp"

#include <cstdint>
#include <random>
#include <stdexcept>
#include <utility>

namespace vicket {

/// A random source whose whole sequence follows from its seed.
class seeded_random final : public random_source {
public:
  explicit seeded_random(std::uint64_t seed) : engine_{seed} {}

  std::uint64_t next() override {
    if (std::exchange(fails_, false))
      throw std::runtime_error("no chance today");
    ++draws_;
    return engine_();
  }

  /// How often `next` was called, and did not throw.
  [[nodiscard]] std::uint64_t draws() const { return draws_; }

  /// The next call of `next` throws.
  void fail_once() { fails_ = true; }

  /// 0 to `bound` - 1.
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }

private:
  std::mt19937_64 engine_;
  bool fails_ = false;
  std::uint64_t draws_ = 0;
};

} // namespace vicket
