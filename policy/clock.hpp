#pragma once

#include "messages/ids.hpp"

#include <cstdint>

namespace vicket {

/// The time, handed in by the composition root so that tests can turn it.
/// Due times are wall clock, since they are stored; durations are steady.
class clock {
public:
  virtual ~clock() = default;

  [[nodiscard]] virtual timestamp_ms wall_now() const = 0;

  /// Microseconds since some fixed moment; never goes back.
  [[nodiscard]] virtual std::int64_t steady_us() const = 0;
};

/// Where chance comes from (jitter, ids, generated secrets); tests hand in a seeded one.
class random_source {
public:
  virtual ~random_source() = default;

  /// 64 uniformly random bits. Generated secrets use it too: production is a cryptographic generator.
  [[nodiscard]] virtual std::uint64_t next() = 0;
};

} // namespace vicket
