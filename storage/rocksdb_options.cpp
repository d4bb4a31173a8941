#include "storage/rocksdb_options.hpp"

#include "storage/history_sweep.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>

#include <algorithm>
#include <cstdarg>

namespace vicket {

namespace {

constexpr std::size_t min_write_buffer_bytes = 64 * 1024; // RocksDB raises anything less to this
constexpr std::uint64_t max_wal_bytes = 64u << 20;        // what a restart replays at most
constexpr int background_threads = 2;
constexpr int cache_shard_bits = 4; // a few threads read; a block has to fit into a shard
constexpr std::uint64_t periodic_rewrite_seconds = 2 * 24 * 3600; // of files with random keys, see below

// A queue's tombstones: when 2,048 of 4,096 neighbours in a new file of `due` are deletions, compact it at
// once.
constexpr std::size_t tombstone_window = 4'096;
constexpr std::size_t tombstone_trigger = 2'048;

/// This family's share of all memtables. Events and attempts take nearly all bytes; a small one for `due`
/// bounds the tombstones that a read has to step over.
std::size_t write_buffer_bytes(family which, std::size_t total) {
  switch (which) {
  case family::events:
  case family::attempts:
    return std::max(total / 3, min_write_buffer_bytes);
  case family::due:
  case family::ids:
  case family::event_attempts:
  case family::runs:
    return std::max(total / 6, min_write_buffer_bytes);
  case family::meta:
  case family::carried:
  case family::late:
    break;
  }
  return std::max(total / 12, min_write_buffer_bytes);
}

/// RocksDB's own log, the file LOG, is not written: on a disk that is full to the last byte an append to it fails, and
/// the next line aborts the process (an assertion of 7.8 as Debian builds it; the system test for such a disk met it
/// in one of about 30 runs). What goes wrong comes back as a status.
class no_log final : public rocksdb::Logger {
public:
  no_log() : Logger{rocksdb::InfoLogLevel::HEADER_LEVEL} {}
  using Logger::Logv;
  void Logv(const char*, va_list) override {}
};

rocksdb::CompressionType record_compression() {
  const auto supported = rocksdb::GetSupportedCompressions();
  const auto found = std::find(supported.begin(), supported.end(), rocksdb::kLZ4Compression);
  return found != supported.end() ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
}

rocksdb::BlockBasedTableOptions table_options(family which, const std::shared_ptr<rocksdb::Cache>& cache) {
  auto result = rocksdb::BlockBasedTableOptions{};
  result.block_cache = cache;
  // Indexes and filters count against the cache too: memory has one bound, not one per open file.
  result.cache_index_and_filter_blocks = true;
  result.cache_index_and_filter_blocks_with_high_priority = true;
  result.pin_l0_filter_and_index_blocks_in_cache = true;
  result.checksum = rocksdb::kCRC32c;
  result.format_version = 5; // both 7.8 and 9.10 read and write it
  result.block_size = which == family::events || which == family::attempts ? 16 * 1024 : 8 * 1024;
  if (which == family::ids) { // the duplicate check asks for ids that are mostly not there
    result.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    // A filter in one piece is 1.5 MB for a file of 32 MiB. What is larger than a shard of the cache, or does not find
    // room, is read as a whole for each lookup: at 800,000 ids a node stood still (docs/decisions/0004-speed.md).
    result.partition_filters = true;
    result.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
    result.metadata_block_size = 4 * 1024;
  }
  return result;
}

rocksdb::ColumnFamilyOptions options_of(family which, const store_options& options,
                                        const std::shared_ptr<rocksdb::Cache>& cache,
                                        const history_marks& marks) {
  auto result = rocksdb::ColumnFamilyOptions{};
  result.write_buffer_size = write_buffer_bytes(which, options.write_buffer_bytes);
  result.max_write_buffer_number = 2;
  result.target_file_size_base = 32u << 20;
  result.compression = rocksdb::kNoCompression;
  result.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options(which, cache)));
  switch (which) {
  case family::attempts:
    result.table_properties_collector_factories.push_back(make_history_collector(marks));
    result.compression = record_compression();
    break;
  case family::events:
    result.compression = record_compression();
    break;
  case family::ids:
  case family::runs:
    // Keys in no order: no file ever lies below `oldest_kept` as a whole, so each is rewritten now and then.
    result.periodic_compaction_seconds = periodic_rewrite_seconds;
    result.memtable_whole_key_filtering = which == family::ids;
    result.memtable_prefix_bloom_size_ratio = which == family::ids ? 0.02 : 0.0;
    break;
  case family::carried:
    result.compression = record_compression();
    break;
  case family::due:
  case family::late:
    result.table_properties_collector_factories.push_back(
        rocksdb::NewCompactOnDeletionCollectorFactory(tombstone_window, tombstone_trigger));
    break;
  case family::meta:
  case family::event_attempts:
    break;
  }
  return result;
}

} // namespace

rocksdb::DBOptions database_options(const store_options& options, rocksdb::Env& env) {
  auto result = rocksdb::DBOptions{};
  result.env = &env;
  result.create_if_missing = true;
  result.create_missing_column_families = true;
  result.paranoid_checks = true;

  // Rules 1 and 5. What 7.8 has known bugs with stays off, said here although it is the default: recycled
  // logs, compressed logs, logs tracked in the manifest, logs flushed by hand.
  result.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  result.recycle_log_file_num = 0;
  result.wal_compression = rocksdb::kNoCompression;
  result.track_and_verify_wals_in_manifest = false;
  result.manual_wal_flush = false;
  result.max_total_wal_size = max_wal_bytes;

  // Rule 4. After a failed write or sync nothing is tried again behind our back; see background_watch.
  result.max_bgerror_resume_count = 0;

  // A log is preallocated by its family's write buffer (16 MiB at a time), which on a small disk is all there
  // is. Measured both ways in turn, the difference was below the noise (docs/decisions/0002-storage.md).
  result.allow_fallocate = false;

  result.info_log = std::make_shared<no_log>();

  // Bounds.
  result.db_write_buffer_size = options.write_buffer_bytes;
  result.max_background_jobs = background_threads;
  result.max_open_files = static_cast<int>(options.open_tables);
  result.max_file_opening_threads =
      1; // opening opens 16 tables of a family at most, not worth 15 threads for each
         // family; and the simulation has only one
  result.bytes_per_sync =
      1u << 20; // flushed tables trickle out, so that a commit's sync needn't wait behind 16 MiB
  result.stats_dump_period_sec = 0;
  result.stats_persist_period_sec = 0;
  return result;
}

std::vector<rocksdb::ColumnFamilyDescriptor>
family_options(const store_options& options, const std::vector<std::unique_ptr<retention_filter>>& filters,
               const history_marks& marks) {
  const auto cache = rocksdb::NewLRUCache(options.block_cache_bytes, cache_shard_bits);
  auto result = std::vector<rocksdb::ColumnFamilyDescriptor>{};
  for (auto i = std::size_t{0}; i < family_count; ++i) {
    auto family_settings = options_of(static_cast<family>(i), options, cache, marks);
    family_settings.compaction_filter = filters[i].get();
    result.emplace_back(family_names[i], std::move(family_settings));
  }
  return result;
}

} // namespace vicket
