#pragma once

#include "policy/copies.hpp"
#include "policy/log_history.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vicket {

/// Who a claim is of: a node, and which life of it.
struct claim_owner {
  std::string node;
  std::uint64_t incarnation = 0;

  friend bool operator==(const claim_owner&, const claim_owner&) = default;
};

/// A place in a partition's log, and what the log says up to there beside its rounds. Of what a store has it is kept in the
/// store, in the same write as the round that it belongs to (`partition_store::apply`).
struct log_position {
  log_history history;
  std::optional<claim_owner> owner; ///< of the last claim, also when it has let go since
  placement_copies copies;          ///< as the last record of them says; empty: there was none
};

/// Of a history that is not empty: u8 2, then the last record: number, epoch, durable_to (u64 big-endian each), partition (u32),
/// kind (u8), whether its epoch is owned (u8), digest (32 bytes), and the owner: incarnation (u64), bytes of its name (u8; 0:
/// none is known) and the name; the rest are the copies (`encode_copies`; nothing: none are known). Version 1 has no length of
/// the name, and no copies behind it.
[[nodiscard]] std::string encode(const log_position& position);
[[nodiscard]] std::optional<log_position> decode_log_position(std::string_view bytes);

} // namespace vicket
