#include "storage/replacement.hpp"

#include "storage/store_files.hpp"

#include <rocksdb/file_system.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace vicket {

namespace {

using rocksdb::IOOptions;
using rocksdb::Status;

constexpr auto complete_name = "COMPLETE";
constexpr auto moving_name = "MOVING";

bool is_absent(const Status& status) {
  return status.IsNotFound() || status.IsPathNotFound();
}

Status names_in(rocksdb::Env& env, const std::string& folder, std::vector<std::string>& names) {
  auto status = env.GetChildren(folder, &names);
  std::erase_if(names, [](const std::string& name) { return name == "." || name == ".."; });
  return status;
}

bool has(const std::vector<std::string>& names, const char* name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The folder that this one is in; a file system of a test may not know that there is one.
Status sync_above(rocksdb::Env& env, const std::string& folder) {
  const auto above = folder.substr(0, std::max<std::size_t>(folder.rfind('/'), 1));
  auto status = env.CreateDirIfMissing(above);
  return status.ok() ? Status{sync_folder(*env.GetFileSystem(), above)} : status;
}

Status remove_files(rocksdb::Env& env, const std::string& folder) {
  std::vector<std::string> names;
  auto status = names_in(env, folder, names);
  for (auto name = names.begin(); status.ok() && name != names.end(); ++name)
    status = env.DeleteFile(folder + "/" + *name);
  return status;
}

/// Moves what has not been moved.
Status move_files(rocksdb::Env& env, const std::string& from, const std::string& to) {
  std::vector<std::string> names;
  auto status = names_in(env, from, names);
  for (auto name = names.begin(); status.ok() && name != names.end(); ++name)
    if (*name != moving_name)
      status = env.RenameFile(from + "/" + *name, to + "/" + *name);
  if (status.ok())
    status = sync_folder(*env.GetFileSystem(), to);
  if (status.ok())
    status = sync_folder(*env.GetFileSystem(), from);
  return status;
}

} // namespace

std::string replacement_of(const std::string& folder) {
  return folder + ".new";
}

Status remove_folder(rocksdb::Env& env, const std::string& folder) {
  auto status = remove_files(env, folder);
  if (is_absent(status))
    return Status::OK();
  if (status.ok())
    status = env.DeleteDir(folder);
  return status.ok() ? sync_above(env, folder) : status;
}

Status mark_complete(rocksdb::Env& env, const std::string& folder) {
  const auto fresh = replacement_of(folder);
  auto status = env.CreateDirIfMissing(fresh);
  std::unique_ptr<rocksdb::WritableFile> file;
  if (status.ok())
    status = sync_above(env, fresh);
  if (status.ok())
    status = sync_folder(*env.GetFileSystem(), fresh);
  if (status.ok())
    status = env.NewWritableFile(fresh + "/" + complete_name, &file, rocksdb::EnvOptions{});
  if (status.ok())
    status = file->Sync();
  if (status.ok())
    status = file->Close();
  return status.ok() ? Status{sync_folder(*env.GetFileSystem(), fresh)} : status;
}

Status settle_replacement(rocksdb::Env& env, const std::string& folder) {
  const auto fresh = replacement_of(folder);
  std::vector<std::string> names;
  auto status = names_in(env, fresh, names);
  if (is_absent(status))
    return Status::OK();
  if (!status.ok())
    return status;
  if (has(names, complete_name)) {
    status = env.CreateDirIfMissing(folder);
    if (status.ok())
      status = remove_files(env, folder);
    if (status.ok())
      status = sync_folder(*env.GetFileSystem(), folder);
    if (status.ok())
      status = env.RenameFile(fresh + "/" + complete_name, fresh + "/" + moving_name);
    if (status.ok())
      status = sync_folder(*env.GetFileSystem(), fresh);
  }
  if (status.ok() && (has(names, complete_name) || has(names, moving_name)))
    status = move_files(env, fresh, folder);
  return status.ok() ? remove_folder(env, fresh) : status;
}

} // namespace vicket
