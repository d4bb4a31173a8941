#include "storage/testing/sim_file_system.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicket::internal {

namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

IOStatus not_found(std::string_view operation, const std::string& path) {
  return IOStatus::PathNotFound("While " + std::string{operation} + ": " + path, "No such file or directory");
}

// -- files --------------------------------------------------------------------------------------------------

/// A file in use.
class open_file {
public:
  open_file(sim_state& state, disk_content::file_ptr file, std::string path)
      : state_(state), file_(std::move(file)), path_(std::move(path)) {
    state_.content.opened(file_);
  }
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;
  ~open_file() { state_.content.closed(file_); }

  [[nodiscard]] sim_state& state() const { return state_; }
  [[nodiscard]] disk_file& file() const { return *file_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  IOStatus read(std::uint64_t offset, std::size_t count, Slice* result, char* scratch) const {
    *result = Slice{};
    if (auto status = state_.may_read(disk_operation::read, path_); !status.ok())
      return status;
    const auto bytes = file_->bytes();
    const auto piece = offset < bytes.size() ? bytes.substr(offset, count) : std::string_view{};
    std::copy(piece.begin(), piece.end(), scratch);
    *result = Slice{scratch, piece.size()};
    return IOStatus::OK();
  }

private:
  sim_state& state_;
  disk_content::file_ptr file_;
  std::string path_;
};

class sequential_file final : public rocksdb::FSSequentialFile {
public:
  sequential_file(sim_state& state, disk_content::file_ptr file, std::string path)
      : opened_(state, std::move(file), std::move(path)) {}

  IOStatus Read(std::size_t count, const IOOptions&, Slice* result, char* scratch, IODebugContext*) override {
    auto status = opened_.read(at_, count, result, scratch);
    at_ += result->size();
    return status;
  }
  IOStatus Skip(std::uint64_t count) override {
    at_ = std::min(at_ + count, opened_.file().size());
    return IOStatus::OK();
  }

private:
  open_file opened_;
  std::uint64_t at_ = 0;
};

class random_access_file final : public rocksdb::FSRandomAccessFile {
public:
  random_access_file(sim_state& state, disk_content::file_ptr file, std::string path)
      : opened_(state, std::move(file), std::move(path)) {}

  IOStatus Read(std::uint64_t offset, std::size_t count, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) const override {
    return opened_.read(offset, count, result, scratch);
  }

private:
  open_file opened_;
};

class writable_file final : public rocksdb::FSWritableFile {
public:
  writable_file(sim_state& state, disk_content::file_ptr file, std::string path)
      : opened_(std::make_unique<open_file>(state, std::move(file), std::move(path))) {}

  IOStatus Append(const Slice& bytes, const IOOptions&, IODebugContext*) override {
    auto& state = opened_->state();
    auto verdict = state.judge(disk_operation::append, opened_->path());
    auto count = std::uint64_t{bytes.size()};
    if (verdict.was_ordered || verdict.in_last_words)
      count = count == 0 ? 0 : state.random() % count; // never all of it
    else if (!verdict.happens)
      count = 0;
    if (const auto room = state.free_bytes(); count > room) {
      count = room;
      if (verdict.status.ok()) {
        verdict.status = to_status(disk_error::no_space, "append", opened_->path());
        state.faults.count(disk_operation::append, disk_error::no_space);
      }
    }
    const auto written = std::string_view{bytes.data(), static_cast<std::size_t>(count)};
    opened_->file().append(written, state.now_us);
    state.report(disk_operation::append, opened_->path(), bytes_and_sum(written), verdict.status);
    return verdict.status;
  }
  IOStatus Append(const Slice& bytes, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(bytes, options, debug);
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions&, IODebugContext*) override {
    return opened_->state().change(
        disk_operation::truncate, opened_->path(),
        [&] {
          opened_->file().truncate(size);
          return IOStatus::OK();
        },
        " " + std::to_string(size));
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    auto& state = opened_->state();
    const auto verdict = state.judge(disk_operation::sync, opened_->path());
    if (verdict.happens)
      opened_->file().sync();
    else if (verdict.was_ordered)
      opened_->file().sync_failed();
    state.report(disk_operation::sync, opened_->path(), " " + std::to_string(opened_->file().size()),
                 verdict.status);
    return verdict.status;
  }
  bool IsSyncThreadSafe() const override { return true; }
  std::uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return opened_->file().size(); }

private:
  std::unique_ptr<open_file> opened_;
};

