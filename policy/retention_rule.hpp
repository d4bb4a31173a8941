#pragma once

#include "messages/ids.hpp"

#include <algorithm>
#include <cstdint>

namespace vicket {

/// When history may go: settled events, attempts and ids are kept for `retention_ms` after they were settled, or happened,
/// and for at most a quarter longer.
///
/// Time is cut into eighths of the retention. Most events are settled within one after they were accepted, and go by the
/// time of their acceptance; the others are *late*, and are noted with the time when they were settled.
class retention_rule {
public:
  explicit constexpr retention_rule(std::int64_t retention_ms) : retention_ms_{retention_ms} {}

  /// An event that is settled later than this after its acceptance is late. At least 1.
  [[nodiscard]] constexpr std::int64_t late_ms() const {
    return std::max<std::int64_t>(retention_ms_ / 8, 1);
  }

  /// What was written before that may go, unless it is pending or was settled late: more than `late_ms` before
  /// `settled_since`, and the same for a whole eighth, so that most looks have nothing to do.
  [[nodiscard]] constexpr timestamp_ms edge_at(timestamp_ms now) const {
    const auto since = now.value - retention_ms_;
    return {since - since % late_ms() - late_ms()};
  }

  /// Late events that were settled before may go.
  [[nodiscard]] constexpr timestamp_ms settled_since(timestamp_ms now) const {
    return {edge_at(now).value + late_ms()};
  }

  /// How often to look, so that an edge is late by little.
  [[nodiscard]] constexpr std::int64_t look_ms() const {
    return std::clamp<std::int64_t>(late_ms() / 4, min_look_ms, max_look_ms);
  }

private:
  static constexpr std::int64_t min_look_ms = 50;
  static constexpr std::int64_t max_look_ms = 600'000;

  std::int64_t retention_ms_;
};

} // namespace vicket
