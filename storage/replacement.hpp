#pragma once

// Only for the files of this folder that talk to RocksDB.

#include "storage/store_status.hpp"

#include <rocksdb/env.h>

#include <string>

namespace vicket {

// How a store takes another one's place, so that a crash at any point leaves one of the two: what is to come is put together
// in `FOLDER.new`. Once that is whole, and synced, a file COMPLETE in it says so; from then on the old one goes. When all of that has gone the file is
// called MOVING, the files are moved one by one, and the folder `FOLDER.new` goes last.

[[nodiscard]] std::string replacement_of(const std::string& folder);

/// With all files in it, and no folders. OK as well when there is none.
[[nodiscard]] rocksdb::Status remove_folder(rocksdb::Env& env, const std::string& folder);
/// What is put together is whole; with nothing in it: nothing is to come.
[[nodiscard]] rocksdb::Status mark_complete(rocksdb::Env& env, const std::string& folder);
/// Of a folder whose database is closed: what is complete takes its place, what is not is removed.
[[nodiscard]] rocksdb::Status settle_replacement(rocksdb::Env& env, const std::string& folder);

} // namespace vicket
