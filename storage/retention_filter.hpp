#pragma once

// Only for the files of this folder that talk to RocksDB.

#include "storage/column_families.hpp"
#include "storage/history_marks.hpp"
#include "storage/key_codec.hpp"

#include <rocksdb/compaction_filter.h>

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace vicket {

/// Drops what lies below `oldest_kept`, and what connectors keep no more of their history, whenever RocksDB rewrites a file
/// anyway. Reads never see such entries, since every one of them compares with `oldest_kept` and the marks itself, so it
/// does not matter when, or whether, a file's turn comes. What is kept of older events is in families from which only
/// answers are dropped, and its index entries are marked. Anything that can't be decoded is kept, for a read to report.
class retention_filter final : public rocksdb::CompactionFilter {
public:
  /// What an attempt's own record does not say: whether its event was settled, and its attempts are dropped. No: it can't
  /// be told now.
  using is_dropped = std::function<bool(log_sequence event)>;

  retention_filter(family which, const std::atomic<log_sequence>& oldest_kept, const history_marks& marks,
                   is_dropped event_is_dropped)
      : which_(which), oldest_kept_(oldest_kept), marks_(marks),
        event_is_dropped_(std::move(event_is_dropped)) {}

  /// What is kept of an attempt's record, as far as that says it; absent: it stays as it is.
  [[nodiscard]] static std::optional<std::string> shorter(const history_marks& marks, log_sequence sequence,
                                                          std::string_view record) {
    const auto mark = marks.of(codec::decode_account_of_attempt(record));
    if (codec::is_dropped_attempt(record))
      return std::nullopt;
    if (sequence < mark.attempts_from && codec::is_settling_attempt(record))
      return codec::dropped_record(record);
    return sequence < mark.answers_from ? codec::without_answer(record) : std::nullopt;
  }

  const char* Name() const override { return "vicket.retention"; }

  bool Filter(int, const rocksdb::Slice& key, const rocksdb::Slice& value, std::string* new_value,
              bool* value_changed) const override {
    const auto sequence = sequence_of({key.data(), key.size()}, {value.data(), value.size()});
    if (sequence && *sequence < oldest_kept_.load(std::memory_order_relaxed))
      return true;
    if (!marks_.any())
      return false;
    const auto record = std::string_view{value.data(), value.size()};
    if (which_ == family::attempts && sequence && is_gone(*sequence, record))
      return true;
    if (auto shorter = without_dropped(sequence, record)) {
      *new_value = *std::move(shorter);
      *value_changed = true;
    }
    return false;
  }

private:
  /// Of the attempt that settled its event something stays: how that ended.
  [[nodiscard]] bool is_gone(log_sequence sequence, std::string_view record) const {
    return !codec::is_settling_attempt(record) &&
           sequence < marks_.of(codec::decode_account_of_attempt(record)).attempts_from &&
           event_is_dropped_(codec::decode_event_of_attempt(record));
  }

  /// Absent: it stays as it is.
  [[nodiscard]] std::optional<std::string> without_dropped(std::optional<log_sequence> sequence,
                                                           std::string_view value) const {
    if (which_ == family::attempts && sequence)
      return shorter(marks_, *sequence, value);
    if (which_ != family::carried)
      return std::nullopt;
    const auto carried = codec::decode_carried(value);
    if (!carried || carried->record.empty() || codec::is_dropped_attempt(carried->record))
      return std::nullopt;
    const auto mark = marks_.of(codec::decode_account_of_attempt(carried->record));
    const auto record =
        carried->sequence < mark.answers_from ? codec::without_answer(carried->record) : std::nullopt;
    return record ? std::optional{codec::encode_carried({carried->sequence, *record})} : std::nullopt;
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
  const history_marks& marks_;                   ///< likewise
  is_dropped event_is_dropped_;
};

} // namespace vicket
