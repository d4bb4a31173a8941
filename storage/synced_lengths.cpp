#include "storage/synced_lengths.hpp"

#include "storage/log_scan.hpp"
#include "storage/store_files.hpp"

#include <charconv>
#include <memory>
#include <string_view>

namespace vicket {

namespace {

using rocksdb::IOOptions;
using rocksdb::IOStatus;

constexpr auto file_name = "/SYNCED";
constexpr auto new_file_name = "/SYNCED.new";
constexpr auto sum_name = std::string_view{"crc32c"};

std::string line_of(std::string_view name, std::uint64_t value) {
  return std::string{name} + " " + std::to_string(value) + "\n";
}

std::string text_of(const synced_lengths& lengths) {
  auto text = std::string{};
  for (const auto& [name, length] : lengths)
    text += line_of(name, length);
  return text + line_of(sum_name, crc32c(text));
}

std::string current_manifest(rocksdb::Env& env, const std::string& folder) {
  auto name = std::string{};
  if (!rocksdb::ReadFileToString(&env, folder + "/CURRENT", &name).ok())
    return {};
  while (name.ends_with('\n'))
    name.pop_back();
  return name;
}

IOStatus write_file(rocksdb::FileSystem& files, const std::string& path, const std::string& text) {
  auto file = std::unique_ptr<rocksdb::FSWritableFile>{};
  auto status = files.NewWritableFile(path, rocksdb::FileOptions{}, &file, nullptr);
  if (status.ok())
    status = file->Append(text, IOOptions{}, nullptr);
  if (status.ok())
    status = file->Sync(IOOptions{}, nullptr);
  if (status.ok())
    status = file->Close(IOOptions{}, nullptr);
  return status;
}

IOStatus remove_if_there(rocksdb::FileSystem& files, const std::string& path) {
  const auto found = files.FileExists(path, IOOptions{}, nullptr);
  return found.IsNotFound() ? IOStatus::OK() : files.DeleteFile(path, IOOptions{}, nullptr);
}

} // namespace

std::optional<synced_lengths> read_synced_lengths(rocksdb::Env& env, const std::string& folder) {
  auto text = std::string{};
  if (!rocksdb::ReadFileToString(&env, folder + file_name, &text).ok())
    return std::nullopt;
  auto result = synced_lengths{};
  for (auto at = std::size_t{0}; at < text.size();) {
    const auto end = text.find('\n', at);
    const auto line = std::string_view{text}.substr(at, end == std::string::npos ? end : end - at);
    const auto blank = line.find(' ');
    auto value = std::uint64_t{0};
    if (end == std::string::npos || blank == std::string_view::npos ||
        std::from_chars(line.data() + blank + 1, line.data() + line.size(), value).ec != std::errc{})
      return std::nullopt;
    const auto name = line.substr(0, blank);
    if (name == sum_name)
      return end + 1 == text.size() && value == crc32c(std::string_view{text}.substr(0, at)) &&
                     result.contains(current_manifest(env, folder))
                 ? std::optional{result}
                 : std::nullopt;
    result.emplace(name, value);
    at = end + 1;
  }
  return std::nullopt;
}

IOStatus write_synced_lengths(rocksdb::FileSystem& files, const std::string& folder,
                              const synced_lengths& lengths) {
  const auto fresh = folder + new_file_name;
  auto status = write_file(files, fresh, text_of(lengths));
  if (status.ok())
    status = files.RenameFile(fresh, folder + file_name, IOOptions{}, nullptr);
  return status.ok() ? status : remove_if_there(files, folder + file_name);
}

IOStatus remove_synced_lengths(rocksdb::FileSystem& files, const std::string& folder) {
  if (files.FileExists(folder + file_name, IOOptions{}, nullptr).IsNotFound())
    return IOStatus::OK();
  auto status = files.DeleteFile(folder + file_name, IOOptions{}, nullptr);
  return status.ok() ? sync_folder(files, folder) : status;
}

} // namespace vicket
