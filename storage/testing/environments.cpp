#include "storage/testing/environments.hpp"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <limits>
#include <map>
#include <mutex>
#include <pthread.h>
#include <random>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace vicket {

namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

constexpr auto endless = std::numeric_limits<std::uint64_t>::max();

std::string parent_of(const std::string& path) {
  return std::filesystem::path{path}.parent_path().string();
}

std::string normal(const std::string& path) {
  return std::filesystem::path{path}.lexically_normal().string();
}

bool is_log(const std::string& path) {
  return path.ends_with(".log");
}
bool is_table(const std::string& path) {
  return path.ends_with(".sst");
}
/// RocksDB names its threads (util/threadpool_imp.cc): flushes run in `rocksdb:high`.
bool is_compaction_thread() {
  auto name = std::array<char, 16>{};
  return ::pthread_getname_np(::pthread_self(), name.data(), name.size()) == 0 &&
         std::string_view{name.data()} == "rocksdb:low";
}

/// As RocksDB's own layer says it (env/io_posix.cc).
IOStatus error_of(faulty_environment::fault kind, const std::string& what) {
  using fault = faulty_environment::fault;
  if (kind == fault::no_space) {
    auto status = IOStatus::NoSpace(what, std::generic_category().message(ENOSPC));
    status.SetRetryable(true);
    return status;
  }
  return IOStatus::IOError(what, std::generic_category().message(kind == fault::quota ? EDQUOT : EIO));
}

/// What the faults are, and what of each file is safe. Shared by the file system and its files; thread-safe.
class fault_state {
public:
  // -- commands --

  using fault = faulty_environment::fault;

  void fail_log_syncs_from(std::uint64_t nth, fault as) {
    const auto guard = std::lock_guard{mutex_};
    log_syncs_left_ = nth == 0 ? 0 : nth - 1;
    sync_fault_ = as;
  }
  void fail_all_syncs(fault as) {
    const auto guard = std::lock_guard{mutex_};
    all_syncs_fail_ = true;
    sync_fault_ = as;
  }
  void fill_disk_after(std::uint64_t bytes, fault as, bool seen) {
    const auto guard = std::lock_guard{mutex_};
    bytes_left_ = bytes;
    full_fault_ = as;
    full_seen_ = seen;
  }
  void refuse_tables(std::optional<fault> as, faulty_environment::tables which) {
    const auto guard = std::lock_guard{mutex_};
    table_fault_ = as;
    refused_tables_ = which;
  }
  [[nodiscard]] bool await_refused_table(std::int64_t patience_ms) {
    auto guard = std::unique_lock{mutex_};
    return tables_tried_.wait_for(guard, std::chrono::milliseconds{patience_ms},
                                  [&] { return tables_refused_ > 0; });
  }
  [[nodiscard]] bool await_compaction() {
    auto guard = std::unique_lock{mutex_};
    return tables_tried_.wait_for(guard, std::chrono::seconds{10}, [&] { return compactions_ > 0; });
  }
  [[nodiscard]] std::uint64_t tables_refused() const {
    const auto guard = std::lock_guard{mutex_};
    return tables_refused_;
  }
  void crash() {
    const auto guard = std::lock_guard{mutex_};
    crashed_ = true;
  }
  [[nodiscard]] std::uint64_t log_syncs() const {
    const auto guard = std::lock_guard{mutex_};
    return log_syncs_;
  }
  /// `endless` without such a fault.
  [[nodiscard]] std::uint64_t bytes_left() const {
    const auto guard = std::lock_guard{mutex_};
    return full_seen_ ? bytes_left_ : endless;
  }

  // -- what the file system asks and tells --

