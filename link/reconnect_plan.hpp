#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace vicket::internal {

/// Whom to dial next, and when: the nodes in turn, all of them at once after each other, then again after a pause that
/// doubles from 0.1 s to 5 s, of which the upper half is random, so that engines which lost a node together do not come back
/// together. Pure.
class reconnect_plan {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using ms = std::chrono::milliseconds;

  static constexpr ms first_pause{100};
  static constexpr ms longest_pause{5'000};
  /// A connection that lasted less is as good as none.
  static constexpr ms worth_it{5'000};

  explicit reconnect_plan(std::size_t nodes) : nodes_{nodes} {}

  [[nodiscard]] std::size_t node() const { return at_; }

  /// It could not be reached. How long to wait before the next; `chance` is in [0, 1).
  [[nodiscard]] ms failed(double chance) {
    next();
    return ++tried_ < nodes_ ? ms{0} : pause(chance);
  }
  void connected(time_point now) { connected_at_ = now; }
  /// The connection is gone.
  [[nodiscard]] ms lost(time_point now, double chance) {
    if (now - connected_at_ >= worth_it)
      pause_ = first_pause;
    next();
    return pause(chance);
  }

private:
  void next() { at_ = (at_ + 1) % nodes_; }

  ms pause(double chance) {
    tried_ = 0;
    const auto whole = pause_;
    pause_ = std::min(pause_ * 2, longest_pause);
    return whole / 2 +
           ms{static_cast<ms::rep>(static_cast<double>(whole.count() - whole.count() / 2) * chance)};
  }

  std::size_t nodes_;
  std::size_t at_ = 0;
  std::size_t tried_ = 0; ///< since the last pause
  ms pause_ = first_pause;
  time_point connected_at_{};
};

} // namespace vicket::internal
