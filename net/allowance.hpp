#pragma once

#include <algorithm>
#include <chrono>

namespace vicket::internal {

/// How often something may happen: `burst` times at once, and `per_second` times a second in the long run. Pure.
class allowance {
public:
  using time_point = std::chrono::steady_clock::time_point;

  allowance(double burst, double per_second, time_point now)
      : burst_{burst}, per_second_{per_second}, left_{burst}, at_{now} {}

  /// Whether it may happen now; if so, it counts.
  [[nodiscard]] bool take(time_point now) {
    const std::chrono::duration<double> passed = std::max(now - at_, time_point::duration{0});
    left_ = std::min(burst_, left_ + passed.count() * per_second_);
    at_ = now;
    if (left_ < 1)
      return false;
    left_ -= 1;
    return true;
  }

private:
  double burst_;
  double per_second_;
  double left_;
  time_point at_;
};

} // namespace vicket::internal
