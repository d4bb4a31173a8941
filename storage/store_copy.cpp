#include "storage/store_copy.hpp"

#include "storage/checkpoint_files.hpp"
#include "storage/environment.hpp"
#include "storage/partition_store.hpp"
#include "storage/replacement.hpp"
#include "storage/store_files.hpp"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <utility>

namespace vicket {

namespace {

/// What is written is handed to the disk in such pieces, and not all at a file's end.
constexpr std::uint64_t bytes_per_sync = 4u << 20;
/// Of a copy that is opened to see whether it is whole.
constexpr std::size_t few_bytes = 1u << 20;

rocksdb::Env& env_of(store_environment* environment) {
  return environment != nullptr ? environment->env() : *rocksdb::Env::Default();
}

store_status status_of(const rocksdb::Status& status, const std::string& what) {
  if (status.ok())
    return {};
  return {status.IsNoSpace() ? store_errc::full : store_errc::failed, what + ": " + status.ToString()};
}

/// RocksDB's own names, and that of what it was synced to (`synced_lengths`).
bool is_file_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '.' || c == '_';
         });
}

class outgoing final : public outgoing_copy {
public:
  outgoing(rocksdb::Env& env, std::string folder) : env_{env}, folder_{std::move(folder)} {}
  ~outgoing() override {
    opened_.reset();
    remove_folder(env_, folder_).PermitUncheckedError(); // else the next process does it
  }

  store_status list() {
    std::vector<rocksdb::Env::FileAttributes> found;
    const auto status = env_.GetChildrenFileAttributes(folder_, &found);
    for (auto& each : found)
      if (is_file_name(each.name))
        files_.push_back({each.name, each.size_bytes});
    std::sort(files_.begin(), files_.end(), [](const file& a, const file& b) { return a.name < b.name; });
    return status_of(status, "the checkpoint in " + folder_ + " can't be listed");
  }

  [[nodiscard]] const std::vector<file>& files() const override { return files_; }

  [[nodiscard]] std::variant<std::string, store_status> read(std::size_t which, std::uint64_t offset,
                                                             std::size_t most) const override {
    if (which >= files_.size() || offset > files_[which].bytes)
      return store_status{store_errc::foreign, "there is no such part of the checkpoint in " + folder_};
    const auto& one = files_[which];
    const auto path = folder_ + "/" + one.name;
    rocksdb::Status status;
    if (!opened_ || opened_file_ != which) {
      status = env_.NewRandomAccessFile(path, &opened_, rocksdb::EnvOptions{});
      opened_file_ = which;
    }
    std::string bytes(std::min<std::uint64_t>(most, one.bytes - offset), '\0');
    rocksdb::Slice read;
    if (status.ok())
      status = opened_->Read(offset, bytes.size(), &read, bytes.data());
    if (status.ok() && read.size() != bytes.size())
      status = rocksdb::Status::Corruption("it is shorter than it was");
    if (!status.ok()) {
      opened_.reset();
      return status_of(status, path + " can't be read");
    }
    if (read.data() != bytes.data())
      bytes.assign(read.data(), read.size());
    return bytes;
  }

private:
  rocksdb::Env& env_;
  std::string folder_;
  std::vector<file> files_;
  mutable std::unique_ptr<rocksdb::RandomAccessFile> opened_;
  mutable std::size_t opened_file_ = 0;
};

class incoming final : public incoming_copy {
public:
  explicit incoming(const store_options& like)
      : env_{env_of(like.environment)}, like_{like}, folder_{replacement_of(like.folder.string())} {}
  ~incoming() override {
    file_.reset();
    if (!finished_)
      remove_folder(env_, folder_).PermitUncheckedError(); // else the next opening does it
  }

  store_status start() {
    auto status = remove_folder(env_, folder_); // also one that is complete: nobody took it
    if (status.ok())
      status = env_.CreateDirIfMissing(folder_);
    if (auto made = status_of(status, folder_ + " can't be made"); !made.ok())
      return made;
    if (auto made = begin_file(incomplete_name); !made.ok())
      return made;
    return end_file();
  }

  [[nodiscard]] store_status begin_file(std::string_view name) override {
    if (file_ || !is_file_name(name))
      return {store_errc::foreign, "no file of a checkpoint is called \"" + std::string{name} + "\""};
    name_ = folder_ + "/" + std::string{name};
    auto options = rocksdb::EnvOptions{};
    options.bytes_per_sync = bytes_per_sync;
    return said(env_.NewWritableFile(name_, &file_, options));
  }
  [[nodiscard]] store_status append(std::string_view bytes) override {
    return said(file_->Append({bytes.data(), bytes.size()}));
  }
  [[nodiscard]] store_status end_file() override {
    auto status = file_->Sync();
    if (status.ok())
      status = file_->Close();
    file_.reset();
    return said(status);
  }

  [[nodiscard]] std::variant<std::string, store_status> finish() override {
    name_ = folder_;
    rocksdb::Status status = sync_folder(*env_.GetFileSystem(), folder_);
    if (status.ok())
      status = env_.DeleteFile(folder_ + "/" + incomplete_name);
    if (!status.ok())
      return said(status);
    auto options = like_;
    options.folder = folder_;
    options.write_buffer_bytes = options.block_cache_bytes = few_bytes;
    options.budget = nullptr;
    std::string position;
    {
      auto opened = partition_store::open(std::move(options));
      if (auto* why = std::get_if<store_status>(&opened))
        return std::move(*why);
      const auto& store = std::get<std::unique_ptr<partition_store>>(opened);
      position = store->position();
      if (auto why = store->health(); !why.ok())
        return why;
    }
    status = mark_complete(env_, like_.folder.string());
    if (!status.ok())
      return said(status);
    finished_ = true;
    return position;
  }

private:
  [[nodiscard]] store_status said(const rocksdb::Status& status) const {
    return status_of(status, name_ + " can't be written");
  }

  rocksdb::Env& env_;
  store_options like_;
  std::string folder_;
  std::string name_;
  std::unique_ptr<rocksdb::WritableFile> file_;
  bool finished_ = false;
};

} // namespace

std::variant<std::unique_ptr<outgoing_copy>, store_status>
outgoing_copy::open(const std::filesystem::path& folder, store_environment* environment) {
  auto made = std::make_unique<outgoing>(env_of(environment), folder.string());
  if (auto status = made->list(); !status.ok())
    return status;
  return made;
}

store_status outgoing_copy::prepare_folder(const std::filesystem::path& folder,
                                           store_environment* environment) {
  auto& env = env_of(environment);
  auto status = env.CreateDirIfMissing(folder.string());
  std::vector<std::string> names;
  if (status.ok())
    status = env.GetChildren(folder.string(), &names);
  for (auto name = names.begin(); status.ok() && name != names.end(); ++name)
    if (*name != "." && *name != "..")
      status = remove_folder(env, folder.string() + "/" + *name);
  return status_of(status, "the folder " + folder.string() + " for checkpoints can't be prepared");
}

std::variant<std::unique_ptr<incoming_copy>, store_status> incoming_copy::begin(const store_options& like) {
  auto made = std::make_unique<incoming>(like);
  if (auto status = made->start(); !status.ok())
    return status;
  return made;
}

} // namespace vicket
