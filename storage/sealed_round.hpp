#pragma once

#include "storage/records.hpp"
#include "storage/write_batch.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vicket {

/// What a round says of itself and of its partition as it leaves it. Stored with the round, as its last write.
struct round_header {
  std::uint64_t epoch = 0;        ///< of the owner that made it
  std::uint64_t number = 0;       ///< 1 for a partition's first, then without gaps
  log_sequence next_sequence = 1; ///< what is to be written next stands there
  log_sequence settled_below =
      1; ///< all events below are settled or in the due index: a restart scans from there
  log_sequence oldest_kept = 1; ///< the retention's edge; never above `settled_below`

  friend bool operator==(const round_header&, const round_header&) = default;
};

/// A round that nothing is added to any more: what a log appends, and what a store applies, here or elsewhere.
class sealed_round {
public:
  sealed_round(write_batch&& batch, const round_header& header);

  /// The round that `bytes()` gave. `nullopt`: it is none, or its header is damaged.
  [[nodiscard]] static std::optional<sealed_round> parse(std::string bytes);

  [[nodiscard]] const round_header& header() const noexcept { return header_; }

  /// All of it, header included, in the form that travels: RocksDB's write batch with sequence number 0 (8 bytes,
  /// little-endian), count (4 bytes, little-endian) and writes, of which the last is the commit record. Pinned by a
  /// golden test.
  [[nodiscard]] std::string_view bytes() const;

  /// The batch's memory, for the next one.
  [[nodiscard]] write_batch reuse() &&;

private:
  friend class partition_store;
  sealed_round() = default;

  write_batch batch_;
  round_header header_;
};

} // namespace vicket
