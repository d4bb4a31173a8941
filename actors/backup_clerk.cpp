#include "actors/backup_clerk.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

namespace vicket {

namespace {

namespace fs = std::filesystem;

constexpr auto scratch_name = "backup.new";
constexpr std::size_t max_name_bytes = 128;

/// Of the folder alone. One that begins with a point is easily overlooked.
bool is_plain(const std::string& name) {
  return !name.empty() && name.size() <= max_name_bytes && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '_' || c == '.' || c == ':' || c == '+';
         });
}

/// What passes by itself is told apart from a folder that is another's, or has something in it.
errc code_of(store_errc code) {
  switch (code) {
  case store_errc::full:
    return errc::storage_full;
  case store_errc::foreign:
    return errc::forbidden;
  default:
    return errc::unavailable;
  }
}

} // namespace

std::variant<fs::path, refusal> place_of_backup(const fs::path& root, const std::string& asked) {
  if (root.empty())
    return refusal{errc::forbidden,
                   "this node makes no backups: start it with --backup-root FOLDER, below which they may be"};
  auto path = fs::path{asked};
  if (!path.has_filename() && path.has_relative_path()) // a slash at the end
    path = path.parent_path();
  if (asked.size() > make_backup::max_path_bytes || !path.is_absolute() || path.parent_path() != root ||
      !is_plain(path.filename().string()))
    return refusal{errc::forbidden, "a backup of this node is a folder directly below " + root.string() +
                                        ", as " + (root / "2026-05-23").string() +
                                        ", with a name of at most " + std::to_string(max_name_bytes) +
                                        " characters of A-Z a-z 0-9 - _ . : +"};
  return path;
}

backup_clerk::backup_clerk(handle::pointer, setup with) : with_{std::move(with)} {
  // Of one that a crash cut off: as long as it is there the tables in it take room.
  auto error = std::error_code{};
  fs::remove_all(with_.data_dir / scratch_name, error);
}

backup_clerk::handle::behavior_type backup_clerk::make_behavior() {
  return {[this](const make_backup& request) { return make(request); }};
}

caf::result<backup_made> backup_clerk::make(const make_backup& request) const {
  const auto place = place_of_backup(with_.root, request.folder);
  if (const auto* why = std::get_if<refusal>(&place))
    return make_refusal(*why);
  backup_work work;
  work.to = std::get<fs::path>(place);
  work.scratch = with_.data_dir / scratch_name;
  for (const auto& one : with_.stores)
    if (!with_.clustered || !one.store->position().empty())
      work.stores.push_back(one);
  work.about = with_.about;
  work.about.made_at = with_.clock->now();
  work.go_on = [ending = with_.ending] { return !ending->load(); };
  const auto made = write_backup(work);
  if (const auto* why = std::get_if<store_status>(&made))
    return make_refusal(code_of(why->code), "no backup was made: " + why->detail);
  backup_made answer;
  answer.folder = work.to.string();
  answer.made_at = work.about.made_at;
  const auto& stores = std::get<backup_manifest>(made).stores;
  answer.stores = static_cast<std::uint32_t>(stores.size());
  for (const auto& store : stores)
    for (const auto& file : store.files) {
      ++answer.files;
      answer.bytes += file.bytes;
    }
  return answer;
}

} // namespace vicket