  [[nodiscard]] IOStatus may_change() const {
    const auto guard = std::lock_guard{mutex_};
    return crashed_ ? IOStatus::IOError("the machine is down") : IOStatus::OK();
  }
  [[nodiscard]] IOStatus may_append(const std::string& path) {
    const auto guard = std::lock_guard{mutex_};
    if (crashed_)
      return IOStatus::IOError("the machine is down");
    if (!is_table(path))
      return IOStatus::OK();
    const auto compacts = is_compaction_thread();
    tables_tried_.notify_all(); // they see what follows, once the mutex is theirs
    if (!table_fault_ || (refused_tables_ == faulty_environment::tables::compacted && !compacts)) {
      compactions_ += compacts ? 1 : 0;
      return IOStatus::OK();
    }
    ++tables_refused_;
    return error_of(*table_fault_, "injected: while appending to file: " + path);
  }

  /// How many of `bytes` still fit, and takes them.
  [[nodiscard]] std::uint64_t take_space(std::uint64_t bytes) {
    const auto guard = std::lock_guard{mutex_};
    const auto fitting = std::min(bytes, bytes_left_);
    if (bytes_left_ != endless)
      bytes_left_ -= fitting;
    return fitting;
  }
  [[nodiscard]] IOStatus disk_full(const std::string& path) const {
    const auto guard = std::lock_guard{mutex_};
    return error_of(full_fault_, "injected: while appending to file: " + path);
  }

  [[nodiscard]] IOStatus may_sync(const std::string& path) {
    const auto guard = std::lock_guard{mutex_};
    if (crashed_)
      return IOStatus::IOError("the machine is down");
    auto fails = all_syncs_fail_;
    if (is_log(path)) {
      ++log_syncs_;
      fails = fails || log_syncs_left_ == 0;
      if (log_syncs_left_ != endless && log_syncs_left_ > 0)
        --log_syncs_left_;
    }
    return fails ? error_of(sync_fault_, "injected: while fdatasync: " + path) : IOStatus::OK();
  }

  void created(const std::string& path) {
    const auto guard = std::lock_guard{mutex_};
    files_[path] = {};
  }
  /// A file of before the last restart is safe as far as it goes.
  void reopened(const std::string& path, std::uint64_t bytes) {
    const auto guard = std::lock_guard{mutex_};
    files_.try_emplace(path, tracked_file{bytes, bytes, true});
  }
  void appended(const std::string& path, std::uint64_t bytes) {
    const auto guard = std::lock_guard{mutex_};
    files_[path].written += bytes;
  }
  void truncated(const std::string& path, std::uint64_t bytes) {
    const auto guard = std::lock_guard{mutex_};
    auto& file = files_[path];
    file.written = bytes;
    file.synced = std::min(file.synced, bytes);
  }
  void synced(const std::string& path, std::uint64_t bytes) {
    const auto guard = std::lock_guard{mutex_};
    files_[path].synced = std::max(files_[path].synced, bytes);
  }
  [[nodiscard]] std::uint64_t written(const std::string& path) const {
    const auto guard = std::lock_guard{mutex_};
    const auto found = files_.find(path);
    return found == files_.end() ? 0 : found->second.written;
  }
  void folder_synced(const std::string& folder) {
    const auto guard = std::lock_guard{mutex_};
    for (auto& [path, file] : files_)
      if (parent_of(path) == folder)
        file.named = true;
  }
  /// Renames count as safe at once: losing one would bring back the file that it replaced, which we do not
  /// keep.
  void renamed(const std::string& from, const std::string& to) {
    const auto guard = std::lock_guard{mutex_};
    const auto found = files_.find(from);
    if (found == files_.end())
      return;
    auto file = found->second;
    file.named = true;
    files_.erase(found);
    files_[to] = file;
  }
  void removed(const std::string& path) {
    const auto guard = std::lock_guard{mutex_};
    files_.erase(path);
  }

  struct tracked_file {
    std::uint64_t written = 0;
    std::uint64_t synced = 0;
    bool named = false; ///< its folder was synced since it was created
  };

