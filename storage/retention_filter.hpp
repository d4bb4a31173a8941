#pragma once

// Only for the files of this folder that talk to RocksDB.

#include "storage/answer_marks.hpp"
#include "storage/column_families.hpp"
#include "storage/key_codec.hpp"

#include <rocksdb/compaction_filter.h>

#include <atomic>
#include <optional>
#include <string>
#include <string_view>

namespace vicket {

/// Drops what lies below `oldest_kept`, and the answers that connectors keep no more, whenever RocksDB rewrites a file anyway. Reads never see such entries, since
/// every one of them compares with `oldest_kept` itself, so it does not matter when, or whether, a file's turn comes.
/// What is kept of older events is in families from which only answers are dropped, and its index entries are marked. Anything that
/// can't be decoded is kept, for a read to report.
class retention_filter final : public rocksdb::CompactionFilter {
public:
  retention_filter(family which, const std::atomic<log_sequence>& oldest_kept, const answer_marks& marks)
      : which_(which), oldest_kept_(oldest_kept), marks_(marks) {}

  const char* Name() const override { return "vicket.retention"; }

  bool Filter(int, const rocksdb::Slice& key, const rocksdb::Slice& value, std::string* new_value,
              bool* value_changed) const override {
    const auto sequence = sequence_of({key.data(), key.size()}, {value.data(), value.size()});
    if (sequence && *sequence < oldest_kept_.load(std::memory_order_relaxed))
      return true;
    if (marks_.any())
      if (auto shorter = without_dropped(sequence, {value.data(), value.size()})) {
        *new_value = *std::move(shorter);
        *value_changed = true;
      }
    return false;
  }

private:
  /// Absent: it stays as it is.
  [[nodiscard]] std::optional<std::string> without_dropped(std::optional<log_sequence> sequence,
                                                           std::string_view value) const {
    if (which_ == family::attempts && sequence)
      return shorter(*sequence, value);
    if (which_ != family::carried)
      return std::nullopt;
    const auto carried = codec::decode_carried(value);
    if (!carried || carried->record.empty())
      return std::nullopt;
    const auto record = shorter(carried->sequence, carried->record);
    return record ? std::optional{codec::encode_carried({carried->sequence, *record})} : std::nullopt;
  }

  [[nodiscard]] std::optional<std::string> shorter(log_sequence sequence, std::string_view record) const {
    return sequence < marks_.kept_from(codec::decode_account_of_attempt(record))
               ? codec::without_answer(record)
               : std::nullopt;
  }

  [[nodiscard]] std::optional<log_sequence> sequence_of(std::string_view key, std::string_view value) const {
    switch (which_) {
    case family::events:
    case family::attempts:
      return codec::parse_u64(key);
    case family::event_attempts:
      return codec::parse_u64(key.substr(0, 8));
    case family::ids: {
      const auto entry = codec::decode_id_entry(value);
      return entry && !entry->carried ? std::optional{entry->event} : std::nullopt;
    }
    case family::runs:
      return value.empty() ? codec::parse_run_key(key) : std::nullopt;
    case family::meta:
    case family::due:
    case family::carried:
    case family::late:
      break;
    }
    return std::nullopt;
  }

  family which_;
  const std::atomic<log_sequence>& oldest_kept_; ///< the store's; outlives the database
  const answer_marks& marks_;                    ///< likewise
};

} // namespace vicket
