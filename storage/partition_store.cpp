#include "storage/partition_store.hpp"

#include "policy/assertion.hpp"
#include "storage/log_scan.hpp"
#include "storage/partition_store_rep.hpp"
#include "storage/synced_lengths.hpp"
#include "storage/write_batch_rep.hpp"

#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/perf_level.h>

#include <algorithm>
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
  const auto in_order = db && failure.ok() && !refused_full;
  // What a follower did not sync one by one.
  const auto synced = in_order && (!options.follows || db->SyncWAL().ok());
  close_database();
  if (synced)
    note_lengths();
}

/// With all that a start will find, so that a file that is cut until then is not taken for what a crash left.
void partition_store::rep::note_lengths() const {
  auto lengths = read_synced_lengths(*env, folder);
  if (!lengths)
    return;
  lengths->merge(whole_log_bytes(*env, folder));
  write_synced_lengths(*env->GetFileSystem(), folder, *lengths).PermitUncheckedError();
}

void partition_store::rep::close_database() {
  if (!db)
    return;
  {
    const auto guard = std::unique_lock{look_up_mutex};
    may_look_up = false;
  }
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

round_header partition_store::last_round() const {
  return rep_->last;
}

store_status partition_store::apply(const sealed_round& round, durability how, std::string_view position) {
  const auto& header = round.header();
  const auto& last = rep_->last;
  if (header.number != last.number + 1 || header.epoch < last.epoch ||
      header.settled_below < last.settled_below || header.next_sequence < last.next_sequence ||
      header.oldest_kept < last.oldest_kept)
    return {store_errc::foreign, "round " + std::to_string(header.number) + " of epoch " +
                                     std::to_string(header.epoch) + " does not follow round " +
                                     std::to_string(last.number) + " of epoch " + std::to_string(last.epoch) +
                                     " in " + rep_->folder};
  auto& batch = *round.batch_.rep_;
  if (position.empty())
    return rep_->write(batch, header, how == durability::synced);
  batch.writes.SetSavePoint(); // the round itself may be read again
  batch.put(family::meta, codec::position_key, position);
  auto status = rep_->write(batch, header, how == durability::synced);
  batch.writes.RollbackToSavePoint().PermitUncheckedError();
  return status;
}

store_status partition_store::keep_position(std::string_view position) {
  auto batch = write_batch{};
  batch.rep_->put(family::meta, codec::position_key, position);
  return rep_->write(*batch.rep_, rep_->last, true);
}

std::string partition_store::position() const {
  const auto lock = rep_->reading();
  const auto stored = rep_->db ? rep_->get(family::meta, codec::position_key) : std::nullopt;
  return stored ? stored->ToString() : std::string{};
}

std::variant<sealed_round, store_status> partition_store::take_over(std::uint64_t epoch,
                                                                    std::uint32_t lineage_tag) {
  VICKET_ASSERT(rep_->options.follows);
  auto& own = *rep_;
  if (!own.db)
    return store_status{store_errc::full,
                        "no space left for " + own.folder + " yet: it is closed until there is"};
  own.options.epoch = epoch;
  own.options.lineage_tag = lineage_tag;
  own.next_sequence = own.last.next_sequence;
  if (auto status = own.load_lineage(); !status.ok())
    return status;
  auto batch = write_batch{};
  if (auto status = own.visit_unattempted([&](const connector_id& connector, due_position at) {
        batch.index_waiting(connector, at);
        return store_status{};
      });
      !status.ok())
    return status;
  return sealed_round{std::move(batch), own.next_round(own.last.next_sequence)};
}

round_header partition_store::rep::next_round(log_sequence settled) const {
  auto header = last;
  header.epoch = options.epoch;
  ++header.number;
  header.next_sequence = next_sequence.load(std::memory_order_relaxed);
  VICKET_ASSERT(settled <= header.next_sequence);
  header.settled_below = std::max(settled, last.settled_below);
  return header;
}

store_status partition_store::rep::commit(write_batch& batch, log_sequence settled) {
  const auto header = next_round(settled);
  auto& writes = batch.rep_->writes;
  writes.SetSavePoint();
  if (needs_lineage(header))
    batch.rep_->put(family::meta, codec::lineage_key, codec::encode(lineage));
  batch.rep_->seal(header);
  auto status = write(*batch.rep_, header, true);
  writes.RollbackToSavePoint().PermitUncheckedError();
  return status;
}

store_status partition_store::rep::write(write_batch::rep& batch, const round_header& header, bool sync) {
  const auto turn = std::lock_guard{write_mutex};
  if (!failure.ok())
    return failure;
  if (!db)
    return {store_errc::full, "no space left for " + folder + " yet: it is closed until there is"};
  if (!batch.complete)
    return failure = {store_errc::failed, "a round for " + folder + " is larger than 4 GiB"};
  count_nothing();
  auto options_of_write = rocksdb::WriteOptions{};
  options_of_write.sync = sync;
  if (auto status = write_status(db->Write(options_of_write, &batch.writes)); !status.ok())
    return status;
  const auto edge_moved = header.oldest_kept > last.oldest_kept;
  lineage_stored = lineage_stored || needs_lineage(header);
  last = header;
  next_sequence.store(std::max(header.next_sequence, next_sequence.load(std::memory_order_relaxed)),
                      std::memory_order_relaxed);
  // In this order: who reads the feed must not be promised what is about to be dropped, nor meet that it is dropped
  // before it is said.
  if (batch.drops) {
    const auto guard = std::lock_guard{drops_mutex};
    drops = *batch.drops;
  }
  for (const auto& [account, mark] : batch.marks)
    marks.set(account, mark);
  if (!batch.settings.empty()) {
    auto next = all_settings->with(batch.settings); // nobody else changes them
    const auto guard = std::lock_guard{settings_mutex};
    all_settings.swap(next);
  }
  committed_end.store(header.next_sequence - 1, std::memory_order_release);
  settled_below.store(header.settled_below, std::memory_order_release);
  if (edge_moved) {
    // Only now: a filter must never drop what a restart would still show.
    oldest_kept.store(header.oldest_kept, std::memory_order_release);
    drop_files_below(header.oldest_kept);
  }
  return {};
}

store_status partition_store::rep::write_status(const rocksdb::Status& status) {
  if (status.ok())
    return {};
  // Incomplete: RocksDB let the write wait for a compaction, and gave up before it appended anything (DBImpl::DelayWrite)
  // since that had failed; how, the text alone says. Its listeners were told before.
  if (status.IsNoSpace() || (status.IsIncomplete() && needs_room.load())) {
    refused_full = true;
    return {store_errc::full, "no space left for " + folder + " (" + status.ToString() + ")"};
  }
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
  VICKET_ASSERT(open_scans == 0);
  if (!failure.ok())
    return failure;
  auto bytes = log_bytes() + reopen_bytes; // opening writes what the logs hold into tables
  if (!refused_full) // commits go on, so there is time to wait for what a compaction needs
    bytes += reserve_of(volume().total_bytes);
  const auto room = options.budget->reserve(bytes, [this] { return volume().free_bytes; });
  if (!room)
    return {store_errc::full, "no space left for " + folder + " yet"};
  const auto guard = std::unique_lock{database_mutex};
  close_database();
  needs_room = false; // of the database that is closed; the next one may need it again at once
  auto status = mend_logs(*env, folder, {}); // what did not fit is no news, and no power was lost
  if (status.ok())
    status = open_database();
  if (status.ok())
    status = check_reopened();
  refused_full = closed = status.code == store_errc::full;
  if (refused_full) {
    needs_room = true;
    return {store_errc::full, "no space left for " + folder + " yet: " + status.detail};
  }
  if (!status.ok()) {
    failure = {store_errc::failed, "after the disk was full: " + status.detail};
    report(failure.code, failure.detail);
  }
  return failure;
}

void partition_store::rep::failed_in_background(const rocksdb::Status& status) {
  if (status.IsShutdownInProgress() || status.IsColumnFamilyDropped())
    return;
  if (status.IsNoSpace())
    needs_room = true;
  else
    report(status.IsCorruption() ? store_errc::corrupt : store_errc::failed,
           "its background work failed: " + status.ToString());
  tell_trouble();
}

void partition_store::rep::tell_trouble() {
  auto guard = std::unique_lock{trouble_mutex};
  const auto told = trouble;
  guard.unlock();
  if (told)
    told();
}

bool partition_store::wants_resume() const {
  return rep_->needs_room.load();
}

bool partition_store::is_open() const {
  return !rep_->closed.load();
}

std::uint64_t partition_store::reads_refused() const {
  return rep_->reads_refused.load(std::memory_order_relaxed);
}

void partition_store::on_trouble(std::function<void()> told) {
  {
    const auto guard = std::lock_guard{rep_->trouble_mutex};
    std::swap(rep_->trouble, told);
  }
  if (wants_resume() || !health().ok())
    rep_->tell_trouble();
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
  const auto found = volume();
  const auto reserved = std::min(options.budget->reserved_bytes(), found.free_bytes);
  return {found.free_bytes - reserved, reserve_of(found.total_bytes)};
}

store_environment::volume partition_store::rep::volume() const {
  // Unknown counts as empty and large: a commit will say when it is full.
  constexpr auto endless = std::numeric_limits<std::uint64_t>::max();
  if (options.environment != nullptr)
    return options.environment->volume_of(options.folder)
        .value_or(store_environment::volume{endless, endless});
  auto error = std::error_code{};
  const auto found = std::filesystem::space(options.folder, error);
  return error ? store_environment::volume{endless, endless}
               : store_environment::volume{found.available, found.capacity};
}

log_sequence partition_store::settled_below() const {
  return rep_->settled_below.load(std::memory_order_acquire);
}
log_sequence partition_store::committed_end() const {
  return rep_->committed_end.load(std::memory_order_acquire);
}
std::shared_ptr<const settings_snapshot> partition_store::settings() const {
  const auto guard = std::lock_guard{rep_->settings_mutex};
  return rep_->all_settings;
}
const feed_lineage& partition_store::lineage() const noexcept {
  return rep_->lineage;
}
bool partition_store::needs_lineage(const round_header& header) const {
  return rep_->needs_lineage(header);
}
std::uint64_t partition_store::epoch() const noexcept {
  return rep_->options.epoch;
}

} // namespace vicket
