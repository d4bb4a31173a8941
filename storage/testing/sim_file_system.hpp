#pragma once

// Only for the files of this folder that talk to RocksDB.

#include "storage/testing/sim_state.hpp"

#include <rocksdb/file_system.h>

#include <memory>

namespace vicket::internal {

/// The disk as RocksDB sees it. `state` outlives it.
[[nodiscard]] std::shared_ptr<rocksdb::FileSystem> make_sim_file_system(sim_state& state);

} // namespace vicket::internal