class folder_handle final : public rocksdb::FSDirectory {
public:
  folder_handle(sim_state& state, std::string path) : state_(state), path_(std::move(path)) {}

  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    return state_.change(disk_operation::sync_folder, path_, [this] {
      state_.content.sync_folder(path_);
      return IOStatus::OK();
    });
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

private:
  sim_state& state_;
  std::string path_;
};

class file_lock final : public rocksdb::FileLock {
public:
  explicit file_lock(std::string path) : path_(std::move(path)) {}
  [[nodiscard]] const std::string& path() const { return path_; }

private:
  std::string path_;
};

// -- the file system ----------------------------------------------------------------------------------------

class sim_file_system final : public rocksdb::FileSystem {
public:
  explicit sim_file_system(sim_state& state) : state_(state) {}

  const char* Name() const override { return "vicket.sim"; }

  IOStatus NewSequentialFile(const std::string& name, const FileOptions&,
                             std::unique_ptr<rocksdb::FSSequentialFile>* result, IODebugContext*) override {
    return open<sequential_file>(normal(name), result);
  }
  IOStatus NewRandomAccessFile(const std::string& name, const FileOptions&,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                               IODebugContext*) override {
    return open<random_access_file>(normal(name), result);
  }
  IOStatus NewWritableFile(const std::string& name, const FileOptions&,
                           std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext*) override {
    return open_for_writing(normal(name), result,
                            [this](const std::string& path) { return state_.content.create(path); });
  }
  IOStatus ReopenWritableFile(const std::string& name, const FileOptions&,
                              std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext*) override {
    return open_for_writing(normal(name), result, [this](const std::string& path) {
      auto found = state_.content.find(path);
      return found ? found : state_.content.create(path);
    });
  }
  IOStatus NewDirectory(const std::string& name, const IOOptions&,
                        std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext*) override {
    const auto path = normal(name);
    if (!state_.content.is_folder(path))
      return not_found("open directory", path);
    *result = std::make_unique<folder_handle>(state_, path);
    return IOStatus::OK();
  }

  IOStatus FileExists(const std::string& name, const IOOptions&, IODebugContext*) override {
    const auto path = normal(name);
    return state_.content.find(path) || state_.content.is_folder(path) ? IOStatus::OK()
                                                                       : IOStatus::NotFound();
  }
  IOStatus GetChildren(const std::string& name, const IOOptions&, std::vector<std::string>* result,
                       IODebugContext*) override {
    const auto path = normal(name);
    if (!state_.content.is_folder(path))
      return IOStatus::NotFound("While opendir: " + path, "No such file or directory");
    *result = state_.content.children(path);
    return IOStatus::OK();
  }
  IOStatus GetFileSize(const std::string& name, const IOOptions&, std::uint64_t* result,
                       IODebugContext*) override {
    return about(normal(name), [result](const disk_file& file) { *result = file.size(); });
  }
  IOStatus GetFileModificationTime(const std::string& name, const IOOptions&, std::uint64_t* result,
                                   IODebugContext*) override {
    return about(normal(name), [result](const disk_file& file) { *result = file.modified_us() / 1'000'000; });
  }

  IOStatus DeleteFile(const std::string& name, const IOOptions&, IODebugContext*) override {
    const auto path = normal(name);
    if (!state_.content.find(path))
      return not_found("unlink() file", path);
    return state_.change(disk_operation::remove, path, [&] {
      state_.content.remove(path);
      return IOStatus::OK();
    });
  }
  IOStatus RenameFile(const std::string& from_name, const std::string& to_name, const IOOptions&,
                      IODebugContext*) override {
    const auto from = normal(from_name);
    const auto to = normal(to_name);
    if (!state_.content.find(from))
      return not_found("renaming a file to " + to, from);
    return state_.change(
        disk_operation::rename, to,
        [&] {
          state_.content.rename(from, to);
          return IOStatus::OK();
        },
        " from " + from);
  }
  IOStatus Truncate(const std::string& name, std::size_t size, const IOOptions&, IODebugContext*) override {
    const auto path = normal(name);
    const auto file = state_.content.find(path);
    if (!file)
      return not_found("truncate", path);
    return state_.change(
        disk_operation::truncate, path,
        [&] {
          file->truncate(size);
          return IOStatus::OK();
        },
        " " + std::to_string(size));
  }

