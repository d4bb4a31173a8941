#pragma once

#include "messages/ids.hpp"

#include <chrono>
#include <cstdint>
#include <thread>

namespace vicket::crash {

/// The clocks and the sleep of the crash oracle's processes; nothing else of it looks at a clock.
[[nodiscard]] inline timestamp_ms wall_now() {
  using namespace std::chrono;
  return {duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count()};
}

[[nodiscard]] inline std::int64_t steady_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

inline void sleep_ms(std::int64_t duration_ms) {
  std::this_thread::sleep_for(std::chrono::milliseconds{duration_ms});
}

} // namespace vicket::crash
