#pragma once

// Only for the files of this folder that talk to RocksDB.

#include "storage/column_families.hpp"
#include "storage/partition_store.hpp"
#include "storage/retention_filter.hpp"

#include <rocksdb/listener.h>
#include <rocksdb/options.h>

#include <memory>
#include <vector>

namespace vicket {

/// Keeps RocksDB from recovering by itself, in a thread of its own, from an error that stopped the writes:
/// whether the database takes writes again is decided by `partition_store::resume()` alone, on the writer's
/// thread, so that nothing can become writable between a refused commit and its repetition. A compaction that
/// a full disk stopped stays stopped until then, too: the writes go on until the tables pile up.
class no_own_recovery final : public rocksdb::EventListener {
public:
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status, bool* auto_recovery) override {
    *auto_recovery = false;
  }
};

[[nodiscard]] rocksdb::DBOptions database_options(const store_options& options, rocksdb::Env& env);

/// One for each of `family_names`; `filters` (one per family, or none) are not owned.
[[nodiscard]] std::vector<rocksdb::ColumnFamilyDescriptor>
family_options(const store_options& options, const std::vector<std::unique_ptr<retention_filter>>& filters);

} // namespace vicket
