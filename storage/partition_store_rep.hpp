#pragma once

// Only for the files of this folder that talk to RocksDB.

#include "storage/column_families.hpp"
#include "storage/environment.hpp"
#include "storage/history_marks.hpp"
#include "storage/key_codec.hpp"
#include "storage/partition_store.hpp"
#include "storage/retention_filter.hpp"
#include "storage/rocksdb_options.hpp"
#include "storage/space_budget.hpp"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/iterator.h>
#include <rocksdb/slice.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

namespace vicket {

inline rocksdb::Slice to_slice(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}
inline std::string_view to_view(const rocksdb::Slice& bytes) {
  return {bytes.data(), bytes.size()};
}

/// An iterator over [lower, upper), positioned at its first entry. Without bounds an iterator may step over
/// any number of another queue's tombstones.
class bounded_iterator {
public:
  /// `scan`: reads much of the family once, so it must not push everything else out of the block cache.
  bounded_iterator(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* column, std::string lower, std::string upper,
                   bool scan);
  bounded_iterator(const bounded_iterator&) = delete;
  bounded_iterator& operator=(const bounded_iterator&) = delete;

  [[nodiscard]] bool valid() const { return it_->Valid(); }
  void next() { it_->Next(); }
  void seek(std::string_view key) { it_->Seek(to_slice(key)); }
  void seek_last() { it_->SeekToLast(); }
  /// To the last one before `key`, or at it.
  void seek_before(std::string_view key) { it_->SeekForPrev(to_slice(key)); }
  [[nodiscard]] std::string_view key() const { return to_view(it_->key()); }
  [[nodiscard]] std::string_view value() const { return to_view(it_->value()); }
  /// Not ok: it became invalid because of damage, not because it came to the end.
  [[nodiscard]] rocksdb::Status status() const { return it_->status(); }

private:
  std::string lower_; ///< the slices point into these, and the iterator to the slices
  std::string upper_;
  rocksdb::Slice lower_slice_;
  rocksdb::Slice upper_slice_;
  std::unique_ptr<rocksdb::Iterator> it_;
};

struct partition_store::rep {
  store_options options;
  std::string folder;
  std::unique_ptr<rocksdb::Env> env; ///< what RocksDB is opened on; see store_files.hpp

  // Any thread.
  std::atomic<log_sequence> oldest_kept{1}; ///< as committed; the filters read it from RocksDB's threads
  std::atomic<log_sequence> next_sequence{1};
  std::atomic<log_sequence> settled_below{1}; ///< as committed
  std::atomic<log_sequence> committed_end{0}; ///< the last position that a commit wrote
  history_marks marks;                        ///< as committed; the filters read them, too
  mutable std::mutex drops_mutex;
  feed_drops drops;     ///< guarded by drops_mutex; as committed, and never behind `marks`
  feed_lineage lineage; ///< constant once it is open
  mutable std::mutex settings_mutex;
  std::shared_ptr<const settings_snapshot> all_settings =
      settings_snapshot::none(); ///< guarded by settings_mutex
  mutable std::mutex problem_mutex;
  mutable store_status problem; ///< guarded by problem_mutex: the first unreadable thing

  std::atomic<bool> needs_room{
      false};                      ///< a full disk stopped RocksDB's own threads, or left the database closed
  std::atomic<bool> closed{false}; ///< a reopening met a full disk: `db` is null until the next one
  mutable std::atomic<std::uint64_t> reads_refused{0};
  std::atomic<int> open_scans{0}; ///< each holds an iterator of the database's
  std::mutex trouble_mutex;
  std::function<void()> trouble; ///< guarded by trouble_mutex: whom to tell

  /// Shared by every read for as long as it holds anything of the database's; exclusive while `reopen`
  /// replaces the database.
  mutable std::shared_mutex database_mutex;

  /// Shared by a filter while it looks something up, which may be in a thread that holds `database_mutex`, or in one of a
  /// database that is being opened or closed; exclusive while `may_look_up` changes.
  mutable std::shared_mutex look_up_mutex;
  bool may_look_up = false; ///< guarded by look_up_mutex: `db` and `columns` are there

