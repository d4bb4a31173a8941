#pragma once

// Only for the files of this folder that talk to RocksDB.

#include "storage/history_marks.hpp"

#include <rocksdb/table_properties.h>

#include <memory>

namespace vicket {

/// Has each file of attempts note which accounts have much of it: see history_sweep.cpp. `marks` outlive the database.
[[nodiscard]] std::shared_ptr<rocksdb::TablePropertiesCollectorFactory>
make_history_collector(const history_marks& marks);

} // namespace vicket
