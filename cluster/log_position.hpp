#pragma once

#include "cluster/partition_keeper.hpp"
#include "policy/log_history.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace vicket {

/// Where a store stands in the log that it follows: what a `partition_keeper` begins with. It is kept in the store, in the same
/// write as the round that it belongs to (`partition_store::apply`).
struct log_position {
  log_history history;              ///< not empty
  std::optional<claim_owner> owner; ///< of the last claim in it
};

/// u8 1, then the last record: number, epoch, durable_to (u64 big-endian each), partition (u32), kind (u8), whether its epoch
/// is owned (u8), digest (32 bytes), and the owner: incarnation (u64) and name (the rest; empty: none is known).
[[nodiscard]] std::string encode(const log_position& position);
[[nodiscard]] std::optional<log_position> decode_log_position(std::string_view bytes);

} // namespace vicket
