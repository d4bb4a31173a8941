#pragma once

#include "storage/testing/sim_disk.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace vicket::internal {

/// The bytes of a file, and which of them a power loss leaves alone. Its name is not its own, see disk_content.
class disk_file {
public:
  disk_file() = default;
  /// All of it safe.
  explicit disk_file(std::string bytes);

  [[nodiscard]] std::string_view bytes() const { return *bytes_; }
  [[nodiscard]] std::uint64_t size() const { return bytes_->size(); }
  [[nodiscard]] std::uint64_t modified_us() const { return modified_us_; }

  void append(std::string_view bytes, std::uint64_t now_us);
  /// Counts as safe at once. Not beyond the file's end.
  void truncate(std::uint64_t size);

  /// All that was written so far is safe, without what a failed sync was for.
  void sync() { synced_to_ = size(); }
  /// What was written since the last one is in doubt, whatever a later sync says.
  void sync_failed();
  /// Also what is in doubt.
  void everything_is_safe();

  /// The bytes up to the last safe one, with zeros for those in doubt.
  [[nodiscard]] std::shared_ptr<const std::string> safe_bytes() const;
  /// The bytes as they are found after a power loss; `loss` is neither `chance` nor `none`.
  [[nodiscard]] std::string bytes_after(power_loss loss, std::mt19937_64& random) const;

private:
  struct range {
    std::uint64_t begin;
    std::uint64_t end;
  };

  [[nodiscard]] std::uint64_t end_of_safe() const;

  /// Never changed while others have it.
  std::shared_ptr<std::string> bytes_ = std::make_shared<std::string>();
  std::uint64_t synced_to_ = 0;
  std::vector<range> in_doubt_; ///< ascending, apart, below synced_to_
  std::uint64_t modified_us_ = 0;
};

/// Folders, names and files, and which changes of names a power loss leaves alone: those that a sync of the folder
/// came after. Folders themselves are safe when they are made. Paths are absolute and normal.
class disk_content {
public:
  using file_ptr = std::shared_ptr<disk_file>;

  // -- folders --

  [[nodiscard]] bool is_folder(const std::string& path) const {
    return path == "/" || folders_.contains(path);
  }
  void make_folder(const std::string& path) { folders_.insert(path); }
  /// Only an empty one.
  void remove_folder(const std::string& path) { folders_.erase(path); }
  /// What is directly in it, in order: files and folders.
  [[nodiscard]] std::vector<std::string> children(const std::string& folder) const;
  void sync_folder(const std::string& folder);

  // -- names --

  [[nodiscard]] file_ptr find(const std::string& path) const; ///< null: none
  /// A new, empty file, also in the place of another.
  file_ptr create(const std::string& path);
  /// `from` exists.
  void rename(const std::string& from, const std::string& to);
  /// It exists.
  void remove(const std::string& path);

  // -- a file is in use from `opened` to `closed`, and takes its room as long as it has a name or is in use --

  void opened(const file_ptr& file) { ++open_[file]; }
  void closed(const file_ptr& file);
  [[nodiscard]] std::size_t open_files() const { return open_.size(); }
  [[nodiscard]] std::uint64_t used_bytes() const;

  // -- power --

  /// Given each file's path, and how many bytes it had and has; for a name that is undone or gone, why.
  using loss_report = std::function<void(std::string_view path, std::string_view what)>;
  /// Nothing is open.
  void lose_power(power_loss loss, std::mt19937_64& random, const loss_report& report);

  // -- copies --

  [[nodiscard]] sim_disk::folder_copy copy(const std::string& folder) const;
  void restore(const std::string& folder, const sim_disk::folder_copy& files);
  /// Safe at once, name and bytes.
  void put(const std::string& path, std::string bytes);

private:
  enum class change_kind : std::uint8_t { create, rename, remove };
  struct name_change {
    change_kind kind;
    std::string path; ///< of a rename: to where
    std::string from; ///< of a rename
    file_ptr file;
  };
  using name_map = std::map<std::string, file_ptr>;

  static void apply(const name_change& change, name_map& names);

  std::set<std::string> folders_;
  name_map names_;
  name_map safe_names_;
  std::vector<name_change> unsynced_; ///< in order; what lies between safe_names_ and names_
  std::map<file_ptr, std::size_t> open_;
};

[[nodiscard]] std::string folder_of(const std::string& path);

} // namespace vicket::internal
