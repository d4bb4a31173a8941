#pragma once

#include <cstdint>
#include <string_view>

namespace vicket {

/// FNV-1a of 64 bits. The same for ever: data folders depend on it.
[[nodiscard]] constexpr std::uint64_t fnv1a(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

} // namespace vicket
