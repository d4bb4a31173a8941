#pragma once

#include "storage/environment.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vicket {

/// What a file is to RocksDB, told by its name.
enum class file_kind : std::uint8_t {
  log,      ///< `*.log`: the write-ahead logs, where commits go
  table,    ///< `*.sst`
  manifest, ///< `MANIFEST-*`: which tables and logs there are
  current,  ///< `CURRENT`, and the `*.dbtmp` that becomes it or becomes the options
  other,    ///< `IDENTITY`, `LOCK`, `OPTIONS-*`, and whatever RocksDB did not make
};

/// What is asked of the disk. An operation on a folder has the kind of file that it is for: a folder's sync
/// has `other`, a rename has its target's.
enum class disk_operation : std::uint8_t {
  create, ///< open for writing
  append,
  sync,
  rename,
  remove,
  truncate,
  sync_folder,
  open, ///< open for reading
  read,
};

/// On whose behalf RocksDB asks.
enum class disk_user : std::uint8_t {
  foreground, ///< a commit, a read, opening and closing
  flush,
  compaction,
};

enum class disk_error : std::uint8_t {
  no_space, ///< ENOSPC: RocksDB's "no space"
  quota,    ///< EDQUOT: to RocksDB an I/O error like any other, with the text "Disk quota exceeded"
  io,       ///< EIO
};

/// An order to fail: of the operations that fit, `after` succeed, the next `count` fail, and then it is over.
struct disk_fault {
  static constexpr auto always = std::numeric_limits<std::uint64_t>::max();

  disk_operation operation = disk_operation::append;
  disk_error error = disk_error::io;
  std::optional<file_kind> kind = std::nullopt; ///< absent: any
  std::optional<disk_user> user = std::nullopt; ///< absent: any
  std::uint64_t after = 0;
  std::uint64_t count = 1;
};

/// What becomes of the bytes and names that no sync made safe.
///
/// Changes of names (created, renamed, removed) are kept up to some point, in the order in which they were made in
/// their folder, by chance: so do file systems with a journal, and RocksDB counts on it. It makes the tables of a
/// recovery, the manifest that names them and the CURRENT that names the manifest safe by one sync of the folder, at
/// the end; a CURRENT that is there without them ends in a store that can't be opened.
enum class power_loss : std::uint8_t {
  chance,    ///< for each file one of the three below
  dropped,   ///< no byte behind what was synced, and no change of a name either
  torn,      ///< a prefix that may end at any byte
  reordered, ///< each block of 4 KiB is there or not, on its own; those missing before others read as zeros
  none,      ///< everything stays: only the process died
};

/// A disk that a whole node is simulated on: all in memory, and everything that it does follows from its seed and
/// from the calls made. RocksDB's background work runs when its owner says so, and RocksDB's clock is what its owner
/// sets.
///
/// One thread: the one that makes it is the only one that may use it, or a store on it. RocksDB waits for its
/// background work when writes are stopped (a family's second memtable is full while its first is not flushed yet,
/// 36 tables in level 0). A single thread would wait for ever, so for the time that a disk lives, a wait of its
/// thread on a condition variable runs pending jobs instead, one at a time, the oldest first; when there is none,
/// it waits and, after 20 s of real time, ends the process with a sentence. See rocksdb_seams.hpp.
///
/// What RocksDB reads is the one thing that may differ a little between two runs: what a block counts for in its block
/// cache depends on malloc. It does not with `store_options::block_cache_bytes` 0, which faults that count reads need.
///
/// A store opened on it has to be closed before `restart`, `restore` and before this goes. A thread may have
/// several: their stores share its generator of random heights, and a wait runs a job of any of them.
class sim_disk final : public store_environment {
public:
  explicit sim_disk(std::uint64_t seed);
  ~sim_disk() override;

  rocksdb::Env& env() override;

  // -- background work --------------------------------------------------------------------------------------

  struct job {
    disk_user user = disk_user::flush; ///< flush or compaction
    std::uint64_t number = 0;          ///< counts what was ever scheduled
    std::uint64_t scheduled_at_us = 0;
  };

