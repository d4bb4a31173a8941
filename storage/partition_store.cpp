#include "storage/partition_store.hpp"

#include "storage/log_scan.hpp"
#include "storage/partition_store_rep.hpp"
#include "storage/write_batch_rep.hpp"

#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/perf_level.h>

#include <algorithm>
#include <cassert>
#include <limits>
#include <system_error>
#include <utility>

namespace vicket {

namespace {

// Under this much free space new events are refused: room for the attempts of pending ones, and for the files
// that flushes and compactions write before they delete others.
constexpr std::uint64_t reserve_divisor = 20; // 5 % of the volume
constexpr std::uint64_t min_reserve_bytes = 16u << 20;
constexpr std::uint64_t max_reserve_bytes = 1u << 30;
constexpr std::uint64_t max_reserve_divisor = 4; // on a very small volume

// What reopening a database needs besides its logs, flushed: a new manifest and log, the tables' own
// overhead.
constexpr std::uint64_t reopen_bytes = 1u << 20;

/// RocksDB counts every comparison of keys in a variable of the thread, which took 5 % of all instructions of a
/// delivery (docs/decisions/0004-speed.md). Nobody looks at them.
void count_nothing() {
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);
}

std::uint64_t reserve_of(std::uint64_t total_bytes) {
  const auto wanted = std::clamp(total_bytes / reserve_divisor, min_reserve_bytes, max_reserve_bytes);
  return std::min(wanted, total_bytes / max_reserve_divisor);
}

} // namespace

bounded_iterator::bounded_iterator(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* column, std::string lower,
                                   std::string upper, bool scan)
    : lower_(std::move(lower)), upper_(std::move(upper)), lower_slice_(lower_), upper_slice_(upper_) {
  auto options = rocksdb::ReadOptions{};
  options.iterate_lower_bound = &lower_slice_;
  options.iterate_upper_bound = &upper_slice_;
  options.fill_cache = !scan;
  it_.reset(db.NewIterator(options, column));
  it_->Seek(lower_slice_);
}

partition_store::rep::~rep() {
  close_database();
}

void partition_store::rep::close_database() {
  if (!db)
    return;
  for (auto*& handle : columns)
    if (auto* const column = std::exchange(handle, nullptr))
      db->DestroyColumnFamilyHandle(column).PermitUncheckedError();
  // Everything that was acknowledged is in the synced log: closing has nothing to save, so its status says
  // nothing.
  db->Close().PermitUncheckedError();
  db.reset();
}

partition_store::partition_store(std::unique_ptr<rep> value) : rep_(std::move(value)) {}

partition_store::~partition_store() = default;

std::variant<std::unique_ptr<partition_store>, store_status> partition_store::open(store_options options) {
  auto state = std::make_unique<rep>();
  state->options = std::move(options);
  if (auto status = state->open(); !status.ok())
    return status;
  return std::unique_ptr<partition_store>{new partition_store(std::move(state))};
}

// -- writing ------------------------------------------------------------------------------------------------

log_sequence partition_store::allocate_sequence() {
  return rep_->next_sequence.fetch_add(1, std::memory_order_relaxed);
}

log_sequence partition_store::next_sequence() const {
  return rep_->next_sequence.load(std::memory_order_relaxed);
}

store_status partition_store::commit(write_batch& batch, log_sequence settled_below) {
  return rep_->commit(batch, settled_below);
}