  /// Ends every fault, and hands out what was known of the files.
  [[nodiscard]] std::map<std::string, tracked_file> reset() {
    const auto guard = std::lock_guard{mutex_};
    crashed_ = false;
    all_syncs_fail_ = false;
    log_syncs_left_ = endless;
    bytes_left_ = endless;
    table_fault_.reset();
    return std::exchange(files_, {});
  }

private:
  mutable std::mutex mutex_;
  bool crashed_ = false;
  bool all_syncs_fail_ = false;
  std::uint64_t log_syncs_left_ = endless; ///< that succeed
  std::uint64_t log_syncs_ = 0;
  fault sync_fault_ = fault::broken;
  std::uint64_t bytes_left_ = endless;
  fault full_fault_ = fault::no_space;
  bool full_seen_ = true;
  std::optional<fault> table_fault_;
  faulty_environment::tables refused_tables_ = faulty_environment::tables::all;
  std::uint64_t compactions_ = 0; ///< appends
  std::condition_variable tables_tried_;
  std::uint64_t tables_refused_ = 0;
  std::map<std::string, tracked_file> files_; ///< by path; written to since the last restart
};

class faulty_file final : public rocksdb::FSWritableFileOwnerWrapper {
public:
  faulty_file(std::unique_ptr<rocksdb::FSWritableFile> file, std::string path, fault_state& state)
      : FSWritableFileOwnerWrapper(std::move(file)), path_(std::move(path)), state_(state) {}

  IOStatus Append(const Slice& bytes, const IOOptions& options, IODebugContext* debug) override {
    if (auto status = state_.may_append(path_); !status.ok())
      return status;
    const auto fitting = state_.take_space(bytes.size());
    auto status = target()->Append(Slice{bytes.data(), static_cast<std::size_t>(fitting)}, options, debug);
    if (status.ok())
      state_.appended(path_, fitting);
    return status.ok() && fitting < bytes.size() ? state_.disk_full(path_) : status;
  }
  IOStatus Append(const Slice& bytes, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(bytes, options, debug);
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    if (auto status = state_.may_change(); !status.ok())
      return status;
    auto status = target()->Truncate(size, options, debug);
    if (status.ok())
      state_.truncated(path_, size);
    return status;
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return sync([&] { return target()->Sync(options, debug); });
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return sync([&] { return target()->Fsync(options, debug); });
  }

private:
  template <class Sync>
  IOStatus sync(Sync below) {
    if (auto status = state_.may_sync(path_); !status.ok())
      return status;
    const auto bytes = state_.written(path_);
    auto status = below();
    if (status.ok())
      state_.synced(path_, bytes);
    return status;
  }

  std::string path_;
  fault_state& state_;
};

class faulty_folder final : public rocksdb::FSDirectory {
public:
  faulty_folder(std::unique_ptr<rocksdb::FSDirectory> folder, std::string path, fault_state& state)
      : folder_(std::move(folder)), path_(std::move(path)), state_(state) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    if (auto status = state_.may_sync(path_); !status.ok())
      return status;
    auto status = folder_->Fsync(options, debug);
    if (status.ok())
      state_.folder_synced(path_);
    return status;
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions&) override {
    return Fsync(options, debug);
  }
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    return folder_->Close(options, debug);
  }

private:
  std::unique_ptr<rocksdb::FSDirectory> folder_;
  std::string path_;
  fault_state& state_;
};

class faulty_file_system final : public rocksdb::FileSystemWrapper {
public:
  faulty_file_system(const std::shared_ptr<rocksdb::FileSystem>& target, fault_state& state)
      : FileSystemWrapper(target), state_(state) {}

