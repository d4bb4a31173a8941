#pragma once

// Only for the files of this folder that talk to RocksDB.

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <memory>
#include <string>

namespace vicket {

/// The file system that every partition's RocksDB is opened on, in production and in tests: `below` with the meaning of
/// its errors set right (rule 4). What an error means follows from the operation that failed, not from its number alone,
/// and RocksDB looks at the number only.
///
/// - Whatever takes space (an append, a create, a rename) and failed with ENOSPC or EDQUOT is a full disk:
///   `IOStatus::NoSpace`, after which nothing of it counts as written. RocksDB's own layer has a plain error for EDQUOT.
/// - A sync that failed, whatever the number and the file, is a plain `IOError`. Thin volumes, NFS and btrfs report
///   ENOSPC at the sync, of bytes that an append was told are written: they may be on disk or not, and a read may show
///   them or not. Closing a file counts as a sync: NFS reports there what it could not write.
/// - A manifest that has been synced once is synced after each append. RocksDB writes the edits of several flushes and
///   compactions that end together under one sync. Power that is lost within it may leave the later of them whole and the
///   first not, which can't be told from damage then; so never more than the last is in doubt (`mend_manifest`).
/// - A log is synced after its first append, so that where it begins is known whatever a power loss leaves of the rest
///   (`cut_unsynced_logs`).
///
/// Costs a virtual call for each append and sync, a sync for each log, and one more for each edit of the manifest that is
/// written together with others, which is rare.
[[nodiscard]] std::unique_ptr<rocksdb::Env> make_store_files(rocksdb::Env& below);

/// What was made, renamed or removed in the folder is on the disk.
[[nodiscard]] rocksdb::IOStatus sync_folder(rocksdb::FileSystem& files, const std::string& folder);

} // namespace vicket
