#include "storage/data_folder.hpp"

#include "policy/assertion.hpp"
#include "storage/posix_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace vicket {

namespace {

namespace fs = std::filesystem;

constexpr auto marker_name = "VICKET";
constexpr auto new_marker_name = "VICKET.new";
constexpr auto lock_name = "LOCK";
constexpr std::string_view marker_title = "vicket-data-folder";
constexpr std::string_view key_line = "secret-key";
constexpr std::string_view cluster_line = "cluster";
constexpr std::string_view splitting_line = "splitting\n";
constexpr auto split_name = "split";
constexpr std::size_t fingerprint_digits = 16;
constexpr std::uint32_t first_format_with_key = 2;
constexpr std::uint32_t first_format_with_settings = 3;
constexpr auto settings_name = "settings";
constexpr std::size_t max_marker_bytes = 4 * 1024;
constexpr ::mode_t folder_mode = 0700; // connectors' secrets lie in it
constexpr ::mode_t file_mode = 0600;

store_status failed(const fs::path& path, std::string_view what, int error) {
  const auto is_full = error == ENOSPC || error == EDQUOT;
  return {is_full ? store_errc::full : store_errc::failed,
          "data folder " + path.string() + ": " + std::string{what} + ": " + std::strerror(error) +
              (is_full ? "; free some space, then start again" : "")};
}

/// Whatever the number: it says nothing of space that could be freed (rule 4).
store_status sync_failed(const fs::path& path, int error) {
  return {store_errc::failed, "data folder " + path.string() +
                                  ": can't write the file VICKET: a sync failed: " + std::strerror(error)};
}

store_status refused(store_errc code, const fs::path& path, std::string_view why) {
  return {code, "data folder " + path.string() + " " + std::string{why}};
}

std::string read_all(int descriptor, std::size_t max_bytes) {
  auto text = std::string(max_bytes, '\0');
  const auto count = ::pread(descriptor, text.data(), text.size(), 0);
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return text;
}

std::optional<std::string> read_file(const fs::path& path) {
  const auto file = file_descriptor{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file.valid())
    return std::nullopt;
  return read_all(file.get(), max_marker_bytes);
}

// -- the marker ---------------------------------------------------------------------------------------------

struct marker {
  std::uint32_t format = 0;
  std::uint32_t partitions = 0;
  std::optional<std::string> key;
  std::optional<data_folder::cluster_place> cluster;
  bool splitting = false; ///< `partitions` lie in `split`, or in their places already
};

std::string to_text(const marker& value) {
  return std::string{marker_title} + "\nformat " + std::to_string(value.format) + "\npartitions " +
         std::to_string(value.partitions) + "\n" +
         (value.key ? std::string{key_line} + " " + *value.key + "\n" : std::string{}) +
         (value.cluster
              ? std::string{cluster_line} + " " + value.cluster->uuid + " " + value.cluster->node + "\n"
              : std::string{}) +
         (value.splitting ? std::string{splitting_line} : std::string{});
}

bool take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected))
    return false;
  text.remove_prefix(expected.size());
  return true;
}

std::optional<std::uint32_t> take_number_line(std::string_view& text, std::string_view name) {
  auto value = std::uint32_t{0};
  if (!take(text, name) || !take(text, " "))
    return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return error == std::errc{} && take(text, "\n") ? std::optional{value} : std::nullopt;
}

std::optional<std::string> take_key_line(std::string_view& text) {
  const auto line = text.substr(0, text.find('\n'));
  const auto value = line.substr(std::min(key_line.size() + 1, line.size()));
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (!line.starts_with(key_line) || value.size() != fingerprint_digits ||
      !std::all_of(value.begin(), value.end(), is_digit) || line.size() == text.size())
    return std::nullopt;
  auto key = std::string{value};
  text.remove_prefix(line.size() + 1);
  return key;
}

std::optional<data_folder::cluster_place> take_cluster_line(std::string_view& text) {
  const auto line = text.substr(0, text.find('\n'));
  const auto first = line.find(' ');
  const auto second = line.find(' ', std::min(first, line.size() - 1) + 1);
  if (line.size() == text.size() || line.substr(0, first) != cluster_line || second >= line.size() - 1)
    return std::nullopt;
  data_folder::cluster_place place{std::string{line.substr(first + 1, second - first - 1)},
                                   std::string{line.substr(second + 1)}};
  text.remove_prefix(line.size() + 1);
  return place;
}

