#pragma once

#include "messages/ids.hpp"
#include "policy/clock.hpp"

#include <cstdint>
#include <string_view>

namespace vicket {

/// Makes ids for events that come without one: UUIDs of version 7 (RFC 9562 5.7). Those of one source
/// increase strictly, also when the clock stands still or goes back: then the last time is kept and the
/// random part counts up by random steps (RFC 9562 6.2, method 2). Not thread safe.
class uuid7_source {
public:
  uuid7_source() = default;

  [[nodiscard]] event_id next(timestamp_ms now, random_source& random);

private:
  void start_at(std::uint64_t time_ms, random_source& random);

  bool started_ = false;
  std::uint64_t time_ms_ = 0; ///< 48 bits
  std::uint64_t high_ = 0;    ///< 12 bits: rand_a
  std::uint64_t low_ = 0;     ///< 62 bits: rand_b
};

/// The UUID of version 5 (RFC 9562 5.5) of a name within a namespace: the same ones give the same, others another.
[[nodiscard]] event_id uuid5(const event_id& name_space, std::string_view name);

} // namespace vicket
