#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vicket::sim {

/// SplitMix64's finalizer: a number that follows from two others and looks like neither.
[[nodiscard]] constexpr std::uint64_t mixed(std::uint64_t a, std::uint64_t b) noexcept {
  auto x = a + 0x9e3779b97f4a7c15ULL * (b + 1);
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// Chance that follows from a seed. Cheap to make, so that each action has its own and does not depend on what others
/// drew before it.
class dice {
public:
  explicit dice(std::uint64_t seed) noexcept : seed_{seed} {}

  std::uint64_t next() noexcept { return mixed(seed_, count_++); }
  /// 0 to `bound` - 1.
  std::uint64_t below(std::uint64_t bound) noexcept { return next() % bound; }
  /// `low` to `high`, both included.
  std::int64_t between(std::int64_t low, std::int64_t high) noexcept {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
  }
  bool percent(unsigned chance) noexcept { return below(100) < chance; }

  template <class T>
  const T& pick(const std::vector<T>& from) noexcept {
    return from[static_cast<std::size_t>(below(from.size()))];
  }

  template <class T>
  void shuffle(std::vector<T>& all) noexcept {
    for (auto left = all.size(); left > 1; --left)
      std::swap(all[left - 1], all[static_cast<std::size_t>(below(left))]);
  }

private:
  std::uint64_t seed_;
  std::uint64_t count_ = 0;
};

} // namespace vicket::sim
