#include "actors/system_adapters.hpp"

#include <openssl/rand.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <stdexcept>

namespace vicket {

timestamp_ms system_clock_adapter::wall_now() const {
  using namespace std::chrono;
  return {duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count()};
}

std::int64_t system_clock_adapter::steady_us() const {
  using namespace std::chrono;
  return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}

std::uint64_t system_random::next() {
  // A draw from OpenSSL costs about a microsecond whatever its length: take 64 numbers at a time.
  thread_local std::array<std::uint64_t, 64> drawn;
  thread_local std::size_t left = 0;
  if (left == 0) {
    if (RAND_bytes(reinterpret_cast<unsigned char*>(drawn.data()), static_cast<int>(sizeof(drawn))) != 1)
      throw std::runtime_error("the system's random generator can't be seeded");
    left = drawn.size();
  }
  auto& number = drawn[--left];
  const auto result = number;
  number = 0; // what was handed out does not stay in memory
  return result;
}

} // namespace vicket