/// The format comes first, so that a newer one is recognized whatever else its marker says.
std::variant<marker, store_status> parse_marker(const fs::path& path, std::string_view text) {
  const auto is_ours = take(text, marker_title) && take(text, "\n");
  const auto format = is_ours ? take_number_line(text, "format") : std::nullopt;
  if (!format)
    return refused(store_errc::foreign, path, "has a file VICKET that this program did not write");
  if (*format > data_folder::format_version)
    return refused(store_errc::foreign, path,
                   "has format " + std::to_string(*format) + ", newer than this program's " +
                       std::to_string(data_folder::format_version) + ": use a newer vicketd");
  const auto partitions = take_number_line(text, "partitions");
  auto key = take_key_line(text);
  const bool splitting = text.ends_with(splitting_line);
  if (splitting)
    text.remove_suffix(splitting_line.size());
  auto cluster = text.empty() ? std::nullopt : take_cluster_line(text);
  if (!partitions || *partitions < 1 || *partitions > data_folder::max_partitions || !text.empty() ||
      (key && *format < first_format_with_key))
    return refused(store_errc::corrupt, path, "has a damaged file VICKET");
  return marker{*format, *partitions, std::move(key), std::move(cluster), splitting};
}

store_status write_marker(const fs::path& path, const marker& value) {
  const auto temporary = path / new_marker_name;
  const auto text = to_text(value);
  {
    const auto file =
        file_descriptor{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, file_mode)};
    if (!file.valid())
      return failed(path, "can't create the file VICKET", errno);
    errno = ENOSPC; // what is meant when less is written than was given
    if (::write(file.get(), text.data(), text.size()) != static_cast<::ssize_t>(text.size()))
      return failed(path, "can't write the file VICKET", errno);
    if (::fsync(file.get()) != 0)
      return sync_failed(path, errno);
  }
  if (::rename(temporary.c_str(), (path / marker_name).c_str()) != 0)
    return failed(path, "can't write the file VICKET", errno);
  if (!sync_folder(path))
    return sync_failed(path, errno);
  return {};
}

// -- folder and lock ----------------------------------------------------------------------------------------

std::string partition_name(std::uint32_t number) {
  return "partition-" + std::to_string(number);
}

/// What a creation that was cut off leaves, and what a fresh volume has by itself.
bool may_precede_marker(const fs::directory_entry& entry) {
  const auto name = entry.path().filename().string();
  auto error = std::error_code{};
  return name == lock_name || name == new_marker_name || name == "lost+found" || name == "secret.key" ||
         ((name.starts_with("partition-") || name == settings_name) && fs::is_empty(entry.path(), error) &&
          !error);
}

/// A folder without marker may become ours only when there is nothing in it.
store_status check_unmarked(const fs::path& path) {
  auto error = std::error_code{};
  for (auto it = fs::directory_iterator{path, error}; !error && it != fs::directory_iterator{};
       it.increment(error))
    if (!may_precede_marker(*it))
      return refused(store_errc::foreign, path,
                     "is not empty and has no file VICKET, so it is none of ours (it has " +
                         it->path().filename().string() + "): name another one");
  return error ? failed(path, "can't be listed", error.value()) : store_status{};
}

store_status create_folder(const fs::path& path) {
  auto error = std::error_code{};
  const auto absolute = fs::absolute(path, error);
  const auto parent = absolute.has_filename() ? absolute.parent_path() : absolute.parent_path().parent_path();
  if (!error)
    fs::create_directories(parent, error);
  if (error)
    return failed(path, "can't be created", error.value());
  if (::mkdir(path.c_str(), folder_mode) != 0 && errno != EEXIST)
    return failed(path, "can't be created", errno);
  if (!fs::is_directory(path, error))
    return refused(store_errc::foreign, path, "is not a folder");
  return {};
}

