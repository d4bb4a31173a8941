#pragma once

// Only for the files of this folder that talk to RocksDB.

#include "storage/column_families.hpp"
#include "storage/key_codec.hpp"

#include <rocksdb/compaction_filter.h>

#include <atomic>
#include <optional>
#include <string>
#include <string_view>

namespace vicket {

/// Drops what belongs to events below `oldest_kept`, and attempts below it, whenever RocksDB rewrites a file anyway. Reads never see
/// such entries, since every one of them compares with `oldest_kept` itself, so it does not matter when, or
/// whether, a file's turn comes. Anything that can't be decoded is kept, for a read to report.
class retention_filter final : public rocksdb::CompactionFilter {
public:
  retention_filter(family which, const std::atomic<log_sequence>& oldest_kept)
      : which_(which), oldest_kept_(oldest_kept) {}

  const char* Name() const override { return "vicket.retention"; }

  bool Filter(int, const rocksdb::Slice& key, const rocksdb::Slice& value, std::string*,
              bool*) const override {
    const auto sequence = event_of({key.data(), key.size()}, {value.data(), value.size()});
    return sequence && *sequence < oldest_kept_.load(std::memory_order_relaxed);
  }

private:
  [[nodiscard]] std::optional<log_sequence> event_of(std::string_view key, std::string_view value) const {
    switch (which_) {
    case family::events:
      return codec::parse_u64(key);
    case family::attempts:
      // By its own position, not by its event's: the feed has to see that it was there.
      return codec::parse_u64(key);
    case family::event_attempts:
      return codec::parse_u64(key.substr(0, 8));
    case family::ids:
      return codec::parse_u64(value);
    case family::runs:
      return codec::parse_run_key(key);
    case family::meta:
    case family::due:
      break;
    }
    return std::nullopt;
  }

  family which_;
  const std::atomic<log_sequence>& oldest_kept_; ///< the store's; outlives the database
};

} // namespace vicket
