#include "storage/store_files.hpp"

#include "storage/synced_lengths.hpp"

#include <rocksdb/file_system.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace vicket {

namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

/// RocksDB's layer (env/io_posix.cc, 7.8 to 9.10) ends its text with the system's for the error number, and keeps the
/// number itself for ENOSPC alone. The text is made here as it is there, so that both are of the same locale.
bool names_quota(const IOStatus& status) {
  return status.IsIOError() && status.ToString().ends_with(std::generic_category().message(EDQUOT));
}

/// Of an operation that takes space.
IOStatus of_write(IOStatus status) {
  if (status.ok() || status.IsNoSpace() || !names_quota(status))
    return status;
  return IOStatus::NoSpace(status.ToString());
}

IOStatus of_sync(IOStatus status) {
  if (status.ok() || status.IsNotSupported())
    return status;
  return IOStatus::IOError("a sync failed", status.ToString());
}

class store_file final : public rocksdb::FSWritableFileOwnerWrapper {
public:
  using FSWritableFileOwnerWrapper::FSWritableFileOwnerWrapper;

  IOStatus Append(const Slice& bytes, const IOOptions& options, IODebugContext* debug) override {
    return of_write(target()->Append(bytes, options, debug));
  }
  IOStatus Append(const Slice& bytes, const IOOptions& options, const rocksdb::DataVerificationInfo& sums,
                  IODebugContext* debug) override {
    return of_write(target()->Append(bytes, options, sums, debug));
  }
  IOStatus PositionedAppend(const Slice& bytes, std::uint64_t at, const IOOptions& options,
                            IODebugContext* debug) override {
    return of_write(target()->PositionedAppend(bytes, at, options, debug));
  }
  IOStatus PositionedAppend(const Slice& bytes, std::uint64_t at, const IOOptions& options,
                            const rocksdb::DataVerificationInfo& sums, IODebugContext* debug) override {
    return of_write(target()->PositionedAppend(bytes, at, options, sums, debug));
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    return of_write(target()->Truncate(size, options, debug));
  }
  IOStatus Allocate(std::uint64_t at, std::uint64_t bytes, const IOOptions& options,
                    IODebugContext* debug) override {
    return of_write(target()->Allocate(at, bytes, options, debug));
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return of_sync(target()->Sync(options, debug));
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return of_sync(target()->Fsync(options, debug));
  }
  IOStatus RangeSync(std::uint64_t at, std::uint64_t bytes, const IOOptions& options,
                     IODebugContext* debug) override {
    return of_sync(target()->RangeSync(at, bytes, options, debug));
  }
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    return of_sync(target()->Close(options, debug));
  }
};

/// Of a write-ahead log.
class log_file final : public rocksdb::FSWritableFileOwnerWrapper {
public:
  explicit log_file(std::unique_ptr<rocksdb::FSWritableFile>&& file)
      : FSWritableFileOwnerWrapper{std::make_unique<store_file>(std::move(file))} {}

  IOStatus Append(const Slice& bytes, const IOOptions& options, IODebugContext* debug) override {
    return appended(target()->Append(bytes, options, debug), options, debug);
  }
  IOStatus Append(const Slice& bytes, const IOOptions& options, const rocksdb::DataVerificationInfo& sums,
                  IODebugContext* debug) override {
    return appended(target()->Append(bytes, options, sums, debug), options, debug);
  }

private:
  IOStatus appended(IOStatus status, const IOOptions& options, IODebugContext* debug) {
    if (!status.ok() || std::exchange(is_begun_, true))
      return status;
    return target()->Sync(options, debug);
  }

  bool is_begun_ = false; ///< its first record is synced
};

/// Of a manifest. It begins with all that is there, written under one sync, and CURRENT names it after that.
/// How long it is by then is written down beside it (synced_lengths.hpp).
class manifest_file final : public rocksdb::FSWritableFileOwnerWrapper {
public:
  manifest_file(std::unique_ptr<rocksdb::FSWritableFile>&& file, std::shared_ptr<rocksdb::FileSystem> files,
                const std::string& path)
      : FSWritableFileOwnerWrapper{std::make_unique<store_file>(std::move(file))}, files_{std::move(files)},
        folder_{path.substr(0, path.rfind('/'))}, name_{path.substr(path.rfind('/') + 1)} {}

  IOStatus Append(const Slice& bytes, const IOOptions& options, IODebugContext* debug) override {
    return appended(bytes, target()->Append(bytes, options, debug), options, debug);
  }
  IOStatus Append(const Slice& bytes, const IOOptions& options, const rocksdb::DataVerificationInfo& sums,
                  IODebugContext* debug) override {
    return appended(bytes, target()->Append(bytes, options, sums, debug), options, debug);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return synced(has_unsynced_ ? target()->Sync(options, debug) : IOStatus::OK());
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return synced(has_unsynced_ ? target()->Fsync(options, debug) : IOStatus::OK());
  }

private:
  IOStatus appended(const Slice& bytes, IOStatus status, const IOOptions& options, IODebugContext* debug) {
    has_unsynced_ = true;
    bytes_ += bytes.size();
    is_known_ = is_known_ && status.ok();
    return status.ok() && is_begun_ ? Sync(options, debug) : status;
  }