std::variant<file_descriptor, store_status> lock_folder(const fs::path& path) {
  auto file = file_descriptor{::open((path / lock_name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, file_mode)};
  if (!file.valid())
    return failed(path, "can't open its file LOCK", errno);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK)
      return failed(path, "can't lock its file LOCK", errno);
    auto owner = read_all(file.get(), 32);
    owner.erase(std::find(owner.begin(), owner.end(), '\n'), owner.end());
    return refused(store_errc::locked, path,
                   "is in use by process " + (owner.empty() ? std::string{"(unknown)"} : owner));
  }
  // For the message of the next one that tries; the lock itself is the kernel's, and ends with the process.
  const auto owner = std::to_string(::getpid()) + "\n";
  errno = ENOSPC; // as above
  if (::ftruncate(file.get(), 0) != 0 ||
      ::pwrite(file.get(), owner.data(), owner.size(), 0) != static_cast<::ssize_t>(owner.size()))
    return failed(path, "can't write its file LOCK", errno);
  return file;
}

store_status create_part(const fs::path& path, const std::string& name) {
  if (::mkdir((path / name).c_str(), folder_mode) != 0 && errno != EEXIST)
    return failed(path, "can't create " + name, errno);
  return {};
}

store_status create_partitions(const fs::path& path, std::uint32_t count) {
  for (auto number = std::uint32_t{0}; number < count; ++number)
    if (auto status = create_part(path, partition_name(number)); !status.ok())
      return status;
  if (auto status = create_part(path, settings_name); !status.ok())
    return status;
  return write_marker(path, {data_folder::format_version, count, std::nullopt, std::nullopt, false});
}

/// A partition that is gone must not be replaced by an empty one: its events would be lost without a word.
store_status check_partitions(const fs::path& path, const marker& marked) {
  auto error = std::error_code{};
  for (auto number = std::uint32_t{0}; number < marked.partitions; ++number)
    if (!fs::is_directory(path / partition_name(number), error))
      return refused(store_errc::corrupt, path,
                     "lacks " + partition_name(number) + " of its " + std::to_string(marked.partitions) +
                         " partitions: restore it");
  if (marked.format >= first_format_with_settings && !fs::is_directory(path / settings_name, error))
    return refused(store_errc::corrupt, path, "lacks its partition settings: restore it");
  return {};
}

// -- more partitions of fewer ---------------------------------------------------------------------------------

store_status move_folder(const fs::path& root, const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0)
    return failed(root, "can't move " + from.filename().string(), errno);
  if (!sync_folder(from.parent_path()) || !sync_folder(to.parent_path()))
    return sync_failed(root, errno);
  return {};
}

/// Any part of it may have been done before.
store_status finish_split(const fs::path& path, marker& marked) {
  auto error = std::error_code{};
  const auto split = path / split_name;
  for (auto number = std::uint32_t{0}; number < marked.partitions; ++number) {
    const auto name = partition_name(number);
    if (!fs::exists(split / name, error))
      continue;
    if (fs::exists(path / name, error))
      if (auto status = move_folder(path, path / name, split / ("old-" + name)); !status.ok())
        return status;
    if (auto status = move_folder(path, split / name, path / name); !status.ok())
      return status;
  }
  auto done = marked;
  done.splitting = false;
  if (auto status = check_partitions(path, done); !status.ok())
    return status;
  if (auto status = write_marker(path, done); !status.ok())
    return status;
  marked = std::move(done);
  fs::remove_all(split, error); // else the next opening does
  return {};
}

class locked_data_folder final : public data_folder {
public:
  locked_data_folder(fs::path path, file_descriptor lock, marker marked)
      : path_(std::move(path)), lock_(std::move(lock)), marked_(std::move(marked)) {}

  const fs::path& path() const override { return path_; }
  std::uint32_t partitions() const override { return marked_.partitions; }
  fs::path partition_path(std::uint32_t number) const override { return path_ / partition_name(number); }
  std::optional<fs::path> settings_path() const override {
    return marked_.format >= first_format_with_settings ? std::optional{path_ / settings_name} : std::nullopt;
  }
  store_status add_settings() override {
    if (settings_path())
      return {};
    VICKET_ASSERT(marked_.key);
    // What lies there without being in the marker, a start that was cut off has left.
    if (auto status = create_part(path_, settings_name); !status.ok())
      return status;
    auto next = marked_;
    next.format = format_version;
    return write(std::move(next));
  }
  std::uint32_t format() const override { return marked_.format; }
  const std::optional<std::string>& key_fingerprint() const override { return marked_.key; }

