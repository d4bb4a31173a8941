#include "storage/testing/disk_content.hpp"

#include "policy/assertion.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace vicket::internal {

namespace {

constexpr std::uint64_t block_bytes = 4'096; // that a disk writes whole or not at all: a page

bool coin(std::mt19937_64& random) {
  return (random() & 1) != 0;
}

/// Calls `use` with each piece of [begin, end) that lies in one block.
template <class Use>
void for_each_block(std::uint64_t begin, std::uint64_t end, Use use) {
  while (begin < end) {
    const auto next = std::min(end, (begin / block_bytes + 1) * block_bytes);
    use(begin, next);
    begin = next;
  }
}

void fill_with_zeros(std::string& bytes, std::uint64_t begin, std::uint64_t end) {
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(begin),
            bytes.begin() + static_cast<std::ptrdiff_t>(end), '\0');
}

} // namespace

std::string folder_of(const std::string& path) {
  const auto end = path.rfind('/');
  return end == 0 || end == std::string::npos ? "/" : path.substr(0, end);
}

// -- a file -------------------------------------------------------------------------------------------------

disk_file::disk_file(std::string bytes)
    : bytes_(std::make_shared<std::string>(std::move(bytes))), synced_to_(bytes_->size()) {}

void disk_file::append(std::string_view bytes, std::uint64_t now_us) {
  if (bytes_.use_count() > 1)
    bytes_ = std::make_shared<std::string>(*bytes_);
  bytes_->append(bytes);
  modified_us_ = now_us;
}

void disk_file::truncate(std::uint64_t size) {
  VICKET_ASSERT(size <= bytes_->size());
  bytes_ = std::make_shared<std::string>(bytes_->substr(0, size));
  synced_to_ = std::min(synced_to_, size);
  std::erase_if(in_doubt_, [size](const range& x) { return x.begin >= size; });
  if (!in_doubt_.empty())
    in_doubt_.back().end = std::min(in_doubt_.back().end, size);
}

void disk_file::sync_failed() {
  if (synced_to_ == size())
    return;
  if (!in_doubt_.empty() && in_doubt_.back().end == synced_to_)
    in_doubt_.back().end = size();
  else
    in_doubt_.push_back({synced_to_, size()});
  synced_to_ = size();
}

std::uint64_t disk_file::end_of_safe() const {
  return !in_doubt_.empty() && in_doubt_.back().end == synced_to_ ? in_doubt_.back().begin : synced_to_;
}

std::shared_ptr<const std::string> disk_file::safe_bytes() const {
  const auto end = end_of_safe();
  if (end == size() && in_doubt_.empty())
    return bytes_;
  auto result = bytes_->substr(0, end);
  for (const auto& [from, to] : in_doubt_)
    if (from < end)
      fill_with_zeros(result, from, to);
  return std::make_shared<const std::string>(std::move(result));
}

std::string disk_file::bytes_after(power_loss loss, std::mt19937_64& random) const {
  const auto safe_end = end_of_safe();
  auto result = *bytes_;
  for (const auto& [from, to] : in_doubt_)
    if (from < safe_end)
      for_each_block(from, to, [&](std::uint64_t begin, std::uint64_t end) {
        if (loss == power_loss::dropped || coin(random))
          fill_with_zeros(result, begin, end);
      });
  auto end_of_file = safe_end;
  if (loss == power_loss::torn)
    end_of_file += random() % (size() - safe_end + 1);
  if (loss == power_loss::reordered)
    for_each_block(safe_end, size(), [&](std::uint64_t begin, std::uint64_t end) {
      if (coin(random))
        end_of_file = end;
      else
        fill_with_zeros(result, begin, end);
    });
  result.resize(end_of_file);
  return result;
}

void disk_file::everything_is_safe() {
  synced_to_ = size();
  in_doubt_.clear();
}

// -- folders ------------------------------------------------------------------------------------------------

std::vector<std::string> disk_content::children(const std::string& folder) const {
  auto result = std::vector<std::string>{};
  const auto prefix = folder == "/" ? folder : folder + "/";
  for (const auto& [path, file] : names_)
    if (folder_of(path) == folder)
      result.push_back(path.substr(prefix.size()));
  for (const auto& path : folders_)
    if (path != "/" && folder_of(path) == folder)
      result.push_back(path.substr(prefix.size()));
  std::sort(result.begin(), result.end());
  return result;
}

void disk_content::sync_folder(const std::string& folder) {
  const auto is_elsewhere = [&folder](const name_change& change) {
    return folder_of(change.path) != folder && (change.from.empty() || folder_of(change.from) != folder);
  };
  const auto here = std::stable_partition(unsynced_.begin(), unsynced_.end(), is_elsewhere);
  for (auto it = here; it != unsynced_.end(); ++it)
    apply(*it, safe_names_);
  unsynced_.erase(here, unsynced_.end());
}

