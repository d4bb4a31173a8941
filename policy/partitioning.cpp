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
  return partition_of_account(fnv1a(id.value), partition_count);
}

std::uint32_t partition_of_account(std::uint64_t account, std::uint32_t partition_count) noexcept {
  return static_cast<std::uint32_t>(mixed(account) % std::max(partition_count, 1U));
}

std::string split_complaint(std::uint32_t parents, std::uint32_t children, std::uint32_t most) {
  if (parents > 0 && children > parents && children <= most && children % parents == 0)
    return {};
  std::string possible;
  for (auto count = parents * 2; parents > 0 && count <= most && count <= parents * 4; count += parents)
    possible += (possible.empty() ? "" : ", ") + std::to_string(count);
  return "of " + std::to_string(parents) + " partitions " + std::to_string(children) +
         " can't be made: only a multiple, so that each goes on as part of one that there was, and at most " +
         std::to_string(most) + (possible.empty() ? "" : " (" + possible + ", …)");
}

} // namespace vicket