  const std::optional<cluster_place>& cluster() const override { return marked_.cluster; }

  store_status join(const cluster_place& place) override {
    auto next = marked_;
    next.cluster = place;
    return write(std::move(next));
  }
  store_status leave() override {
    return write({marked_.format, marked_.partitions, marked_.key, std::nullopt, false});
  }
  store_status take_split(std::uint32_t partitions) override {
    auto next = marked_;
    next.partitions = partitions;
    next.splitting = true;
    if (auto status = write(std::move(next)); !status.ok())
      return status;
    return finish_split(path_, marked_);
  }
  store_status take_key(const std::string& fingerprint) override {
    return write({std::max(marked_.format, first_format_with_key), marked_.partitions, fingerprint,
                  marked_.cluster, false});
  }

private:
  store_status write(marker next) {
    auto status = write_marker(path_, next);
    if (status.ok())
      marked_ = std::move(next);
    return status;
  }

  fs::path path_;
  file_descriptor lock_; ///< released when it is closed
  marker marked_;
};

} // namespace

fs::path data_folder::partition_in(const fs::path& folder, std::uint32_t number) {
  return folder / partition_name(number);
}

store_status data_folder::mark_without_key(const fs::path& folder, std::uint32_t partitions) {
  return write_marker(folder, {format_without_key, partitions, std::nullopt, std::nullopt, false});
}

fs::path data_folder::settings_in(const fs::path& folder) {
  return folder / settings_name;
}

store_status data_folder::fill_new(const fs::path& folder, std::uint32_t format, std::uint32_t partitions,
                                   const std::string& key_fingerprint,
                                   const std::function<store_status()>& fill) {
  if (auto status = create_folder(folder); !status.ok())
    return status;
  auto error = std::error_code{};
  if (fs::exists(folder / marker_name, error))
    return refused(store_errc::foreign, folder, "is one already: name another one");
  if (auto status = check_unmarked(folder); !status.ok())
    return status;
  const auto lock = lock_folder(folder);
  if (const auto* status = std::get_if<store_status>(&lock))
    return *status;
  if (fs::exists(folder / marker_name, error))
    return refused(store_errc::foreign, folder, "is one already: name another one");
  if (auto status = fill(); !status.ok())
    return status;
  return write_marker(folder, {format, partitions, key_fingerprint, std::nullopt, false});
}

std::variant<std::unique_ptr<data_folder>, store_status> data_folder::open(fs::path path,
                                                                           std::uint32_t partitions) {
  if (partitions < 1 || partitions > max_partitions)
    return refused(store_errc::failed, path,
                   "can't have " + std::to_string(partitions) + " partitions: 1 to 256");
  if (auto status = create_folder(path); !status.ok())
    return status;
  // Look before anything is written: a foreign folder stays as it is.
  auto error = std::error_code{};
  const auto marked = fs::exists(path / marker_name, error);
  if (error)
    return failed(path, "can't be read", error.value());
  if (!marked)
    if (auto status = check_unmarked(path); !status.ok())
      return status;

  auto lock = lock_folder(path);
  if (auto* status = std::get_if<store_status>(&lock))
    return std::move(*status);
  const auto text = read_file(path / marker_name); // again, now that no other process can be creating it
  if (!text) {
    if (errno != ENOENT)
      return failed(path, "can't read its file VICKET", errno);
    if (auto status = create_partitions(path, partitions); !status.ok())
      return status;
    return std::make_unique<locked_data_folder>(
        std::move(path), std::get<file_descriptor>(std::move(lock)),
        marker{format_version, partitions, std::nullopt, std::nullopt, false});
  }
  auto found = parse_marker(path, *text);
  if (auto* status = std::get_if<store_status>(&found))
    return std::move(*status);
  auto& is = std::get<marker>(found);
  if (is.splitting)
    if (auto status = finish_split(path, is); !status.ok())
      return status;
  if (auto status = check_partitions(path, is); !status.ok())
    return status;
  fs::remove_all(path / split_name, error);
  return std::make_unique<locked_data_folder>(std::move(path), std::get<file_descriptor>(std::move(lock)),
                                              std::move(is));
}

} // namespace vicket
