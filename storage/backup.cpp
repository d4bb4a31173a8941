#include "storage/backup.hpp"

#include "policy/sha256.hpp"
#include "storage/data_folder.hpp"
#include "storage/posix_file.hpp"
#include "storage/private_folder.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <set>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace vicket {

namespace {

namespace fs = std::filesystem;

constexpr auto manifest_name = "BACKUP.json";
constexpr auto new_manifest_name = "BACKUP.json.new";
constexpr ::mode_t file_mode = 0600;
constexpr ::mode_t folder_mode = 0700;
constexpr std::size_t piece_bytes = 1u << 20;

store_status failed(const fs::path& path, std::string_view what, int error) {
  const auto is_full = error == ENOSPC || error == EDQUOT;
  return {is_full ? store_errc::full : store_errc::failed,
          path.string() + " " + std::string{what} + ": " + std::generic_category().message(error)};
}

store_status damaged(const fs::path& backup, const std::string& why) {
  return {store_errc::corrupt, "backup " + backup.string() + " is damaged: " + why};
}

store_status stopped() {
  return {store_errc::failed, "the node is stopping"};
}

/// Whatever the number of the error: it says nothing of space that could be freed.
store_status sync_failed(const fs::path& path) {
  return {store_errc::failed, path.string() + " can't be synced: " + std::generic_category().message(errno)};
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const auto c : bytes) {
    text += digits[static_cast<unsigned char>(c) >> 4];
    text += digits[static_cast<unsigned char>(c) & 0x0f];
  }
  return text;
}

file_descriptor open_file(const fs::path& path, int how) {
  return file_descriptor{::open(path.c_str(), how | O_CLOEXEC, file_mode)};
}

