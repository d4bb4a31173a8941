#include "storage/testing/sim_disk.hpp"

#include "policy/assertion.hpp"
#include "storage/log_scan.hpp"
#include "storage/testing/disk_content.hpp"
#include "storage/testing/disk_faults.hpp"
#include "storage/testing/rocksdb_seams.hpp"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/system_clock.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <random>
#include <set>
#include <thread>
#include <utility>

namespace vicket {

namespace {

using internal::disk_content;
using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

constexpr auto endless = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t first_now_us = 1'779'537'600'000'000; // noon of a day in May 2026

std::string normal(const std::filesystem::path& path) {
  auto result = path.lexically_normal().string();
  if (result.size() > 1 && result.ends_with('/'))
    result.pop_back();
  return result;
}

file_kind kind_of(const std::string& path) {
  const auto name = std::string_view{path}.substr(path.rfind('/') + 1);
  if (name.ends_with(".log"))
    return file_kind::log;
  if (name.ends_with(".sst"))
    return file_kind::table;
  if (name.starts_with("MANIFEST-"))
    return file_kind::manifest;
  return name == "CURRENT" || name.ends_with(".dbtmp") ? file_kind::current : file_kind::other;
}

std::string_view to_view(disk_operation value) {
  constexpr auto names = std::array<std::string_view, 9>{"create",   "append",      "sync", "rename", "remove",
                                                         "truncate", "sync_folder", "open", "read"};
  return names[static_cast<std::size_t>(value)];
}

std::string_view to_view(disk_user value) {
  constexpr auto names = std::array<std::string_view, 3>{"foreground", "flush", "compaction"};
  return names[static_cast<std::size_t>(value)];
}

/// As RocksDB's own layer over the operating system says it (env/io_posix.cc).
IOStatus to_status(disk_error error, std::string_view operation, const std::string& path) {
  const auto where = "While " + std::string{operation} + ": " + path;
  switch (error) {
  case disk_error::no_space: {
    auto result = IOStatus::NoSpace(where, "No space left on device");
    result.SetRetryable(true);
    return result;
  }
  case disk_error::quota:
    return IOStatus::IOError(where, "Disk quota exceeded");
  case disk_error::io:
    break;
  }
  return IOStatus::IOError(where, "Input/output error");
}

IOStatus not_found(std::string_view operation, const std::string& path) {
  return IOStatus::PathNotFound("While " + std::string{operation} + ": " + path, "No such file or directory");
}

IOStatus machine_is_down() {
  return IOStatus::IOError("the machine is down");
}

std::string hex(std::uint32_t value) {
  constexpr auto digits = std::string_view{"0123456789abcdef"};
  auto result = std::string(8, '0');
  for (auto it = result.rbegin(); it != result.rend(); ++it, value >>= 4)
    *it = digits[value & 15];
  return result;
}

std::string bytes_and_sum(std::string_view bytes) {
  return " " + std::to_string(bytes.size()) + " " + hex(crc32c(bytes));
}

/// What the disk is and what it was told. The file system, its files, the clock and the queue of jobs share it.
class sim_state {
public:
  explicit sim_state(std::uint64_t seed) : random(seed) {}

  std::mt19937_64 random;
  std::uint64_t now_us = first_now_us;
  disk_content content;
  internal::disk_faults faults;
  std::uint64_t capacity_bytes = endless;
  bool is_down = false;
  std::uint64_t changes_until_crash = endless;
  disk_user user = disk_user::foreground;
  std::function<void(std::string_view)> trace;

  void say(const std::string& line) const {
    if (trace)
      trace(line);
  }

  /// What is to become of an operation that changes something.
  struct verdict {
    IOStatus status;           ///< for RocksDB
    bool happens = false;      ///< on the disk
    bool was_ordered = false;  ///< to fail
    bool in_last_words = false; ///< the machine dies in it
  };