  IOStatus CreateDir(const std::string& name, const IOOptions& options, IODebugContext* debug) override {
    const auto path = normal(name);
    return state_.content.is_folder(path) ? IOStatus::IOError("While mkdir: " + path, "File exists")
                                          : CreateDirIfMissing(path, options, debug);
  }
  IOStatus CreateDirIfMissing(const std::string& name, const IOOptions&, IODebugContext*) override {
    const auto path = normal(name);
    if (state_.content.is_folder(path))
      return IOStatus::OK();
    return state_.change(disk_operation::create, path, [&] {
      state_.content.make_folder(path);
      return IOStatus::OK();
    });
  }
  IOStatus DeleteDir(const std::string& name, const IOOptions&, IODebugContext*) override {
    const auto path = normal(name);
    if (!state_.content.is_folder(path))
      return not_found("rmdir", path);
    if (!state_.content.children(path).empty())
      return IOStatus::IOError("While rmdir: " + path, "Directory not empty");
    return state_.change(disk_operation::remove, path, [&] {
      state_.content.remove_folder(path);
      return IOStatus::OK();
    });
  }

  /// Locks are the process's: none outlives it.
  IOStatus LockFile(const std::string& name, const IOOptions&, rocksdb::FileLock** result,
                    IODebugContext* debug) override {
    const auto path = normal(name);
    if (locks_.contains(path))
      return IOStatus::IOError("lock hold by current process: " + path, "No locks available");
    if (!state_.content.find(path)) {
      auto file = std::unique_ptr<rocksdb::FSWritableFile>{};
      if (auto status = NewWritableFile(path, FileOptions{}, &file, debug); !status.ok())
        return status;
    }
    locks_.insert(path);
    *result = std::make_unique<file_lock>(path).release(); // UnlockFile takes it back
    return IOStatus::OK();
  }
  IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions&, IODebugContext*) override {
    const auto held = std::unique_ptr<file_lock>{static_cast<file_lock*>(lock)};
    locks_.erase(held->path());
    return IOStatus::OK();
  }

  IOStatus GetTestDirectory(const IOOptions&, std::string* result, IODebugContext*) override {
    *result = "/test";
    return IOStatus::OK();
  }
  IOStatus GetAbsolutePath(const std::string& name, const IOOptions&, std::string* result,
                           IODebugContext*) override {
    *result = normal(name);
    return IOStatus::OK();
  }
  IOStatus GetFreeSpace(const std::string&, const IOOptions&, std::uint64_t* result,
                        IODebugContext*) override {
    *result = state_.free_bytes();
    return IOStatus::OK();
  }
  IOStatus IsDirectory(const std::string& name, const IOOptions&, bool* result, IODebugContext*) override {
    *result = state_.content.is_folder(normal(name));
    return IOStatus::OK();
  }

private:
  template <class File, class Result>
  IOStatus open(std::string path, Result* result) {
    result->reset();
    auto file = state_.content.find(path);
    if (!file)
      return not_found("opening a file for reading", path);
    if (auto status = state_.may_read(disk_operation::open, path); !status.ok())
      return status;
    *result = std::make_unique<File>(state_, std::move(file), std::move(path));
    return IOStatus::OK();
  }

  template <class Make>
  IOStatus open_for_writing(const std::string& path, std::unique_ptr<rocksdb::FSWritableFile>* result,
                            Make make) {
    result->reset();
    if (!state_.content.is_folder(folder_of(path)))
      return not_found("open a file for appending", path);
    auto file = disk_content::file_ptr{};
    auto status = state_.change(disk_operation::create, path, [&] {
      file = make(path);
      return IOStatus::OK();
    });
    if (status.ok())
      *result = std::make_unique<writable_file>(state_, std::move(file), path);
    return status;
  }

  template <class Use>
  IOStatus about(const std::string& path, Use use) {
    const auto file = state_.content.find(path);
    if (file)
      use(*file);
    else if (state_.content.is_folder(path))
      use(disk_file{});
    else
      return not_found("stat", path);
    return IOStatus::OK();
  }

  sim_state& state_;
  std::set<std::string> locks_;
};

} // namespace

std::shared_ptr<rocksdb::FileSystem> make_sim_file_system(sim_state& state) {
  return std::make_shared<sim_file_system>(state);
}

} // namespace vicket::internal