bool write_all(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(to, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

using on_piece = std::function<store_status(std::string_view)>;

store_status read_pieces(const fs::path& path, const on_piece& take) {
  const auto file = open_file(path, O_RDONLY | O_NOFOLLOW);
  if (!file.valid())
    return failed(path, "can't be opened", errno);
  auto buffer = std::string(piece_bytes, '\0');
  for (;;) {
    const auto count = ::read(file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return failed(path, "can't be read", errno);
    if (count == 0)
      return {};
    if (auto status = take(std::string_view{buffer}.substr(0, static_cast<std::size_t>(count))); !status.ok())
      return status;
  }
}

struct summed {
  std::uint64_t bytes = 0;
  std::string sha256;
};

/// What the file has; with `to` it is copied there, and synced.
std::variant<summed, store_status> sum_file(const fs::path& from, const std::optional<fs::path>& to,
                                            const std::function<bool()>& go_on) {
  std::optional<file_descriptor> copy;
  if (to) {
    copy.emplace(open_file(*to, O_WRONLY | O_CREAT | O_EXCL));
    if (!copy->valid())
      return failed(*to, "can't be created", errno);
  }
  summed result;
  sha256_sum sum;
  auto status = read_pieces(from, [&](std::string_view piece) -> store_status {
    if (!go_on())
      return stopped();
    sum.add(piece);
    result.bytes += piece.size();
    if (copy && !write_all(copy->get(), piece))
      return failed(*to, "can't be written", errno);
    return {};
  });
  if (status.ok() && copy && ::fsync(copy->get()) != 0)
    status = sync_failed(*to);
  if (!status.ok())
    return status;
  result.sha256 = hex(sum.digest());
  return result;
}

store_status make_folder(const fs::path& path) {
  return ::mkdir(path.c_str(), folder_mode) == 0 ? store_status{} : failed(path, "can't be created", errno);
}

std::variant<std::vector<std::string>, store_status> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  auto error = std::error_code{};
  for (auto it = fs::directory_iterator{folder, error}; !error && it != fs::directory_iterator{};
       it.increment(error))
    names.push_back(it->path().filename().string());
  if (error)
    return failed(folder, "can't be listed", error.value());
  std::sort(names.begin(), names.end());
  return names;
}

/// From the scratch folder into the backup: by a hard link where there are any, since nobody writes to the file again.
std::variant<backup_manifest::file, store_status> take_file(const fs::path& from, const fs::path& to,
                                                            const std::function<bool()>& go_on) {
  const bool linked = ::link(from.c_str(), to.c_str()) == 0;
  auto sum = sum_file(from, linked ? std::nullopt : std::optional{to}, go_on);
  if (auto* why = std::get_if<store_status>(&sum))
    return std::move(*why);
  auto& is = std::get<summed>(sum);
  return backup_manifest::file{from.filename().string(), is.bytes, std::move(is.sha256)};
}

std::variant<backup_manifest::store, store_status> take_store(const backup_work& work,
                                                              const backed_up_store& one) {
  const auto scratch = work.scratch / one.name;
  if (auto status = one.store->flush(); !status.ok())
    return status;
  partition_store::moment as_of;
  if (auto status = one.store->checkpoint(scratch, &as_of); !status.ok())
    return status;
  const auto& last = as_of.last;
  backup_manifest::store made{one.name,         last.epoch,          last.number, last.next_sequence,
                              last.oldest_kept, hex(as_of.position), {}};
  if (auto status = make_folder(work.to / one.name); !status.ok())
    return status;
  const auto names = names_in(scratch);
  if (const auto* why = std::get_if<store_status>(&names))
    return *why;
  for (const auto& name : std::get<0>(names)) {
    auto file = take_file(scratch / name, work.to / one.name / name, work.go_on);
    if (auto* why = std::get_if<store_status>(&file))
      return std::move(*why);
    made.files.push_back(std::get<0>(std::move(file)));
  }
  auto error = std::error_code{};
  fs::remove_all(scratch, error); // at the end all of it goes again
  if (!sync_folder(work.to / one.name))
    return sync_failed(work.to / one.name);
  return made;
}

store_status write_manifest(const fs::path& folder, const backup_manifest& value) {
  const auto fresh = folder / new_manifest_name;
  {
    const auto file = open_file(fresh, O_WRONLY | O_CREAT | O_EXCL);
    if (!file.valid())
      return failed(fresh, "can't be created", errno);
    errno = ENOSPC; // what is meant when less is written than was given
    if (!write_all(file.get(), backup_manifest_to_json(value) + "\n"))
      return failed(fresh, "can't be written", errno);
    if (::fsync(file.get()) != 0)
      return sync_failed(fresh);
  }
  if (!sync_folder(folder)) // what it names first
    return sync_failed(folder);
  if (::rename(fresh.c_str(), (folder / manifest_name).c_str()) != 0)
    return failed(fresh, "can't be renamed", errno);
  if (!sync_folder(folder))
    return sync_failed(folder);
  return sync_folder(folder.parent_path()) ? store_status{} : sync_failed(folder.parent_path());
}

std::variant<backup_manifest, store_status> write_all_of(const backup_work& work) {
  auto made = work.about;
  for (const auto& one : work.stores) {
    if (!work.go_on())
      return stopped();
    auto store = take_store(work, one);
    if (auto* why = std::get_if<store_status>(&store))
      return std::move(*why);
    made.stores.push_back(std::get<0>(std::move(store)));
  }
  if (auto status = write_manifest(work.to, made); !status.ok())
    return status;
  return made;
}

/// Follows nothing, but opened like that it stays as it is.
store_status compare_store(const fs::path& folder, const backup_manifest::store& is) {
  store_options options;
  options.folder = folder;
  options.follows = true;
  const auto opened = partition_store::open(std::move(options));
  if (const auto* why = std::get_if<store_status>(&opened))
    return *why;
  const auto& store = *std::get<0>(opened);
  const auto last = store.last_round();
  if (last.number != is.round || last.epoch != is.epoch || last.next_sequence != is.next_sequence ||
      last.oldest_kept != is.oldest_kept || hex(store.position()) != is.position)
    return {store_errc::corrupt, folder.string() +
                                     " is not the store that the manifest says, but ends with round " +
                                     std::to_string(last.number) + " of epoch " + std::to_string(last.epoch)};
  return store.health();
}

/// That all partitions of a single node are there, and nothing else.
std::optional<std::string> stores_complaint(const backup_manifest& is) {
  std::set<std::string> expected{data_folder::settings_in("").string()};
  for (std::uint32_t i = 0; i < is.partitions; ++i)
    expected.insert(data_folder::partition_in("", i).string());
  for (const auto& one : is.stores)
    if (expected.erase(one.name) == 0)
      return "it has a store " + one.name + " that a folder of " + std::to_string(is.partitions) +
             " partitions has not";
  return expected.empty() ? std::nullopt : std::optional{"it lacks " + *expected.begin()};
}

} // namespace

std::variant<backup_manifest, store_status> write_backup(const backup_work& work) {
  if (auto status = make_private_folder(work.to); !status.ok())
    return status;
  auto error = std::error_code{};
  fs::remove_all(work.scratch, error);
  if (auto status = make_folder(work.scratch); !status.ok())
    return status;
  auto made = write_all_of(work);
  fs::remove_all(work.scratch, error);
  return made;
}

std::variant<backup_manifest, store_status> read_backup(const fs::path& from) {
  auto error = std::error_code{};
  if (!fs::exists(from / manifest_name, error))
    return store_status{store_errc::foreign, from.string() + " has no file " + manifest_name +
                                                 ": it is no backup, or one that did not come to its end"};
  std::string text;
  auto status = read_pieces(from / manifest_name, [&](std::string_view piece) -> store_status {
    text += piece;
    return text.size() <= backup_manifest::max_json_bytes ? store_status{}
                                                          : damaged(from, "its manifest is too large");
  });
  if (!status.ok())
    return status;
  auto read = backup_manifest_from_json(text);
  if (const auto* why = std::get_if<std::string>(&read))
    return damaged(from, "its manifest: " + *why);
  auto& is = std::get<backup_manifest>(read);
  if (is.folder_format > data_folder::format_version)
    return store_status{store_errc::foreign,
                        "backup " + from.string() + " is of a data folder of format " +
                            std::to_string(is.folder_format) + ", newer than this program's " +
                            std::to_string(data_folder::format_version) + ": use a newer vicketd"};
  for (const auto& store : is.stores)
    for (const auto& file : store.files) {
      const auto bytes = fs::file_size(from / store.name / file.name, error);
      if (error)
        return damaged(from, store.name + "/" + file.name + " can't be read: " + error.message());
      if (bytes != file.bytes)
        return damaged(from, store.name + "/" + file.name + " has " + std::to_string(bytes) + " bytes, not " +
                                 std::to_string(file.bytes));
    }
  return std::move(is);
}

store_status restore_store(const fs::path& from, const backup_manifest::store& which, const fs::path& to) {
  if (auto status = make_folder(to); !status.ok())
    return status;
  for (const auto& file : which.files) {
    const auto sum = sum_file(from / which.name / file.name, to / file.name, [] { return true; });
    if (const auto* why = std::get_if<store_status>(&sum))
      return *why;
    const auto& is = std::get<summed>(sum);
    if (is.bytes != file.bytes || is.sha256 != file.sha256)
      return damaged(from, which.name + "/" + file.name + " has another checksum than its manifest says");
  }
  if (!sync_folder(to))
    return sync_failed(to);
  auto status = compare_store(to, which);
  return status.ok() ? status : damaged(from, status.detail);
}

std::variant<backup_manifest, store_status> restore_folder(const fs::path& from, const fs::path& to) {
  auto read = read_backup(from);
  if (auto* why = std::get_if<store_status>(&read))
    return std::move(*why);
  const auto& is = std::get<backup_manifest>(read);
  if (is.cluster)
    return store_status{store_errc::foreign, "backup " + from.string() + " is of node " + is.cluster->node +
                                                 " of a cluster, and not of a single node"};
  if (is.partitions < 1 || is.partitions > data_folder::max_partitions)
    return damaged(from, "it has " + std::to_string(is.partitions) + " partitions");
  if (const auto why = stores_complaint(is))
    return damaged(from, *why);
  const auto status =
      data_folder::fill_new(to, is.folder_format, is.partitions, is.key_fingerprint, [&]() -> store_status {
        auto filled = store_status{};
        for (auto one = is.stores.begin(); filled.ok() && one != is.stores.end(); ++one) {
          auto error = std::error_code{};
          fs::remove(to / one->name, error); // an empty one of a creation that was cut off
          filled = restore_store(from, *one, to / one->name);
        }
        if (filled.ok())
          return sync_folder(to) ? store_status{} : sync_failed(to);
        auto error = std::error_code{};
        for (const auto& one : is.stores)
          fs::remove_all(to / one.name, error);
        return filled;
      });
  if (!status.ok())
    return status;
  return read;
}

} // namespace vicket
