#include "messages/connector.hpp"

#include <cstring>

namespace vicket {

/// Done for each request and each message on its way, mostly to what was moved from: hence not by `resize`, which touches
/// every byte once more.
void secret_text::wipe() noexcept {
  constexpr std::size_t inside_bytes = 15; // libstdc++ keeps so many in the string object itself
  auto* const bytes = value.data();
  // What it held before may have been longer: the memory is its own up to its capacity.
  if (value.capacity() == inside_bytes)
    std::memset(bytes, 0, inside_bytes); // a few instructions
  else
    std::memset(bytes, 0, value.capacity());
  asm volatile("" : : "r"(bytes) : "memory"); // it is not to be left out because nobody reads it
  value.clear();
}

} // namespace vicket