  [[nodiscard]] verdict judge(disk_operation operation, const std::string& path) {
    check_thread();
    const auto error = faults.met(operation, kind_of(path), user);
    if (is_down)
      return {machine_is_down(), false, false, false};
    if (changes_until_crash == 0) {
      is_down = true;
      return {machine_is_down(), (random() & 1) != 0, false, true};
    }
    if (changes_until_crash != endless)
      --changes_until_crash;
    if (error)
      return {to_status(*error, to_view(operation), path), false, true, false};
    return {IOStatus::OK(), true, false, false};
  }

  void report(disk_operation operation, const std::string& path, std::string_view detail, const IOStatus& status) {
    if (trace)
      trace(std::string{to_view(user)} + " " + std::string{to_view(operation)} + " " + path + std::string{detail} +
            (status.ok() ? std::string{} : " failed: " + status.ToString()));
  }

  template <class Effect>
  IOStatus change(disk_operation operation, const std::string& path, Effect effect, std::string_view detail = {}) {
    auto result = judge(operation, path);
    if (result.happens)
      if (auto status = effect(); result.status.ok())
        result.status = std::move(status);
    report(operation, path, detail, result.status);
    return result.status;
  }

  /// Reading works on after a crash: it shows what the dying process saw.
  [[nodiscard]] IOStatus may_read(disk_operation operation, const std::string& path) {
    check_thread();
    const auto error = faults.met(operation, kind_of(path), user);
    if (!error)
      return IOStatus::OK();
    auto status = to_status(*error, to_view(operation), path);
    report(operation, path, {}, status);
    return status;
  }

  [[nodiscard]] std::uint64_t free_bytes() const {
    if (capacity_bytes == endless)
      return endless;
    const auto used = content.used_bytes();
    return used < capacity_bytes ? capacity_bytes - used : 0;
  }

  [[nodiscard]] std::uint64_t below(std::uint64_t limit) { return random() % limit; }

private:
  void check_thread() const { VICKET_ASSERT(std::this_thread::get_id() == thread_); }

