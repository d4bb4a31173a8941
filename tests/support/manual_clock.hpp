#pragma once

#include "policy/clock.hpp"

#include <atomic>
#include <cstdint>
#include <stdexcept>

namespace vicket::testing {

/// Time stands still until a test moves it.
class manual_clock final : public clock {
public:
  /// 2026-05-23T14:21:11Z, a Saturday.
  static constexpr std::int64_t start_ms = 1'779'546'071'000;

  [[nodiscard]] timestamp_ms wall_now() const override {
    if (looks_left_ == 0)
      throw std::runtime_error("no time today");
    if (looks_left_ > 0)
      --looks_left_;
    return {wall_ms_};
  }
  [[nodiscard]] std::int64_t steady_us() const override { return steady_us_; }

  /// Time goes by.
  void advance_ms(std::int64_t duration_ms) {
    wall_ms_ += duration_ms;
    steady_us_ += duration_ms * 1'000;
  }

  /// Somebody sets the wall clock; no time goes by.
  void set_wall_forward_ms(std::int64_t jump_ms) { wall_ms_ += jump_ms; }

  /// After so many more looks at the wall clock each one throws, until it is told otherwise; negative: never.
  void fail_after(int looks) { looks_left_ = looks; }

private:
  mutable std::atomic<int> looks_left_{-1};
  std::atomic<std::int64_t> wall_ms_{start_ms};
  std::atomic<std::int64_t> steady_us_{1'000'000};
};

} // namespace vicket::testing
