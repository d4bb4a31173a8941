#pragma once

#include "policy/clock.hpp"

#include <atomic>
#include <cstdint>

namespace vicket::testing {

/// Time stands still until a test moves it.
class manual_clock final : public clock {
public:
  /// 2026-05-23T14:21:11Z, a Saturday.
  static constexpr std::int64_t start_ms = 1'779'546'071'000;

  [[nodiscard]] timestamp_ms wall_now() const override { return {wall_ms_}; }
  [[nodiscard]] std::int64_t steady_us() const override { return steady_us_; }

  /// Time goes by.
  void advance_ms(std::int64_t duration_ms) {
    wall_ms_ += duration_ms;
    steady_us_ += duration_ms * 1'000;
  }

  /// Somebody sets the wall clock; no time goes by.
  void set_wall_forward_ms(std::int64_t jump_ms) { wall_ms_ += jump_ms; }

private:
  std::atomic<std::int64_t> wall_ms_{start_ms};
  std::atomic<std::int64_t> steady_us_{1'000'000};
};

} // namespace vicket::testing
