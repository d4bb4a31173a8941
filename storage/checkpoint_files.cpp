#include "storage/checkpoint_files.hpp"

#include "storage/log_scan.hpp"
#include "storage/store_files.hpp"
#include "storage/synced_lengths.hpp"

#include <algorithm>
#include <memory>

namespace vicket {

namespace {

using rocksdb::IOOptions;
using rocksdb::IOStatus;

constexpr std::size_t piece_bytes = 256 * 1024;

IOStatus begin_folder(rocksdb::FileSystem& files, const std::string& path) {
  auto status = files.CreateDirIfMissing(path, IOOptions{}, nullptr);
  auto names = std::vector<std::string>{};
  if (status.ok())
    status = files.GetChildren(path, IOOptions{}, &names, nullptr);
  if (!status.ok())
    return status;
  if (std::any_of(names.begin(), names.end(), [](const auto& name) { return name != "." && name != ".."; }))
    return IOStatus::InvalidArgument("the folder is not empty");
  auto mark = std::unique_ptr<rocksdb::FSWritableFile>{};
  status = files.NewWritableFile(path + "/" + incomplete_name, rocksdb::FileOptions{}, &mark, nullptr);
  if (status.ok())
    status = mark->Sync(IOOptions{}, nullptr);
  if (status.ok())
    status = mark->Close(IOOptions{}, nullptr);
  if (status.ok())
    status = sync_folder(files, path);
  return status.ok() ? sync_folder(files, path.substr(0, path.rfind('/') + 1)) : status;
}

IOStatus write_bytes(rocksdb::FileSystem& files, const std::string& path, const std::string& bytes) {
  auto file = std::unique_ptr<rocksdb::FSWritableFile>{};
  auto status = files.NewWritableFile(path, rocksdb::FileOptions{}, &file, nullptr);
  if (status.ok())
    status = file->Append(bytes, IOOptions{}, nullptr);
  if (status.ok())
    status = file->Sync(IOOptions{}, nullptr);
  return status.ok() ? file->Close(IOOptions{}, nullptr) : status;
}

/// The first so many bytes.
IOStatus copy_bytes(rocksdb::FileSystem& files, const std::string& from, const std::string& to,
                    std::uint64_t bytes) {
  auto source = std::unique_ptr<rocksdb::FSSequentialFile>{};
  auto copy = std::unique_ptr<rocksdb::FSWritableFile>{};
  auto status = files.NewSequentialFile(from, rocksdb::FileOptions{}, &source, nullptr);
  if (status.ok())
    status = files.NewWritableFile(to, rocksdb::FileOptions{}, &copy, nullptr);
  auto buffer = std::string(piece_bytes, '\0');
  while (status.ok() && bytes > 0) {
    auto piece = rocksdb::Slice{};
    status = source->Read(std::min<std::uint64_t>(bytes, piece_bytes), IOOptions{}, &piece, buffer.data(),
                          nullptr);
    if (status.ok() && piece.empty())
      return IOStatus::Corruption(from + " is shorter than it was");
    if (status.ok())
      status = copy->Append(piece, IOOptions{}, nullptr);
    bytes -= piece.size();
  }
  if (status.ok())
    status = copy->Sync(IOOptions{}, nullptr);
  return status.ok() ? copy->Close(IOOptions{}, nullptr) : status;
}

/// Only a table is never written to again: an opening may cut what is shared of another file.
IOStatus put_file(rocksdb::FileSystem& files, const rocksdb::LiveFileStorageInfo& file,
                  const std::string& to) {
  const auto from = file.directory + "/" + file.relative_filename;
  if (file.file_type == rocksdb::kTableFile || file.file_type == rocksdb::kBlobFile) {
    auto status = files.LinkFile(from, to, IOOptions{}, nullptr);
    if (!status.IsNotSupported()) // as it is across file systems
      return status;
  }
  return file.replacement_contents.empty() ? copy_bytes(files, from, to, file.size)
                                           : write_bytes(files, to, file.replacement_contents);
}

/// So that an opening knows a log that was cut since.
IOStatus note_lengths(rocksdb::Env& env, const std::string& folder) {
  auto lengths = read_synced_lengths(env, folder);
  if (!lengths)
    return IOStatus::Corruption("the manifest's length is not known");
  lengths->merge(whole_log_bytes(env, folder));
  return write_synced_lengths(*env.GetFileSystem(), folder, *lengths);
}

IOStatus copy_all(rocksdb::Env& env, const std::vector<rocksdb::LiveFileStorageInfo>& live,
                  const std::string& to) {
  auto& files = *env.GetFileSystem();
  auto status = begin_folder(files, to);
  for (auto file = live.begin(); status.ok() && file != live.end(); ++file)
    status = put_file(files, *file, to + "/" + file->relative_filename);
  if (status.ok())
    status = note_lengths(env, to);
  if (status.ok())
    status = sync_folder(files, to);
  if (status.ok())
    status = files.DeleteFile(to + "/" + incomplete_name, IOOptions{}, nullptr);
  return status.ok() ? sync_folder(files, to) : status;
}

} // namespace

store_status copy_live_files(rocksdb::Env& env, const std::vector<rocksdb::LiveFileStorageInfo>& files,
                             const std::string& to) {
  const auto status = copy_all(env, files, to);
  if (status.ok())
    return {};
  return {status.IsNoSpace() ? store_errc::full : store_errc::failed,
          "can't be copied to " + to + ": " + status.ToString()};
}

bool is_cut_off_copy(const std::vector<std::string>& names) {
  return std::find(names.begin(), names.end(), incomplete_name) != names.end();
}

} // namespace vicket
