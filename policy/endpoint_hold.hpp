#pragma once

#include "messages/ids.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace vicket {

/// A connector whose endpoint asked for peace: nothing new goes there until a time, and then not all at once. After the
/// hold one delivery goes; each that succeeds makes room for one more, so that their number doubles with every answer's
/// way, as in TCP's slow start, until the connector's own limit is reached. Failures change nothing: those in flight go on
/// one by one. A connector with a rate needs none of that, since the rate spreads what waited (`forget`).
///
/// Times are those of the schedule's clock, which never goes back; an end that a clock which was ahead has stored in an
/// earlier life is never further away than the longest hold.
class endpoint_hold {
public:
  /// From an earlier life, or from an answer. Of several the latest counts.
  void begin(timestamp_ms until) {
    until_ = until_ ? std::max(*until_, until) : until;
    places_ = 0;
  }

  /// Looks at the clock: true when the hold has ended since the last look.
  bool ends_by(timestamp_ms now);

  /// How many may be in flight as of the last look.
  [[nodiscard]] std::uint32_t in_flight_limit(std::uint32_t configured) const noexcept {
    return until_ ? std::min(places_, configured) : configured;
  }

  /// A delivery succeeded; `configured` may be in flight when all is well.
  void succeeded(std::uint32_t configured) {
    if (until_ && places_ > 0 && ++places_ >= configured)
      forget();
  }

  void forget() {
    until_.reset();
    places_ = 0;
  }

  /// When nothing may start before; absent: something may.
  [[nodiscard]] std::optional<timestamp_ms> held_until() const noexcept {
    return places_ == 0 ? until_ : std::nullopt;
  }
  /// To be remembered in a later life: also while the slow start goes on.
  [[nodiscard]] std::optional<timestamp_ms> remembered() const noexcept { return until_; }

private:
  std::optional<timestamp_ms> until_; ///< absent: neither hold nor slow start
  std::uint32_t places_ = 0;          ///< 0: held
};

} // namespace vicket