  /// Held by the writer for each write, and by who copies the files for as long as that takes.
  std::mutex write_mutex;

  // The writer's thread. What a checkpoint looks at changes within `write_mutex`, or while nobody has `database_mutex`.
  std::uint32_t stored_format = 0; ///< as it was found
  round_header last;               ///< as applied
  bool lineage_stored = true;      ///< false: the next round that moves the log's end stores it along
  store_status failure;            ///< not ok: the store takes nothing more
  bool refused_full = false;       ///< a commit did not fit, and no reopening succeeded since

  // Below what the database's threads use, so that it goes first.
  std::vector<std::unique_ptr<retention_filter>> filters;
  std::unique_ptr<rocksdb::DB> db; ///< null: it could not be reopened; `closed`, or `failure` says why
  std::array<rocksdb::ColumnFamilyHandle*, family_count> columns{};

  rep() = default;
  rep(const rep&) = delete;
  rep& operator=(const rep&) = delete;
  ~rep();

  [[nodiscard]] rocksdb::ColumnFamilyHandle* column(family which) const {
    return columns[static_cast<std::size_t>(which)];
  }

  // -- opening (partition_open.cpp) --
  [[nodiscard]] store_status open();
  [[nodiscard]] store_status check_folder() const;
  [[nodiscard]] std::variant<std::uint64_t, store_status> last_in_tables() const;
  [[nodiscard]] store_status open_database();
  [[nodiscard]] store_status sync_removals() const;
  [[nodiscard]] store_status check_format();
  [[nodiscard]] store_status load_state();
  /// As stored, with the entry that is written under from now on.
  [[nodiscard]] store_status load_lineage();
  [[nodiscard]] store_status load_marks();
  [[nodiscard]] store_status load_settings();
  [[nodiscard]] store_status check_connectors() const;
  [[nodiscard]] store_status index_unattempted();
  /// Events that were accepted and never tried, and are not in the due index.
  [[nodiscard]] store_status
  visit_unattempted(const std::function<store_status(const connector_id&, due_position)>& visit);
  [[nodiscard]] store_status raise_format();
  [[nodiscard]] store_status check_follower();

  // -- another content (partition_replace.cpp) --
  [[nodiscard]] store_status settle();
  [[nodiscard]] store_status replace();
  void forget_content();

  // -- secrets (partition_secrets.cpp) --
  /// A connector's record of this store's format or an older one, with its secrets sealed. Absent: unreadable.
  [[nodiscard]] std::optional<connector> connector_of_any_format(const connector_id& id,
                                                                 std::string_view record) const;
  [[nodiscard]] store_status seal_connectors();
  /// Of a change of the key: into its place, or away with it.
  [[nodiscard]] store_status settle_rotation();
  [[nodiscard]] store_status forget_rotation();
  /// Rewrites and removes all files that may still have connectors as they were.
  [[nodiscard]] store_status purge();
  [[nodiscard]] store_status lower_format();
  /// Visits a part of `meta` and commits what the visits write, a chunk at a time.
  [[nodiscard]] store_status rewrite(
      std::string_view prefix,
      const std::function<store_status(write_batch&, std::string_view id, std::string_view record)>& visit);

  // -- writing --
  [[nodiscard]] store_status resume();
  void close_database();
  void note_lengths() const;
  /// From RocksDB's threads.
  void failed_in_background(const rocksdb::Status& status);
  void tell_trouble();
  [[nodiscard]] store_environment::volume volume() const;
  /// After it was closed and opened again: what is committed on disk is what was acknowledged, and nothing else.
  [[nodiscard]] store_status check_reopened();
  [[nodiscard]] std::uint64_t log_bytes() const;
  [[nodiscard]] space free_space() const;
  [[nodiscard]] round_header next_round(log_sequence settled) const;
  [[nodiscard]] store_status commit(write_batch& batch, log_sequence settled);
  [[nodiscard]] store_status write(write_batch::rep& batch, const round_header& header, bool sync);
  /// The first round of an opening that moves the log's end on says so in the lineage.
  [[nodiscard]] bool needs_lineage(const round_header& header) const {
    return !lineage_stored && header.next_sequence > last.next_sequence;
  }
  void drop_files_below(log_sequence oldest);
  [[nodiscard]] store_status write_status(const rocksdb::Status& status);

