#pragma once

#include <cstdint>
#include <functional>

namespace vicket::internal {

/// The places where RocksDB does not go through its environment, taken over on the thread that makes this and for as
/// long as it lives, so that a single thread never waits for work that only it can do, and the same calls give the
/// same bytes. A thread may have several at a time, one for each disk; then a wait has any of them do a piece of work:
///
/// - Waits. RocksDB waits on condition variables of its own (a stopped write, closing, a manual flush), holding no
///   lock but the one that it waits with, so that its background threads get on. `pthread_cond_wait` is replaced in
///   the whole program: on this thread it lets go of the lock, does one piece of background work, and returns, which
///   to its caller is a spurious wake-up. Other threads wait as ever.
/// - The heights of the skip lists in its memtables, out of a generator per thread that is seeded by the thread's
///   address. They decide how much fits into a memtable.
/// - What a memtable's blocks count for: malloc's usable size, which depends on what was freed before.
/// - A database's session id, which goes into every table and into the keys of the block cache.
///
/// The last two are reached by RocksDB's own test points (its SyncPoint), which builds with NDEBUG lack, Debian's has
/// them. Without them, tables of two runs differ in some bytes, and a memtable may be flushed a little earlier.
/// Test points are for the whole process: nothing else in it may clear or disable them.
class rocksdb_seams {
public:
  /// `work`: does one piece of background work; false: there is none. `random`: any 64 bits.
  rocksdb_seams(std::function<bool()> work, std::function<std::uint64_t()> random);
  rocksdb_seams(const rocksdb_seams&) = delete;
  rocksdb_seams& operator=(const rocksdb_seams&) = delete;
  ~rocksdb_seams();

  /// Starts the thread's generator over.
  static void seed_thread(std::uint32_t seed);

private:
  friend struct seam_access;
  rocksdb_seams* next_; ///< of this thread, made before; null: this is the first
  std::function<bool()> work_;
  std::function<std::uint64_t()> random_;
};

} // namespace vicket::internal