  const char* Name() const override { return "vicket.faulty"; }

  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* debug) override {
    auto status = change([&] { return target()->NewWritableFile(path, options, result, debug); });
    if (status.ok()) {
      state_.created(normal(path));
      *result = std::make_unique<faulty_file>(std::move(*result), normal(path), state_);
    }
    return status;
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* result,
                              IODebugContext* debug) override {
    auto bytes = std::uint64_t{0};
    target()->GetFileSize(path, IOOptions{}, &bytes, debug).PermitUncheckedError(); // it may be new
    auto status = change([&] { return target()->ReopenWritableFile(path, options, result, debug); });
    if (status.ok())
      state_.reopened(normal(path), bytes);
    if (status.ok())
      *result = std::make_unique<faulty_file>(std::move(*result), normal(path), state_);
    return status;
  }
  IOStatus ReuseWritableFile(const std::string&, const std::string&, const FileOptions&,
                             std::unique_ptr<rocksdb::FSWritableFile>*, IODebugContext*) override {
    return IOStatus::NotSupported("logs are never recycled");
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext* debug) override {
    auto status = target()->NewDirectory(path, options, result, debug);
    if (status.ok())
      *result = std::make_unique<faulty_folder>(std::move(*result), normal(path), state_);
    return status;
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions& options, IODebugContext* debug) override {
    auto status = change([&] { return target()->DeleteFile(path, options, debug); });
    if (status.ok())
      state_.removed(normal(path));
    return status;
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* debug) override {
    auto status = change([&] { return target()->RenameFile(from, to, options, debug); });
    if (status.ok())
      state_.renamed(normal(from), normal(to));
    return status;
  }
  IOStatus Truncate(const std::string& path, std::size_t size, const IOOptions& options,
                    IODebugContext* debug) override {
    auto status = change([&] { return target()->Truncate(path, size, options, debug); });
    if (status.ok())
      state_.truncated(normal(path), size);
    return status;
  }

private:
  template <class Change>
  IOStatus change(Change below) {
    auto status = state_.may_change();
    return status.ok() ? below() : status;
  }

  fault_state& state_;
};

/// Of what lies behind `synced` any page may have reached the disk, in any order; the others read as zeros.
void lose_pages(std::string& bytes, std::size_t synced, std::mt19937_64& random) {
  constexpr std::size_t page_bytes = 4'096;
  if (random() % 4 == 0) // the file's length is a page's matter of its own
    bytes.resize(synced + random() % (bytes.size() - synced + 1));
  for (auto at = synced; at < bytes.size();) {
    const auto end = std::min((at / page_bytes + 1) * page_bytes, bytes.size());
    if (random() % 2 == 0)
      std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                bytes.begin() + static_cast<std::ptrdiff_t>(end), '\0');
    at = end;
  }
}

class memory_environment final : public store_environment {
public:
  rocksdb::Env& env() override { return *env_; }
  std::optional<volume> volume_of(const std::filesystem::path&) const override { return std::nullopt; }

private:
  std::unique_ptr<rocksdb::Env> env_{rocksdb::NewMemEnv(rocksdb::Env::Default())};
};

} // namespace

std::unique_ptr<store_environment> make_memory_environment() {
  return std::make_unique<memory_environment>();
}

struct faulty_environment::rep {
  explicit rep(below base)
      : memory(base == below::memory ? rocksdb::NewMemEnv(rocksdb::Env::Default()) : nullptr),
        files(memory ? memory->GetFileSystem() : rocksdb::FileSystem::Default()),
        env(rocksdb::NewCompositeEnv(std::make_shared<faulty_file_system>(files, state))) {}

  fault_state state;
  mutable std::mutex volume_mutex;
  std::optional<volume> set_volume; ///< guarded by volume_mutex
  std::unique_ptr<rocksdb::Env> memory;
  std::shared_ptr<rocksdb::FileSystem> files; ///< without faults
  std::unique_ptr<rocksdb::Env> env;
};

faulty_environment::faulty_environment(below base) : rep_(std::make_unique<rep>(base)) {}

faulty_environment::~faulty_environment() = default;

rocksdb::Env& faulty_environment::env() {
  return *rep_->env;
}

