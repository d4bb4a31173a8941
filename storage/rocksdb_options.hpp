#pragma once

// Only for the files of this folder that talk to RocksDB.

#include "storage/column_families.hpp"
#include "storage/partition_store.hpp"
#include "storage/retention_filter.hpp"

#include <rocksdb/listener.h>
#include <rocksdb/options.h>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace vicket {

/// Hears of what goes wrong in RocksDB's own threads, where no caller gets a status: flushes, compactions, the manifest.
///
/// And keeps RocksDB from recovering by itself, in a thread of its own, from an error that stopped the writes: whether the
/// database takes writes again is decided by `partition_store::resume()` alone, on the writer's thread, so that nothing
/// can become writable between a refused commit and its repetition.
class background_watch final : public rocksdb::EventListener {
public:
  /// `failed` is called on RocksDB's threads, without any of its locks.
  explicit background_watch(std::function<void(const rocksdb::Status&)> failed)
      : failed_(std::move(failed)) {}

  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* status) override {
    if (reason != rocksdb::BackgroundErrorReason::kWriteCallback) // that is a commit, which says so itself
      failed_(*status);
  }
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status, bool* auto_recovery) override {
    *auto_recovery = false;
  }

private:
  std::function<void(const rocksdb::Status&)> failed_;
};

/// Without a `background_watch`, which opening needs.
[[nodiscard]] rocksdb::DBOptions database_options(const store_options& options, rocksdb::Env& env);

/// One for each of `family_names`; `filters` (one per family, or none) are not owned.
[[nodiscard]] std::vector<rocksdb::ColumnFamilyDescriptor>
family_options(const store_options& options, const std::vector<std::unique_ptr<retention_filter>>& filters,
               const history_marks& marks);

} // namespace vicket