// -- names --------------------------------------------------------------------------------------------------

void disk_content::apply(const name_change& change, name_map& names) {
  switch (change.kind) {
  case change_kind::create:
    names[change.path] = change.file;
    break;
  case change_kind::rename:
    names.erase(change.from);
    names[change.path] = change.file;
    break;
  case change_kind::remove:
    // Not a later file of the same name, whose own change is another one.
    if (const auto found = names.find(change.path); found != names.end() && found->second == change.file)
      names.erase(found);
    break;
  }
}

disk_content::file_ptr disk_content::find(const std::string& path) const {
  const auto found = names_.find(path);
  return found == names_.end() ? nullptr : found->second;
}

disk_content::file_ptr disk_content::create(const std::string& path) {
  unsynced_.push_back({change_kind::create, path, {}, std::make_shared<disk_file>()});
  apply(unsynced_.back(), names_);
  return unsynced_.back().file;
}

void disk_content::rename(const std::string& from, const std::string& to) {
  unsynced_.push_back({change_kind::rename, to, from, names_.at(from)});
  apply(unsynced_.back(), names_);
}

void disk_content::remove(const std::string& path) {
  unsynced_.push_back({change_kind::remove, path, {}, names_.at(path)});
  apply(unsynced_.back(), names_);
}

void disk_content::closed(const file_ptr& file) {
  const auto found = open_.find(file);
  VICKET_ASSERT(found != open_.end());
  if (--found->second == 0)
    open_.erase(found);
}

std::uint64_t disk_content::used_bytes() const {
  auto result = std::uint64_t{0};
  auto named = std::set<file_ptr>{};
  for (const auto& [path, file] : names_) {
    result += file->size();
    named.insert(file);
  }
  for (const auto& [file, count] : open_)
    if (!named.contains(file))
      result += file->size();
  return result;
}

// -- power --------------------------------------------------------------------------------------------------

void disk_content::lose_power(power_loss loss, std::mt19937_64& random, const loss_report& report) {
  VICKET_ASSERT(open_.empty());
  if (loss == power_loss::none) {
    for (const auto& [path, file] : names_)
      file->everything_is_safe();
    safe_names_ = names_;
    unsynced_.clear();
    return;
  }
  auto changes = std::map<std::string, std::uint64_t>{}; // of each folder; then those of them that are kept
  for (const auto& change : unsynced_)
    ++changes[folder_of(change.path)];
  for (auto& [folder, count] : changes)
    count = loss == power_loss::dropped ? 0 : random() % (count + 1);
  for (const auto& change : unsynced_) {
    auto& kept = changes.at(folder_of(change.path));
    const auto is_kept = kept > 0;
    if (is_kept) {
      --kept;
      apply(change, safe_names_);
    }
    constexpr auto kinds = std::array<std::string_view, 3>{"create", "rename", "remove"};
    report(change.path,
           std::string{kinds[static_cast<std::size_t>(change.kind)]} + (is_kept ? " kept" : " undone"));
  }
  unsynced_.clear();
  for (auto& [path, file] : safe_names_) {
    constexpr auto ways = std::array{power_loss::dropped, power_loss::torn, power_loss::reordered};
    const auto way = loss == power_loss::chance ? ways[random() % ways.size()] : loss;
    auto found = file->bytes_after(way, random);
    if (found != file->bytes())
      report(path, std::to_string(file->size()) + " bytes, now " + std::to_string(found.size()));
    file = std::make_shared<disk_file>(std::move(found));
  }
  names_ = safe_names_;
}

// -- copies -------------------------------------------------------------------------------------------------

sim_disk::folder_copy disk_content::copy(const std::string& folder) const {
  auto result = sim_disk::folder_copy{};
  for (const auto& [path, file] : safe_names_)
    if (folder_of(path) == folder)
      result.emplace(path.substr(path.rfind('/') + 1), file->safe_bytes());
  return result;
}

void disk_content::restore(const std::string& folder, const sim_disk::folder_copy& files) {
  const auto is_here = [&folder](const auto& entry) { return folder_of(entry.first) == folder; };
  sync_folder(folder);
  std::erase_if(names_, is_here);
  std::erase_if(safe_names_, is_here);
  make_folder(folder);
  for (const auto& [name, bytes] : files)
    put((folder == "/" ? folder : folder + "/") + name, *bytes);
}

void disk_content::put(const std::string& path, std::string bytes) {
  std::erase_if(unsynced_, [&path](const name_change& x) { return x.path == path || x.from == path; });
  names_[path] = safe_names_[path] = std::make_shared<disk_file>(std::move(bytes));
}

} // namespace vicket::internal
