#pragma once

#include "storage/partition_store.hpp"

#include <map>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace rocksdb {
class Env;
}

namespace vicket {

/// Reads one of RocksDB's write-ahead logs, or its manifest, which is in the same format, before RocksDB replays it, and tells
/// what a power loss left from what damaged it since (rule 5).
///
/// RocksDB alone is not enough, in kTolerateCorruptedTailRecords (7.8 to 9.10, db/log_reader.cc). A damaged length field
/// in a log's last 32 KiB block looks to it like a record that was cut off by the crash, and a header of zeros like a
/// block to skip: it drops what is behind without a word. A record that was never acknowledged, and of which some pages
/// reached the disk and some did not, it refuses instead. And what it reports does not name the file.
///
/// What there is to know: a commit is one record (in one or more fragments, one for each block that it lies in), synced
/// before it is acknowledged and before the next is appended (an edit of the manifest likewise, see store_files.hpp); a log
/// whose append or sync failed is never appended to again. So of a log's records at most the last can be an unsynced one, and only of that one any page may be missing:
/// zeros, or the file ends before it.
///
/// - Invalid bytes with the beginning of a record (a whole one or a first fragment) behind them: damage. What is behind
///   was appended after the sync of what is damaged. Fragments that go on with a record prove nothing: they are of the
///   damaged one itself.
/// - An end that is cut off, or the last record invalid with zeros where a sector should be: unsynced, and to be cut off.
/// - The last record complete in length and invalid, without such zeros: damage. It may have been acknowledged, and a
///   power loss does not flip bits.
class log_scan {
public:
  static constexpr std::size_t block_bytes = 32 * 1024; ///< of RocksDB's log format (db/log_format.h)
  /// A record of a write-ahead log is a write batch: u64 sequence, u32 number of entries, the entries.
  static constexpr std::size_t batch_header_bytes = 12;
  /// One of a manifest is an edit: at least a tag and its number.
  static constexpr std::size_t least_edit_bytes = 2;

  explicit log_scan(std::size_t least_record_bytes = batch_header_bytes)
      : least_record_bytes_{least_record_bytes} {}

  enum class state : std::uint8_t {
    whole,        ///< records, each complete, to the end
    unsynced_end, ///< after `whole_bytes()` something that was never acknowledged
    damaged_last, ///< the last record is damaged
    damaged,      ///< what is damaged is followed by a record
  };

  /// The next block of the file: `block_bytes` of them, or fewer at its end.
  void add_block(std::string_view block);

  /// Of all that was added.
  [[nodiscard]] state result() const;
  /// Where the last record ends that is complete, with all before it.
  [[nodiscard]] std::uint64_t whole_bytes() const { return whole_bytes_; }
  /// Where the damage begins; the log's length without any.
  [[nodiscard]] std::uint64_t damage_at() const { return invalid_.value_or(offset_); }
  /// There is a complete record that holds something. (RocksDB begins a log with an empty one.)
  [[nodiscard]] bool has_commits() const { return has_commits_; }
  /// Of a write-ahead log: RocksDB's numbers of the first and the last entry in the records up to `whole_bytes()`; they are
  /// consecutive, also from log to log. Absent: there is no record.
  [[nodiscard]] std::optional<std::uint64_t> first_entry() const { return first_entry_; }
  [[nodiscard]] std::optional<std::uint64_t> last_entry() const { return last_entry_; }

private:
  void read_fragments(std::string_view block);
  void look_behind_damage(std::string_view block, std::size_t from);

  std::size_t least_record_bytes_;
  std::uint64_t offset_ = 0; ///< of the next block
  std::uint64_t whole_bytes_ = 0;
  bool in_record_ = false; ///< fragments so far, and none of them the last
  bool has_commits_ = false;
  std::string batch_header_; ///< of the record so far
  std::optional<std::uint64_t> first_entry_;
  std::optional<std::uint64_t> last_entry_;
  std::optional<std::uint64_t> invalid_; ///< where the first invalid fragment begins
  bool cut_off_ = false;                 ///< that one ends behind the file
  bool zeros_ = false;                   ///< in its place, or in that of one behind it
  bool record_behind_ = false;
};

/// Scans every log of the folder, cuts off unsynced ends (synced before it returns, so that RocksDB never appends to a
/// newer log while an older one has such an end) and says so in a line to `warn`, if there is one. `corrupt` names file and
/// offset, and nothing is changed then.
///
/// Only of the newest log that has commits, and of those behind it, the end may be unsynced: RocksDB begins a log when
/// everything in the one before it is synced, or at an opening, when the one before it has been written to tables. Its
/// first commit comes after that, and after the older log's removal is synced (`partition_store::rep::open_database`).
///
/// A log that is shorter than `synced` says is damaged, and so is one that is missing.
///
/// Costs one read of the logs that are left (at most `max_total_wal_size`, 64 MiB), 32 KiB at a time: about 1
/// GB/s.
[[nodiscard]] store_status mend_logs(rocksdb::Env& env, const std::string& folder,
                                     const std::function<void(const std::string&)>& warn,
                                     const std::map<std::string, std::uint64_t>& synced = {});

/// The same for a store whose commits are not synced one by one, since it follows a log that has them: of all that came after
/// its last sync power that is lost may leave any page, in several logs. So the first log that is not whole is cut off where
/// that begins, and newer ones are removed, or the first that does not go on where the one before it ends: what is left is
/// the store as it was at one moment, and follows on from there.
///
/// A table is ahead of that only if what is missing had been synced, since RocksDB syncs the logs of what it writes to tables
/// before. Then it was damaged since, and the store is no moment of anything, `corrupt`; and a log that is missing is one that tables had
/// made superfluous. `last_in_tables`: RocksDB's number of
/// the last entry in any table of the database, which it is asked for where something is to be cut off. The first append to
/// each log is synced (store_files.hpp), so that there is a number to compare it with; the newest log needs none, since
/// RocksDB begins another one before it writes what it has to tables.
[[nodiscard]] store_status
cut_unsynced_logs(rocksdb::Env& env, const std::string& folder,
                  const std::function<void(const std::string&)>& warn,
                  const std::function<std::variant<std::uint64_t, store_status>()>& last_in_tables,
                  const std::map<std::string, std::uint64_t>& synced = {});

/// How many bytes of each log of the folder are whole commits, by its name.
[[nodiscard]] std::map<std::string, std::uint64_t> whole_log_bytes(rocksdb::Env& env,
                                                                   const std::string& folder);

/// The same for the manifest that CURRENT names, if there is one: which tables and logs there are, in edits that are synced
/// one by one. RocksDB by itself drops the end behind a damaged length in silence, and with it tables whose logs are gone;
/// and refuses an edit of which power that was lost left a part.
///
/// What an unsynced edit was about is as before it: RocksDB removes tables and logs only after the sync.
[[nodiscard]] store_status mend_manifest(rocksdb::Env& env, const std::string& folder,
                                         const std::function<void(const std::string&)>& warn,
                                         const std::map<std::string, std::uint64_t>& synced = {});

/// CRC-32C (Castagnoli), as RocksDB's logs carry it (masked there).
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes) noexcept;

} // namespace vicket
