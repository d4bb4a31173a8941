#pragma once

#include "storage/environment.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace vicket {

/// Keeps a partition in memory, for tests that only need a store. Nothing survives it; several partitions may
/// share one (different folders).
[[nodiscard]] std::unique_ptr<store_environment> make_memory_environment();

/// A file system that does what file systems do on a bad day, on command. After LevelDB's
/// db/fault_injection_test.cc.
///
/// Commands may come from any thread. A store opened on it has to be closed before `restart()` and before
/// this goes.
class faulty_environment final : public store_environment {
public:
  enum class below : std::uint8_t { memory, disk };

  explicit faulty_environment(below base = below::memory);
  ~faulty_environment() override;

  rocksdb::Env& env() override;

  /// What was set last, and at most what `fill_disk_after` left. Nothing was set: unknown.
  std::optional<volume> volume_of(const std::filesystem::path& folder) const override;
  void set_volume(volume value);

  /// What a failing operation says: EIO, ENOSPC or EDQUOT, each as RocksDB's own layer reports it.
  enum class fault : std::uint8_t { broken, no_space, quota };

  /// From the n-th sync of a write-ahead log on (1: the next one), each of them fails.
  void fail_log_syncs_from(std::uint64_t nth, fault as = fault::broken);
  /// Every sync of any file fails.
  void fail_all_syncs(fault as = fault::broken);
  /// How many syncs of write-ahead logs were asked for.
  [[nodiscard]] std::uint64_t log_syncs() const;

  /// After so many more bytes, appends to any file write what fits and fail.
  void fill_disk_after(std::uint64_t bytes, fault as = fault::no_space);
  /// The same, of which `volume_of` does not know: someone else is quicker.
  void fill_disk_unseen_after(std::uint64_t bytes, fault as = fault::no_space);
  /// Which tables: flushes and compactions write them in threads of their own, and an opening does, too.
  enum class tables : std::uint8_t { all, compacted };
  /// Appends to tables fail; logs go on.
  void refuse_tables(fault as, tables which = tables::all);
  [[nodiscard]] std::uint64_t tables_refused() const; ///< how many such appends
  /// Waits for one, up to so long.
  [[nodiscard]] bool await_refused_table(std::int64_t patience_ms);
  /// Waits until a compaction has written something, up to 10 s.
  [[nodiscard]] bool await_compaction();
  /// There is room again, also for tables.
  void free_disk();

  /// The machine dies: from now on every write, sync, create, rename and delete fails and changes nothing.
  void crash();
  /// What a crash leaves of bytes that were written and not synced: a prefix; or any of their 4 KiB pages, in the place
  /// of the others zeros.
  enum class unsynced : std::uint8_t { prefix, pages };
  /// After `crash()` and once the store is closed: drops files whose folder was never synced since they were
  /// created, and of each file's unsynced bytes what `left` says, how much of it follows from `seed`; ends every fault.
  void restart(std::uint64_t seed, unsynced left = unsynced::prefix);

  /// Reading and damaging what the store has written, below it.
  [[nodiscard]] std::string read_file(const std::filesystem::path& path);
  void write_file(const std::filesystem::path& path, const std::string& bytes);

private:
  struct rep;
  std::unique_ptr<rep> rep_;
};

} // namespace vicket