  std::thread::id thread_ = std::this_thread::get_id();
};

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
  [[nodiscard]] internal::disk_file& file() const { return *file_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  IOStatus read(std::uint64_t offset, std::size_t count, Slice* result, char* scratch) const {
    *result = Slice{};
    if (auto status = state_.may_read(disk_operation::read, path_); !status.ok())
      return status;
    const auto bytes = file_->bytes();
    const auto piece = offset < bytes.size() ? bytes.substr(offset, count) : std::string_view{};
    std::memcpy(scratch, piece.data(), piece.size());
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
      count = count == 0 ? 0 : state.below(count); // never all of it
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
    state.report(disk_operation::sync, opened_->path(), " " + std::to_string(opened_->file().size()), verdict.status);
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
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result, IODebugContext*) override {
    return open<random_access_file>(normal(name), result);
  }
  IOStatus NewWritableFile(const std::string& name, const FileOptions&,
                           std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext*) override {
    return open_for_writing(normal(name), result, [this](const std::string& path) {
      return state_.content.create(path);
    });
  }
  IOStatus ReopenWritableFile(const std::string& name, const FileOptions&,
                              std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext*) override {
    return open_for_writing(normal(name), result, [this](const std::string& path) {
      auto found = state_.content.find(path);
      return found ? found : state_.content.create(path);
    });
  }
  IOStatus NewDirectory(const std::string& name, const IOOptions&, std::unique_ptr<rocksdb::FSDirectory>* result,
                        IODebugContext*) override {
    const auto path = normal(name);
    if (!state_.content.is_folder(path))
      return not_found("open directory", path);
    *result = std::make_unique<folder_handle>(state_, path);
    return IOStatus::OK();
  }

  IOStatus FileExists(const std::string& name, const IOOptions&, IODebugContext*) override {
    const auto path = normal(name);
    return state_.content.find(path) || state_.content.is_folder(path) ? IOStatus::OK() : IOStatus::NotFound();
  }
  IOStatus GetChildren(const std::string& name, const IOOptions&, std::vector<std::string>* result,
                       IODebugContext*) override {
    const auto path = normal(name);
    if (!state_.content.is_folder(path))
      return IOStatus::NotFound("While opendir: " + path, "No such file or directory");
    *result = state_.content.children(path);
    return IOStatus::OK();
  }
  IOStatus GetFileSize(const std::string& name, const IOOptions&, std::uint64_t* result, IODebugContext*) override {
    return about(normal(name), [result](const internal::disk_file& file) { *result = file.size(); });
  }
  IOStatus GetFileModificationTime(const std::string& name, const IOOptions&, std::uint64_t* result,
                                   IODebugContext*) override {
    return about(normal(name),
                 [result](const internal::disk_file& file) { *result = file.modified_us() / 1'000'000; });
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
  IOStatus GetAbsolutePath(const std::string& name, const IOOptions&, std::string* result, IODebugContext*) override {
    *result = normal(name);
    return IOStatus::OK();
  }
  IOStatus GetFreeSpace(const std::string&, const IOOptions&, std::uint64_t* result, IODebugContext*) override {
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
  IOStatus open_for_writing(const std::string& path, std::unique_ptr<rocksdb::FSWritableFile>* result, Make make) {
    result->reset();
    if (!state_.content.is_folder(internal::folder_of(path)))
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
      use(internal::disk_file{});
    else
      return not_found("stat", path);
    return IOStatus::OK();
  }

  sim_state& state_;
  std::set<std::string> locks_;
};

// -- clock and queue ----------------------------------------------------------------------------------------

class sim_clock final : public rocksdb::SystemClock {
public:
  explicit sim_clock(sim_state& state) : state_(state) {}

  const char* Name() const override { return "vicket.sim"; }
  std::uint64_t NowMicros() override { return state_.now_us; }
  void SleepForMicroseconds(int us) override { state_.now_us += static_cast<std::uint64_t>(std::max(us, 0)); }
  rocksdb::Status GetCurrentTime(std::int64_t* seconds) override {
    *seconds = static_cast<std::int64_t>(state_.now_us / 1'000'000);
    return rocksdb::Status::OK();
  }
  std::string TimeToString(std::uint64_t seconds) override { return std::to_string(seconds); }

private:
  sim_state& state_;
};

class sim_env final : public rocksdb::EnvWrapper {
public:
  explicit sim_env(sim_state& state)
      : EnvWrapper(rocksdb::NewCompositeEnv(std::make_shared<sim_file_system>(state))), state_(state) {
    system_clock_ = std::make_shared<sim_clock>(state);
  }

  // -- the queue --

  void Schedule(void (*function)(void*), void* argument, Priority priority, void* tag,
                void (*unscheduled)(void*)) override {
    const auto user = priority == HIGH ? disk_user::flush : disk_user::compaction;
    jobs_.push_back({user, ++scheduled_, state_.now_us});
    calls_.push_back({function, argument, priority, tag, unscheduled});
    state_.say("schedule " + name_of(jobs_.back()));
  }
  int UnSchedule(void* tag, Priority priority) override {
    auto taken = std::vector<call>{};
    for (auto i = std::size_t{0}; i < calls_.size();) {
      if (calls_[i].tag != tag || calls_[i].priority != priority) {
        ++i;
        continue;
      }
      state_.say("unschedule " + name_of(jobs_[i]));
      taken.push_back(take(i));
    }
    for (const auto& job : taken)
      if (job.unscheduled != nullptr)
        job.unscheduled(job.argument);
    return static_cast<int>(taken.size());
  }

  [[nodiscard]] const std::vector<sim_disk::job>& jobs() const { return jobs_; }

  void run(std::size_t index) {
    VICKET_ASSERT(index < jobs_.size());
    const auto name = name_of(jobs_[index]);
    const auto user = std::exchange(state_.user, jobs_[index].user);
    const auto job = take(index);
    state_.say("run " + name);
    job.function(job.argument);
    state_.say("end " + name);
    state_.user = user;
  }

  // -- there are no threads --

  void StartThread(void (*)(void*), void*) override { VICKET_ASSERT(!"RocksDB wants a thread of its own"); }
  void WaitForJoin() override {}
  unsigned int GetThreadPoolQueueLen(Priority priority) const override {
    return static_cast<unsigned int>(std::count_if(calls_.begin(), calls_.end(),
                                                   [&](const call& x) { return x.priority == priority; }));
  }
  void SetBackgroundThreads(int, Priority) override {}
  int GetBackgroundThreads(Priority priority) override { return priority == HIGH || priority == LOW ? 1 : 0; }
  void IncBackgroundThreadsIfNeeded(int, Priority) override {}
  void LowerThreadPoolIOPriority(Priority) override {}
  void LowerThreadPoolCPUPriority(Priority) override {}
  rocksdb::Status LowerThreadPoolCPUPriority(Priority, rocksdb::CpuPriority) override {
    return rocksdb::Status::OK();
  }
  int ReserveThreads(int, Priority) override { return 0; }
  int ReleaseThreads(int, Priority) override { return 0; }
  rocksdb::Status GetThreadList(std::vector<rocksdb::ThreadStatus>*) override {
    return rocksdb::Status::NotSupported("there are no threads");
  }
  std::uint64_t GetThreadID() const override { return 1; }

  // -- time and identity --

  std::uint64_t NowMicros() override { return system_clock_->NowMicros(); }
  std::uint64_t NowNanos() override { return system_clock_->NowNanos(); }
  std::uint64_t NowCPUNanos() override { return 0; }
  void SleepForMicroseconds(int us) override { system_clock_->SleepForMicroseconds(us); }
  rocksdb::Status GetCurrentTime(std::int64_t* seconds) override { return system_clock_->GetCurrentTime(seconds); }
  std::string TimeToString(std::uint64_t seconds) override { return system_clock_->TimeToString(seconds); }
  rocksdb::Status GetHostName(char* name, std::uint64_t bytes) override {
    std::strncpy(name, "simulated", static_cast<std::size_t>(bytes));
    return rocksdb::Status::OK();
  }
  /// In the form of a UUID.
  std::string GenerateUniqueId() override {
    auto digits = std::string{};
    while (digits.size() < 32)
      digits += hex(static_cast<std::uint32_t>(state_.random()));
    for (const auto at : {20u, 16u, 12u, 8u})
      digits.insert(at, "-");
    return digits;
  }

private:
  struct call {
    void (*function)(void*);
    void* argument;
    Priority priority;
    void* tag;
    void (*unscheduled)(void*); ///< may be null
  };

  static std::string name_of(const sim_disk::job& job) {
    return std::string{to_view(job.user)} + " " + std::to_string(job.number);
  }

  call take(std::size_t index) {
    const auto result = calls_[index];
    calls_.erase(calls_.begin() + static_cast<std::ptrdiff_t>(index));
    jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(index));
    return result;
  }

  sim_state& state_;
  std::vector<sim_disk::job> jobs_;
  std::vector<call> calls_; ///< of jobs_, one for one
  std::uint64_t scheduled_ = 0;
};

} // namespace

// -- the disk -----------------------------------------------------------------------------------------------

struct sim_disk::rep {
  explicit rep(std::uint64_t seed)
      : state(seed), env(state), seams([this] { return run_for_a_wait(); }, [this] { return state.random(); }) {
    internal::rocksdb_seams::seed_thread(static_cast<std::uint32_t>(state.random()));
  }