std::optional<store_environment::volume> faulty_environment::volume_of(const std::filesystem::path&) const {
  const auto guard = std::lock_guard{rep_->volume_mutex};
  auto result = rep_->set_volume;
  if (const auto left = rep_->state.bytes_left(); left != endless)
    result = volume{std::min(left, result ? result->free_bytes : endless),
                    result ? result->total_bytes : std::uint64_t{1} << 30};
  return result;
}

void faulty_environment::set_volume(volume value) {
  const auto guard = std::lock_guard{rep_->volume_mutex};
  rep_->set_volume = value;
}

void faulty_environment::fail_log_syncs_from(std::uint64_t nth, fault as) {
  rep_->state.fail_log_syncs_from(nth, as);
}

void faulty_environment::fail_all_syncs(fault as) {
  rep_->state.fail_all_syncs(as);
}

std::uint64_t faulty_environment::log_syncs() const {
  return rep_->state.log_syncs();
}

void faulty_environment::fill_disk_after(std::uint64_t bytes, fault as) {
  rep_->state.fill_disk_after(bytes, as, true);
}

void faulty_environment::fill_disk_unseen_after(std::uint64_t bytes, fault as) {
  rep_->state.fill_disk_after(bytes, as, false);
}

void faulty_environment::refuse_tables(fault as, tables which) {
  rep_->state.refuse_tables(as, which);
}

bool faulty_environment::await_refused_table(std::int64_t patience_ms) {
  return rep_->state.await_refused_table(patience_ms);
}

bool faulty_environment::await_compaction() {
  return rep_->state.await_compaction();
}

std::uint64_t faulty_environment::tables_refused() const {
  return rep_->state.tables_refused();
}

void faulty_environment::free_disk() {
  rep_->state.fill_disk_after(endless, fault::no_space, true);
  rep_->state.refuse_tables(std::nullopt, tables::all);
}

void faulty_environment::crash() {
  rep_->state.crash();
}

void faulty_environment::restart(std::uint64_t seed, unsynced left) {
  auto random = std::mt19937_64{seed};
  for (const auto& [path, file] : rep_->state.reset()) {
    auto status = IOStatus::OK();
    if (!file.named) {
      status = rep_->files->DeleteFile(path, IOOptions{}, nullptr);
    } else if (file.synced < file.written && left == unsynced::prefix) {
      const auto kept = file.synced + random() % (file.written - file.synced + 1);
      if (rep_->memory)
        status = rep_->files->Truncate(path, static_cast<std::size_t>(kept), IOOptions{}, nullptr);
      else if (std::filesystem::exists(path)) // RocksDB's own file system can't shorten a file by its name
        std::filesystem::resize_file(path, kept);
    } else if (file.synced < file.written) {
      auto bytes = std::string{};
      status = rocksdb::ReadFileToString(rep_->files.get(), path, &bytes);
      lose_pages(bytes, static_cast<std::size_t>(file.synced), random);
      if (status.ok())
        status = rocksdb::WriteStringToFile(rep_->files.get(), bytes, path, true);
    }
    if (!status.ok() && !status.IsNotFound() && !status.IsPathNotFound())
      throw std::runtime_error("faulty_environment: " + path + ": " + status.ToString());
  }
}

std::string faulty_environment::read_file(const std::filesystem::path& path) {
  auto bytes = std::string{};
  if (const auto status = rocksdb::ReadFileToString(rep_->env.get(), path.string(), &bytes); !status.ok())
    throw std::runtime_error("faulty_environment: " + path.string() + ": " + status.ToString());
  return bytes;
}

void faulty_environment::write_file(const std::filesystem::path& path, const std::string& bytes) {
  const auto status = rocksdb::WriteStringToFile(rep_->env.get(), bytes, path.string(), true);
  if (!status.ok())
    throw std::runtime_error("faulty_environment: " + path.string() + ": " + status.ToString());
}

} // namespace vicket