  IOStatus synced(IOStatus status) {
    if (!status.ok() || !has_unsynced_)
      return status;
    is_begun_ = true;
    has_unsynced_ = false;
    const auto lengths = is_known_ ? synced_lengths{{name_, bytes_}} : synced_lengths{};
    return of_sync(write_synced_lengths(*files_, folder_, lengths));
  }

  const std::shared_ptr<rocksdb::FileSystem> files_;
  const std::string folder_;
  const std::string name_;
  std::uint64_t bytes_ = 0;
  bool is_known_ = true;     ///< no append has failed, of which a part may be there
  bool is_begun_ = false;    ///< what it begins with is synced
  bool has_unsynced_ = true; ///< also what an append that failed may have written
};

class store_folder final : public rocksdb::FSDirectory {
public:
  explicit store_folder(std::unique_ptr<rocksdb::FSDirectory> folder) : folder_(std::move(folder)) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return of_sync(folder_->Fsync(options, debug));
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions& reason) override {
    return of_sync(folder_->FsyncWithDirOptions(options, debug, reason));
  }
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    return folder_->Close(options, debug);
  }
  std::size_t GetUniqueId(char* id, std::size_t max_bytes) const override {
    return folder_->GetUniqueId(id, max_bytes);
  }

private:
  std::unique_ptr<rocksdb::FSDirectory> folder_;
};

class store_file_system final : public rocksdb::FileSystemWrapper {
public:
  explicit store_file_system(const std::shared_ptr<rocksdb::FileSystem>& below)
      : FileSystemWrapper{below}, below_{below} {}

  const char* Name() const override { return "vicket.store"; }

  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* debug) override {
    return opened(path, target()->NewWritableFile(path, options, result, debug), *result, true);
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* result,
                              IODebugContext* debug) override {
    return opened(path, target()->ReopenWritableFile(path, options, result, debug), *result);
  }
  IOStatus ReuseWritableFile(const std::string& path, const std::string& old_path, const FileOptions& options,
                             std::unique_ptr<rocksdb::FSWritableFile>* result,
                             IODebugContext* debug) override {
    return opened(path, target()->ReuseWritableFile(path, old_path, options, result, debug), *result);
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext* debug) override {
    auto status = target()->NewDirectory(path, options, result, debug);
    if (status.ok())
      *result = std::make_unique<store_folder>(std::move(*result));
    return status;
  }
  IOStatus CreateDir(const std::string& path, const IOOptions& options, IODebugContext* debug) override {
    return of_write(target()->CreateDir(path, options, debug));
  }
  IOStatus CreateDirIfMissing(const std::string& path, const IOOptions& options,
                              IODebugContext* debug) override {
    return of_write(target()->CreateDirIfMissing(path, options, debug));
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* debug) override {
    return of_write(target()->RenameFile(from, to, options, debug));
  }
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions& options,
                    IODebugContext* debug) override {
    return of_write(target()->LinkFile(from, to, options, debug));
  }
  IOStatus Truncate(const std::string& path, std::size_t size, const IOOptions& options,
                    IODebugContext* debug) override {
    return of_write(target()->Truncate(path, size, options, debug));
  }

private:
  IOStatus opened(const std::string& path, IOStatus status, std::unique_ptr<rocksdb::FSWritableFile>& file,
                  bool is_new = false) const {
    const auto name = std::string_view{path}.substr(path.rfind('/') + 1);
    if (status.ok() && is_new && name.starts_with("MANIFEST-"))
      file = std::make_unique<manifest_file>(std::move(file), below_, path);
    else if (status.ok() && is_new && name.ends_with(".log"))
      file = std::make_unique<log_file>(std::move(file));
    else if (status.ok())
      file = std::make_unique<store_file>(std::move(file));
    return of_write(std::move(status));
  }

  std::shared_ptr<rocksdb::FileSystem> below_;
};

/// The environment below with its files replaced: threads and time stay its own, which a simulation relies on.
class store_env final : public rocksdb::EnvWrapper {
public:
  explicit store_env(rocksdb::Env& below) : EnvWrapper{&below} {
    file_system_ = std::make_shared<store_file_system>(below.GetFileSystem());
    system_clock_ = below.GetSystemClock();
  }

  const char* Name() const override { return "vicket.store"; }
};

} // namespace

std::unique_ptr<rocksdb::Env> make_store_files(rocksdb::Env& below) {
  return std::make_unique<store_env>(below);
}

rocksdb::IOStatus sync_folder(rocksdb::FileSystem& files, const std::string& folder) {
  std::unique_ptr<rocksdb::FSDirectory> opened;
  auto status = files.NewDirectory(folder, rocksdb::IOOptions{}, &opened, nullptr);
  return status.ok() ? opened->Fsync(rocksdb::IOOptions{}, nullptr) : status;
}

} // namespace vicket
