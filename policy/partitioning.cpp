#include "policy/partitioning.hpp"

#include "policy/fnv1a.hpp"

#include <algorithm>

namespace vicket {

namespace {

std::uint64_t mixed(std::uint64_t x) noexcept {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ULL;
  x ^= x >> 33;
  return x;
}

} // namespace

std::uint32_t partition_of(const connector_id& id, std::uint32_t partition_count) noexcept {
  return static_cast<std::uint32_t>(mixed(fnv1a(id.value)) % std::max(partition_count, 1U));
}

} // namespace vicket