store_status partition_store::rep::commit(write_batch& batch, log_sequence settled) {
  if (!failure.ok())
    return failure;
  if (!batch.rep_->complete)
    return failure = {store_errc::failed, "a commit to " + folder + " is larger than 4 GiB"};
  auto record = codec::commit_record{};
  record.epoch = options.epoch;
  record.number = last.number + 1;
  record.next_sequence = next_sequence.load(std::memory_order_relaxed);
  assert(settled <= record.next_sequence);
  record.settled_below = std::min(std::max(settled, last.settled_below), record.next_sequence);

  auto& writes = batch.rep_->writes;
  writes.SetSavePoint();
  batch.rep_->put_attempt_places();
  batch.rep_->put(family::meta, codec::commit_key, codec::encode(record));
  count_nothing();
  auto sync = rocksdb::WriteOptions{};
  sync.sync = true;
  auto status = write_status(db->Write(sync, &writes));
  writes.RollbackToSavePoint().PermitUncheckedError();
  if (!status.ok())
    return status;
  last = record;
  settled_below.store(record.settled_below, std::memory_order_release);
  return {};
}

store_status partition_store::rep::write_status(const rocksdb::Status& status) {
  if (status.ok())
    return {};
  if (status.IsNoSpace())
    return {store_errc::full, "no space left for " + folder + " (" + status.ToString() + ")"};
  // Whatever it was, the log's end is unknown now: a sync that failed may have dropped the pages that it was
  // for, and a second one would claim success (rule 4).
  return failure = {store_errc::failed, "can't write to " + folder + " any more: " + status.ToString()};
}

store_status partition_store::resume() {
  return rep_->resume();
}

/// Closes the database and opens it again, which recovers from the logs as a restart does.
///
/// Not by DB::Resume, of which 7.8.3 has two faults that the tests for this met: while nothing is in memory
/// it goes on in the log whose append failed, where the next append trips an assertion and ends the process;
/// and it waits for ever when the error struck while a flush was under way.
store_status partition_store::rep::resume() {
  if (!failure.ok())
    return failure;
  if (free_space().free_bytes < log_bytes() + reopen_bytes) // opening writes what the logs hold into tables
    return {store_errc::full, "no space left for " + folder + " yet"};
  const auto guard = std::unique_lock{database_mutex};
  close_database();
  auto status = mend_logs(*env, folder, {}); // what did not fit is no news
  if (status.ok())
    status = open_database();
  if (status.ok())
    status = check_reopened();
  if (!status.ok()) {
    failure = {store_errc::failed, "after the disk was full: " + status.detail};
    report(failure.code, failure.detail);
  }
  return failure;
}

/// A refused commit that is there after all would be an event that its sender was told to send again, and that is
/// known as a duplicate then; and its number would be used twice. An acknowledged one that is gone is worse.
store_status partition_store::rep::check_reopened() {
  const auto stored = get(family::meta, codec::commit_key);
  if (stored && to_view(*stored) == codec::encode(last))
    return {};
  return {store_errc::failed, "partition " + folder + " has another last commit on disk than " +
                                  std::to_string(last.number) + ", the last that was acknowledged"};
}

std::uint64_t partition_store::rep::log_bytes() const {
  auto files = std::vector<rocksdb::Env::FileAttributes>{};
  env->GetChildrenFileAttributes(folder, &files).PermitUncheckedError(); // unknown: then opening tells
  auto bytes = std::uint64_t{0};
  for (const auto& file : files)
    if (file.name.ends_with(".log"))
      bytes += file.size_bytes;
  return bytes;
}

partition_store::space partition_store::free_space() const {
  return rep_->free_space();
}

partition_store::space partition_store::rep::free_space() const {
  auto volume = std::optional<store_environment::volume>{};
  if (options.environment != nullptr) {
    volume = options.environment->volume_of(options.folder);
  } else {
    auto error = std::error_code{};
    if (const auto found = std::filesystem::space(options.folder, error); !error)
      volume = store_environment::volume{found.available, found.capacity};
  }
  if (!volume) // a commit will say when it is full
    return {std::numeric_limits<std::uint64_t>::max(), max_reserve_bytes};
  return {volume->free_bytes, reserve_of(volume->total_bytes)};
}

log_sequence partition_store::settled_below() const {
  return rep_->settled_below.load(std::memory_order_acquire);
}
std::uint64_t partition_store::epoch() const noexcept {
  return rep_->options.epoch;
}

} // namespace vicket
