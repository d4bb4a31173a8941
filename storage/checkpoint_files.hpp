#pragma once

// Only for the files of this folder that talk to RocksDB.

#include "storage/store_status.hpp"

#include <rocksdb/db.h>
#include <rocksdb/env.h>

#include <string>
#include <vector>

namespace vicket {

/// Lies in the folder of a copy of a store for as long as that is not whole: an opening refuses it.
inline constexpr auto incomplete_name = "INCOMPLETE";

/// Makes the folder, with a mark in it that it is no whole copy yet, and puts the files of a database there as `files` says
/// (`GetLiveFilesStorageInfo`; none of them goes meanwhile): tables by hard links where the file system has them, the rest by
/// bytes. Takes the mark away when all of it is synced. `to` is not there yet, or is empty; what is above it is there.
[[nodiscard]] store_status copy_live_files(rocksdb::Env& env,
                                           const std::vector<rocksdb::LiveFileStorageInfo>& files,
                                           const std::string& to);

/// Whether a folder with files of these names is a copy that was cut off.
[[nodiscard]] bool is_cut_off_copy(const std::vector<std::string>& names);

} // namespace vicket
