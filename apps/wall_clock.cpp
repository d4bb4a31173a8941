#include "apps/wall_clock.hpp"

#include <chrono>

namespace vicket {

timestamp_ms wall_clock_now() {
  using namespace std::chrono;
  return {duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count()};
}

} // namespace vicket
