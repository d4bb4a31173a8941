#pragma once

// Only for the files of this folder that talk to RocksDB.

#include "policy/feed_drops.hpp"
#include "storage/column_families.hpp"
#include "storage/history_marks.hpp"
#include "storage/sealed_round.hpp"
#include "storage/settings_snapshot.hpp"
#include "storage/write_batch.hpp"

#include <rocksdb/write_batch.h>

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicket {

struct write_batch::rep {
  rocksdb::WriteBatch writes;
  /// Of the index of events' attempts: held back until the commit, which adds them in their order. A memtable takes
  /// entries in order at half the cost (docs/decisions/0004-speed.md), and attempts end in any.
  struct attempt_place {
    log_sequence event = 0;
    std::uint32_t number = 0;
    log_sequence attempt = 0;

    friend auto operator<=>(const attempt_place&, const attempt_place&) = default;
  };
  std::vector<attempt_place> attempt_places;
  // Of what is written, what the store has to know at once: marks of accounts, what the feed is missing, and settings.
  std::vector<std::pair<std::uint64_t, history_mark>> marks;
  std::optional<feed_drops> drops;
  std::vector<settings_snapshot::change> settings;
  std::string scratch;  ///< for encoding one key or record after the other
  bool complete = true; ///< false: something was too large for RocksDB (4 GiB) to be added; never commit that

  void put(family which, std::string_view key, std::string_view value);
  /// Head and tail as one value without joining them first: envelopes and bodies are copied once.
  void put(family which, std::string_view key, std::string_view head, std::string_view tail);
  void remove(family which, std::string_view key);
  void put_attempt_places();
  void seal(const round_header& header);
};

} // namespace vicket
