#pragma once

#include "storage/partition_store.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rocksdb {
class Env;
}

namespace vicket {

/// Looks for damage in the middle of RocksDB's write-ahead logs, before RocksDB replays them (rule 5).
///
/// RocksDB alone is not enough, in kTolerateCorruptedTailRecords (7.8 to 9.10, db/log_reader.cc): a damaged
/// length field in a log's last 32 KiB block looks to it like a record that was cut off by the crash, so it
/// drops everything behind it without a word; and what it does report does not name the file.
///
/// What counts as damage: bytes that are no valid record, followed, anywhere behind them in the same file, by
/// one that is. A log that just ends in something incomplete is what a crash leaves, and no damage: it was
/// never acknowledged.
///
/// Costs one read of the logs that are left (at most `max_total_wal_size`, 64 MiB), 32 KiB at a time: about 1
/// GB/s.
class log_scan {
public:
  static constexpr std::size_t block_bytes = 32 * 1024; ///< of RocksDB's log format (db/log_format.h)

  /// The next block of the file: `block_bytes` of them, or fewer at its end.
  void add_block(std::string_view block);

  /// Where the damage begins, once a valid record was seen behind it.
  [[nodiscard]] std::optional<std::uint64_t> damage() const;

private:
  std::uint64_t offset_ = 0;             ///< of the next block
  std::optional<std::uint64_t> invalid_; ///< where the first invalid record begins
  bool valid_behind_ = false;
};

/// Scans every `*.log` of the folder. `corrupt` names file and offset.
[[nodiscard]] store_status check_logs(rocksdb::Env& env, const std::string& folder);

/// CRC-32C (Castagnoli), as RocksDB's logs carry it (masked there).
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes) noexcept;

} // namespace vicket