  // -- reading --
  /// For the duration of a read. Not to be taken twice by one thread.
  [[nodiscard]] std::shared_lock<std::shared_mutex> reading() const {
    auto lock = std::shared_lock{database_mutex};
    if (!db)
      reads_refused.fetch_add(1, std::memory_order_relaxed);
    return lock;
  }
  [[nodiscard]] std::optional<stored_event> event_at(log_sequence sequence, bool with_envelope) const;
  /// The record of an event, from the log or, below the retention's edge, from what is carried.
  [[nodiscard]] std::optional<rocksdb::PinnableSlice> event_record(log_sequence sequence) const;
  /// Part of `read_attempts`. False: the retention's edge passed the event meanwhile, and the page is worth nothing.
  [[nodiscard]] bool add_logged(log_sequence event_sequence, const attempt_range& which,
                                attempt_page& page) const;
  void add_carried(log_sequence event_sequence, const attempt_range& which, attempt_page& page) const;
  /// The last attempt's record, body as stored.
  [[nodiscard]] std::optional<stored_attempt> last_record(log_sequence event_sequence) const;
  [[nodiscard]] std::optional<stored_attempt> attempt_record(log_sequence event_sequence,
                                                             std::uint32_t number) const;
  [[nodiscard]] std::optional<stored_attempt> carried_attempt_of(const codec::event_attempt& place,
                                                                 std::string_view value) const;
  /// Puts the body back that is stored with another attempt; `read`: attempts of the same event that have theirs.
  void restore_body(stored_attempt& attempt, const std::vector<stored_attempt>& read) const;
  /// Which connector an entry of the index of ids is of, if it still counts.
  [[nodiscard]] std::optional<log_sequence> event_of_id(std::string_view key, std::string_view value) const;
  /// Absent: not there, or unreadable, which it reports.
  [[nodiscard]] std::optional<rocksdb::PinnableSlice> get(family which, std::string_view key) const;
  [[nodiscard]] bounded_iterator range(family which, std::string lower, std::string upper,
                                       bool scan = false) const {
    return {*db, column(which), std::move(lower), std::move(upper), scan};
  }
  /// From this key on, until `visit` says false.
  void visit_connectors(const std::string& first, const std::function<bool(connector)>& visit) const;
  void report(store_errc code, std::string detail) const;
  void report_end(const bounded_iterator& it, family which) const;
  /// An attempt of the event is not where its index says.
  void report_attempt(log_sequence event_sequence) const;
  /// An attempt as it is kept: without its answer where that is dropped, or `dropped` itself. Of one that left its event
  /// pending that is not said: see `is_dropped_with_event`.
  [[nodiscard]] std::optional<stored_attempt> attempt_from(log_sequence sequence,
                                                           std::string_view record) const;
  /// Whether its event was settled, and its attempts are dropped.
  [[nodiscard]] bool is_dropped(log_sequence event_sequence) const;
  /// The same for a filter. No: it can't be told now.
  [[nodiscard]] bool is_dropped_for_filter(log_sequence event_sequence) const;
  /// Whether this attempt, which left its event pending, is one of an event whose attempts are dropped.
  [[nodiscard]] bool is_dropped_with_event(const stored_attempt& attempt) const;
  /// The same, as a record.
  [[nodiscard]] std::string kept_record(log_sequence sequence, std::string_view record) const;
  /// An event that something refers to is not there: damage, unless retention took it a moment ago.
  void report_missing_event(log_sequence sequence, std::string_view referred_by) const;
  [[nodiscard]] log_sequence first_since(family which, timestamp_ms time, log_sequence end) const;
  [[nodiscard]] carried_event carry_from_log(log_sequence sequence, log_sequence edge) const;
  /// The event's attempts, those below the edge whole. False: they were dropped meanwhile.
  [[nodiscard]] bool carry_attempts(carried_event& to, log_sequence edge) const;
  [[nodiscard]] std::optional<carried_event> carry_further(log_sequence sequence, log_sequence edge) const;
  [[nodiscard]] expired_event expired(log_sequence sequence) const;
};

} // namespace vicket
