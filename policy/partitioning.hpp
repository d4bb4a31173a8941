#pragma once

#include "messages/ids.hpp"

#include <cstdint>

namespace vicket {

/// The partition that everything of a connector belongs to, 0 to `partition_count` - 1 (a count of 0 is taken
/// for 1). Fixed for ever, since data folders are laid out by it: FNV-1a of 64 bits over the id's characters,
/// mixed by MurmurHash3's finalizer (FNV's high bits vary little on short texts), modulo the count. Golden
/// tests pin it.
[[nodiscard]] std::uint32_t partition_of(const connector_id& id, std::uint32_t partition_count) noexcept;

} // namespace vicket
