#pragma once

// Only for the files of this folder that talk to RocksDB.

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace vicket {

/// How long files of a partition are at least, by their names: so many bytes of them were synced. A file that was cut since,
/// by a copy that was broken off or a repair of the file system, can be told by it from one that a crash left without its
/// last, unsynced bytes; RocksDB takes both for the same, goes on with what there is, and removes the tables that it does
/// not find mentioned.
///
/// It has the manifest, as of its last sync; and, only after a store was closed in order, its logs, whose length changes
/// with each commit.
///
/// Kept in a file `SYNCED` of the folder: a line `name length` for each, and a last one `crc32c` with the sum of those
/// before it. Without it, or when it is not whole, nothing is known. What is there may be older than the files, never newer:
/// it is replaced after they were synced, and removed, durably, before a database is opened.
using synced_lengths = std::map<std::string, std::uint64_t>;

/// Absent: nothing is known. That is so as well where the manifest that CURRENT names is not in it: somebody else has had
/// the database open since, an older version say, and RocksDB begins a new manifest each time.
[[nodiscard]] std::optional<synced_lengths> read_synced_lengths(rocksdb::Env& env, const std::string& folder);

/// Replaces it. Where that fails it is removed, so that it is never wrong; not OK: that failed as well.
[[nodiscard]] rocksdb::IOStatus write_synced_lengths(rocksdb::FileSystem& files, const std::string& folder,
                                                     const synced_lengths& lengths);

/// Durably. OK as well when there is none.
[[nodiscard]] rocksdb::IOStatus remove_synced_lengths(rocksdb::FileSystem& files, const std::string& folder);

} // namespace vicket
