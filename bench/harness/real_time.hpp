#pragma once

#include "messages/ids.hpp"

#include <chrono>
#include <cstdint>
#include <thread>

namespace vicket::bench {

/// CLOCK_MONOTONIC, which all processes of a machine share: what the sink notes is compared with what the feeder
/// notes.
[[nodiscard]] inline std::int64_t now_ns() {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
}

[[nodiscard]] inline timestamp_ms wall_now() {
  using namespace std::chrono;
  return {duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count()};
}

inline void sleep_us(std::int64_t duration_us) {
  std::this_thread::sleep_for(std::chrono::microseconds{duration_us});
}

inline void sleep_ms(std::int64_t duration_ms) {
  sleep_us(duration_ms * 1'000);
}

inline void sleep_until_ns(std::int64_t time_ns) {
  using namespace std::chrono;
  std::this_thread::sleep_until(steady_clock::time_point{nanoseconds{time_ns}});
}

[[nodiscard]] constexpr double seconds(std::int64_t duration_ns) {
  return static_cast<double>(duration_ns) * 1e-9;
}

} // namespace vicket::bench
