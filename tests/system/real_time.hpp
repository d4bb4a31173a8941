#pragma once

#include "messages/ids.hpp"

#include <chrono>
#include <cstdint>
#include <thread>

namespace vicket::testing {

/// The clocks of the system tests: what they measure is real time.
[[nodiscard]] inline std::int64_t steady_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}

[[nodiscard]] inline timestamp_ms wall_now() {
  using namespace std::chrono;
  return {duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count()};
}

/// Asks again and again, with a pause, until it is so. False: it was not so within a minute.
template <class Question>
[[nodiscard]] bool eventually(Question is_so) {
  constexpr std::int64_t patience_us = 60'000'000;
  constexpr std::chrono::milliseconds pause{20};
  for (const auto end_us = steady_us() + patience_us; steady_us() < end_us;
       std::this_thread::sleep_for(pause))
    if (is_so())
      return true;
  return false;
}

} // namespace vicket::testing
