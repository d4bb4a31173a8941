#pragma once

#include <cstdint>

namespace vicket {

/// Keeps an endpoint that is down from holding many of the node's in-flight places: after `threshold`
/// attempts failed in a row, one delivery at a time goes on, as a probe; the first that succeeds opens all
/// places again. Delays are the retry schedule's matter, not the breaker's.
class circuit_breaker {
public:
  static constexpr std::uint32_t threshold = 32;

  void succeeded() noexcept { failures_in_a_row_ = 0; }
  void failed() noexcept { failures_in_a_row_ += failures_in_a_row_ < threshold ? 1 : 0; }

  [[nodiscard]] bool open() const noexcept { return failures_in_a_row_ >= threshold; }
  [[nodiscard]] std::uint32_t in_flight_limit(std::uint32_t configured) const noexcept {
    return open() ? 1 : configured;
  }

private:
  std::uint32_t failures_in_a_row_ = 0;
};

} // namespace vicket
