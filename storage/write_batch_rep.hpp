#pragma once

// Only for the files of this folder that talk to RocksDB.

#include "storage/column_families.hpp"
#include "storage/partition_store.hpp"

#include <rocksdb/write_batch.h>

#include <string_view>

namespace vicket {

struct write_batch::rep {
  rocksdb::WriteBatch writes;
  bool complete = true; ///< false: something was too large for RocksDB (4 GiB) to be added; never commit that

  void put(family which, std::string_view key, std::string_view value);
  /// Head and tail as one value without joining them first: envelopes and bodies are copied once.
  void put(family which, std::string_view key, std::string_view head, std::string_view tail);
  void remove(family which, std::string_view key);
};

} // namespace vicket