  bool run_for_a_wait() {
    if (env.jobs().empty())
      return false;
    ++jobs_run_by_waits;
    state.say("wait");
    env.run(0);
    return true;
  }

  sim_state state;
  sim_env env;
  std::uint64_t jobs_run_by_waits = 0;
  internal::rocksdb_seams seams;
};

sim_disk::sim_disk(std::uint64_t seed) : rep_(std::make_unique<rep>(seed)) {}

sim_disk::~sim_disk() = default;

rocksdb::Env& sim_disk::env() {
  return rep_->env;
}

const std::vector<sim_disk::job>& sim_disk::pending_jobs() const {
  return rep_->env.jobs();
}

void sim_disk::run_job(std::size_t index) {
  rep_->env.run(index);
}

std::size_t sim_disk::run_all_jobs() {
  auto count = std::size_t{0};
  for (; !rep_->env.jobs().empty(); ++count)
    rep_->env.run(0);
  return count;
}

std::uint64_t sim_disk::jobs_run_by_waits() const {
  return rep_->jobs_run_by_waits;
}

std::uint64_t sim_disk::now_us() const {
  return rep_->state.now_us;
}

void sim_disk::set_now_us(std::uint64_t value) {
  rep_->state.now_us = value;
}

void sim_disk::fail(const disk_fault& order) {
  rep_->state.faults.add(order);
}

void sim_disk::clear_faults() {
  rep_->state.faults.clear();
}

std::uint64_t sim_disk::asked(disk_operation operation) const {
  return rep_->state.faults.asked(operation);
}

std::uint64_t sim_disk::failed(disk_operation operation, disk_error error) const {
  return rep_->state.faults.failed(operation, error);
}

void sim_disk::set_capacity_bytes(std::uint64_t value) {
  rep_->state.capacity_bytes = value;
}

std::uint64_t sim_disk::used_bytes() const {
  return rep_->state.content.used_bytes();
}

std::optional<store_environment::volume> sim_disk::volume_of(const std::filesystem::path&) const {
  if (rep_->state.capacity_bytes == endless)
    return std::nullopt;
  return volume{rep_->state.free_bytes(), rep_->state.capacity_bytes};
}

void sim_disk::crash() {
  rep_->state.is_down = true;
}

void sim_disk::crash_after(std::uint64_t operations) {
  rep_->state.changes_until_crash = operations;
}

bool sim_disk::crashed() const {
  return rep_->state.is_down;
}

void sim_disk::restart(std::uint64_t seed, power_loss loss) {
  auto& state = rep_->state;
  VICKET_ASSERT(rep_->env.jobs().empty());
  state.say("restart");
  auto random = std::mt19937_64{seed};
  state.content.lose_power(loss, random, [&state](std::string_view path, std::string_view what) {
    state.say("lost " + std::string{path} + ": " + std::string{what});
  });
  state.faults.clear();
  state.is_down = false;
  state.changes_until_crash = endless;
  internal::rocksdb_seams::seed_thread(static_cast<std::uint32_t>(random()));
}

sim_disk::folder_copy sim_disk::copy(const std::filesystem::path& folder) const {
  return rep_->state.content.copy(normal(folder));
}

void sim_disk::restore(const std::filesystem::path& folder, const folder_copy& files) {
  rep_->state.say("restore " + normal(folder));
  rep_->state.content.restore(normal(folder), files);
}

std::string sim_disk::read_file(const std::filesystem::path& path) const {
  const auto file = rep_->state.content.find(normal(path));
  VICKET_ASSERT(file != nullptr);
  return std::string{file->bytes()};
}

void sim_disk::write_file(const std::filesystem::path& path, std::string bytes) {
  rep_->state.say("write " + normal(path) + bytes_and_sum(bytes));
  rep_->state.content.put(normal(path), std::move(bytes));
}

void sim_disk::trace_to(std::function<void(std::string_view)> sink) {
  rep_->state.trace = std::move(sink);
}

} // namespace vicket
