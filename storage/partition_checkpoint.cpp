// A whole partition as it is at one moment, in a folder of its own.

#include "storage/checkpoint_files.hpp"
#include "storage/partition_store_rep.hpp"

#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <limits>
#include <mutex>
#include <vector>

namespace vicket {

namespace {

store_status no_room(const std::string& folder) {
  return {store_errc::full, "no space left for " + folder + " yet"};
}

} // namespace

store_status partition_store::flush() const {
  const auto& own = *rep_;
  const auto lock = own.reading();
  if (!own.db)
    return no_room(own.folder);
  const auto all = std::vector<rocksdb::ColumnFamilyHandle*>(own.columns.begin(), own.columns.end());
  const auto status = own.db->Flush(rocksdb::FlushOptions{}, all);
  if (status.ok())
    return {};
  return {status.IsNoSpace() ? store_errc::full : store_errc::failed,
          "partition " + own.folder +
              " can't write what it has in memory to its tables: " + status.ToString()};
}

store_status partition_store::checkpoint(const std::filesystem::path& to, moment* as_of) const {
  auto& own = *rep_;
  const auto lock = own.reading();
  const auto turn = std::lock_guard{own.write_mutex};
  if (!own.failure.ok())
    return own.failure;
  if (!own.db || own.refused_full)
    return no_room(own.folder);
  auto status = own.db->DisableFileDeletions();
  // With its logs, and not with tables made of them: the writer would wait for those.
  auto how = rocksdb::LiveFilesStorageInfoOptions{};
  how.wal_size_for_flush = std::numeric_limits<std::uint64_t>::max();
  auto files = std::vector<rocksdb::LiveFileStorageInfo>{};
  if (status.ok())
    status = own.db->GetLiveFilesStorageInfo(how, &files);
  auto result = status.ok() ? copy_live_files(*own.env, files, to.string())
                            : store_status{store_errc::failed, status.ToString()};
  if (as_of != nullptr) {
    const auto stored = own.get(family::meta, codec::position_key);
    *as_of = {own.last, stored ? stored->ToString() : std::string{}};
  }
  own.db->EnableFileDeletions().PermitUncheckedError(); // else they go at the next opening
  if (!result.ok())
    result.detail = "partition " + own.folder + " " + result.detail;
  return result;
}

} // namespace vicket
