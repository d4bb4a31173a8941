// What libFuzzer calls, in a program with one target.

#include "tests/fuzz/fuzz_target.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  vicket::fuzz::targets().front().run({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
