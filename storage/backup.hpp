#pragma once

#include "policy/backup_manifest.hpp"
#include "storage/partition_store.hpp"
#include "storage/store_status.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace vicket {

/// A backup is a folder with a copy of each partition's store, and a manifest that is written last:
///
///     DIR/BACKUP.json         policy/backup_manifest.hpp, synced after all that it names
///     DIR/partition-0/ …      the files of each store, as of one moment
///     DIR/settings/
///
/// Secrets are in it as in the data folder, sealed; the key is not.

/// A store of a running node, or of none.
struct backed_up_store {
  std::string name; ///< of its folder
  std::shared_ptr<const partition_store> store;
};

struct backup_work {
  std::filesystem::path to; ///< is made; what is above it is there. Or is there, empty
  /// In the data folder, so that stores are copied there by hard links, at once, while their writers wait, and from there to
  /// wherever without these. Is made, and removed when it is over; what is in it goes.
  std::filesystem::path scratch;
  std::vector<backed_up_store> stores;
  /// What is not about the stores, for the manifest.
  backup_manifest about;
  /// Asked now and then. False: it ends, with `failed`.
  std::function<bool()> go_on = [] { return true; };
};

/// Makes a backup; what is cut off has no manifest. Waits for the disk.
[[nodiscard]] std::variant<backup_manifest, store_status> write_backup(const backup_work& work);

/// Looks at a backup, whose files are there with the lengths that they had, or says why it is none.
[[nodiscard]] std::variant<backup_manifest, store_status> read_backup(const std::filesystem::path& from);

/// Copies one store of a backup to a folder that is not there yet, byte by byte, and compares its files with their checksums, and
/// what it is as a store with what the manifest says. Not ok: what is there is nothing.
[[nodiscard]] store_status restore_store(const std::filesystem::path& from,
                                         const backup_manifest::store& which,
                                         const std::filesystem::path& to);

/// Makes a data folder of a single node's backup, in a folder that is not there yet, or has nothing in it but maybe a key. What
/// is cut off is taken for a data folder by nobody.
[[nodiscard]] std::variant<backup_manifest, store_status> restore_folder(const std::filesystem::path& from,
                                                                         const std::filesystem::path& to);

} // namespace vicket
