#pragma once

// Only for the files of this folder that talk to RocksDB.

#include <rocksdb/table_properties.h>

#include <memory>

namespace vicket {

/// Has each file of attempts note which accounts have much of it: see answer_sweep.cpp.
[[nodiscard]] std::shared_ptr<rocksdb::TablePropertiesCollectorFactory> make_answer_collector();

} // namespace vicket