  /// What RocksDB has scheduled and nobody has run, oldest first. Closing a store takes its jobs out again.
  [[nodiscard]] const std::vector<job>& pending_jobs() const;
  /// Runs one, here and now; more may be pending afterwards than before. `index` is into `pending_jobs()`.
  void run_job(std::size_t index);
  /// Runs the oldest one until none is pending. How many there were.
  std::size_t run_all_jobs();
  /// How many jobs a wait has run: 0 while the owner runs them in time.
  [[nodiscard]] std::uint64_t jobs_run_by_waits() const;

  // -- time -------------------------------------------------------------------------------------------------

  /// Microseconds since the epoch. RocksDB's sleeps advance it: 1 s after a job that failed, milliseconds while
  /// writes are slowed down (20 tables in level 0).
  [[nodiscard]] std::uint64_t now_us() const;
  void set_now_us(std::uint64_t value);

  // -- faults -----------------------------------------------------------------------------------------------

  /// Adds an order. Of several that fit an operation each counts it, and the first that is due decides.
  ///
  /// An append that fails has written a prefix of its bytes, of a length by chance, maybe 0. A sync that failed has
  /// made nothing safe, and what it was for is in doubt for ever: a later sync that succeeds makes only later bytes
  /// safe, as on Linux, which forgets the pages that it could not write. Any other operation that fails has changed
  /// nothing.
  void fail(const disk_fault& order);
  /// Takes every order back.
  void clear_faults();

  /// How often the operation was asked for while the machine was up, and how often an order (or a full disk) failed it so.
  [[nodiscard]] std::uint64_t asked(disk_operation operation) const;
  [[nodiscard]] std::uint64_t failed(disk_operation operation, disk_error error) const;

  /// All bytes that files may hold; what does not fit any more is cut off and fails with "no space". By default
  /// endless. Less than there is already: full.
  void set_capacity_bytes(std::uint64_t value);
  /// The bytes of all files, also of removed ones that are still open.
  [[nodiscard]] std::uint64_t used_bytes() const;
  /// The capacity, and what of it is free. Endless: unknown, which counts as empty and large.
  std::optional<volume> volume_of(const std::filesystem::path& folder) const override;

  // -- power ------------------------------------------------------------------------------------------------

  /// The machine dies: from now on every operation that would change something fails and changes nothing.
  void crash();
  /// It dies by itself, instead of the operation after so many more that change something.
  void crash_after(std::uint64_t operations);
  [[nodiscard]] bool crashed() const;

  /// After a crash, or at any time once the store is closed: the disk as it is found when the power is back.
  /// What was not synced is treated as `loss` says, by chances that follow from `seed`; what remains is safe from
  /// then on. Ends every fault; the capacity stays.
  void restart(std::uint64_t seed, power_loss loss = power_loss::chance);

  // -- folders ----------------------------------------------------------------------------------------------

  /// A folder's files by name, without folders below it. Copies share their bytes.
  using folder_copy = std::map<std::string, std::shared_ptr<const std::string>>;

  /// What of the folder is safe now: names that were synced, with the bytes that were.
  [[nodiscard]] folder_copy copy(const std::filesystem::path& folder) const;
  /// Puts the folder back as it was then; what else is in it goes. All of it is safe at once.
  void restore(const std::filesystem::path& folder, const folder_copy& files);

  /// Reading and damaging what the store has written, below it. What is written so is safe at once.
  /// The file must exist to be read.
  [[nodiscard]] std::string read_file(const std::filesystem::path& path) const;
  void write_file(const std::filesystem::path& path, std::string bytes);

  // -- what happened ----------------------------------------------------------------------------------------

  /// Given a line for everything that changes the disk or the queue of jobs, or that failed, and for what a restart
  /// made of each file: what it was, on whose behalf, the file, the bytes and a checksum of them, what came of it.
  /// The same seed and the same calls give the same lines.
  void trace_to(std::function<void(std::string_view)> sink);

private:
  struct rep;
  std::unique_ptr<rep> rep_;
};

} // namespace vicket
