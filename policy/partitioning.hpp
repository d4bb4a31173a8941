#pragma once

#include "messages/ids.hpp"

#include <cstdint>
#include <string>

namespace vicket {

/// The partition that everything of a connector belongs to, 0 to `partition_count` - 1 (a count of 0 is taken
/// for 1). Fixed for ever, since data folders are laid out by it: FNV-1a of 64 bits over the id's characters,
/// mixed by MurmurHash3's finalizer (FNV's high bits vary little on short texts), modulo the count. Golden
/// tests pin it.
[[nodiscard]] std::uint32_t partition_of(const connector_id& id, std::uint32_t partition_count) noexcept;

/// The same by the connector's account in the history (`codec::account_of`), which is that hash.
[[nodiscard]] std::uint32_t partition_of_account(std::uint64_t account,
                                                 std::uint32_t partition_count) noexcept;

/// A partition of which several are made, so that a connector's is known without looking: with twice as many partitions,
/// what is in number 1 of 2 goes to 1 and 3 of 4.
struct partition_split {
  std::uint32_t parent = 0;
  std::uint32_t parents = 1;
  std::uint32_t children =
      1; ///< all that there are then, a multiple of `parents`; of this parent are `parent`, `parent` + `parents`, …
};

/// Why a folder of so many can't be split into so many: not a multiple, not more, too many. Empty: it can.
[[nodiscard]] std::string split_complaint(std::uint32_t parents, std::uint32_t children, std::uint32_t most);

} // namespace vicket
