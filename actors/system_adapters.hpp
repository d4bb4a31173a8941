#pragma once

#include "policy/clock.hpp"

namespace vicket {

/// The machine's clocks.
class system_clock_adapter final : public clock {
public:
  [[nodiscard]] timestamp_ms wall_now() const override;
  [[nodiscard]] std::int64_t steady_us() const override;
};

/// OpenSSL's generator: seeded by the kernel, a stream of its own for each thread. Safe from any thread.
/// `next` throws `std::runtime_error` when the generator can't be seeded.
class system_random final : public random_source {
public:
  [[nodiscard]] std::uint64_t next() override;
};

} // namespace vicket
