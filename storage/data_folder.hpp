#pragma once

#include "storage/partition_store.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace vicket {

/// A node's `--data-dir`: a marker file with format version, number of partitions and the fingerprint of the key that
/// encrypts secrets, a lock, and a folder per partition.
///
///     DIR/VICKET          text: "vicket-data-folder", "format N", "partitions N", and, once there is a key,
///                         "secret-key FINGERPRINT", and, of a node of a cluster, "cluster UUID NODE", a line each;
///                         "splitting" while the partitions in `split` take the places of those that there were
///     DIR/LOCK            locked (flock) while a node uses the folder; holds the owner's process id
///     DIR/partition-0/ …  one RocksDB each
///     DIR/settings/       another one, of what belongs to no connector (from format 3 on)
///     DIR/secret.key      the key, unless the node is told to look for it elsewhere (secret_key.hpp)
///
/// Format 1 had no key, and its partitions have secrets in the clear: it is taken over when it is given a key and its
/// partitions are opened with it. Format 2 has no partition `settings`, and gets one with `add_settings`.
class data_folder {
public:
  static constexpr std::uint32_t format_version = 3;
  static constexpr std::uint32_t max_partitions = 256;

  /// What a program of this format writes, for who has to go back to it.
  static constexpr std::uint32_t format_without_key = 1;

  /// Opens the folder, or creates it with `partitions` of them (an existing folder keeps its number). Refused
  /// with one clear line: locked by another process, a foreign or newer format, not a folder, not empty and
  /// not ours, no permission.
  [[nodiscard]] static std::variant<std::unique_ptr<data_folder>, store_status>
  open(std::filesystem::path path, std::uint32_t partitions);

  /// For a copy in the format without a key: where its partitions lie, and the marker that makes it one, last of all.
  [[nodiscard]] static std::filesystem::path partition_in(const std::filesystem::path& folder,
                                                          std::uint32_t number);
  [[nodiscard]] static store_status mark_without_key(const std::filesystem::path& folder,
                                                     std::uint32_t partitions);

  /// For a folder that is put together from elsewhere, restored: `fill` puts its partitions there, which lie as
  /// `partition_in` and `settings_in` say; then the marker makes it a folder of that format, with that key. The folder is created
  /// if it is not there, and else has nothing in it but maybe a key. Until the marker is there no program takes what is in it.
  [[nodiscard]] static store_status fill_new(const std::filesystem::path& folder, std::uint32_t format,
                                             std::uint32_t partitions, const std::string& key_fingerprint,
                                             const std::function<store_status()>& fill);
  [[nodiscard]] static std::filesystem::path settings_in(const std::filesystem::path& folder);

  virtual ~data_folder() = default;
  [[nodiscard]] virtual const std::filesystem::path& path() const = 0;
  [[nodiscard]] virtual std::uint32_t partitions() const = 0;
  [[nodiscard]] virtual std::filesystem::path partition_path(std::uint32_t number) const = 0;
  /// Of the partition `settings`; absent: the folder is of a format that has none.
  [[nodiscard]] virtual std::optional<std::filesystem::path> settings_path() const = 0;
  /// Has it from now on, durably, empty where it had none. Of a folder with a key.
  [[nodiscard]] virtual store_status add_settings() = 0;
  [[nodiscard]] std::filesystem::path default_key_file() const { return path() / "secret.key"; }

  /// As the marker has it.
  [[nodiscard]] virtual std::uint32_t format() const = 0;
  /// Of the key that its secrets are encrypted with. Absent: nothing is encrypted yet.
  [[nodiscard]] virtual const std::optional<std::string>& key_fingerprint() const = 0;
  /// Which cluster the folder is a copy of, and which of its nodes it belongs to. Absent: it is a single node's.
  struct cluster_place {
    std::string uuid; ///< neither is empty nor has a space
    std::string node;

    friend bool operator==(const cluster_place&, const cluster_place&) = default;
  };
  [[nodiscard]] virtual const std::optional<cluster_place>& cluster() const = 0;
  /// In place of a node's name: the folder of a single node that a cluster began with.
  static constexpr const char* adopted = "adopted";
  /// Likewise, while that cluster is being made: whether it is there only its database knows.
  static constexpr const char* adopting = "adopting";
  /// From now on, durably, it is that node's. Of a folder that nothing was written to yet: what is there is no part of the
  /// cluster's log.
  [[nodiscard]] virtual store_status join(const cluster_place& place) = 0;
  /// It is a single node's again: nothing came of the cluster that was to begin with it.
  [[nodiscard]] virtual store_status leave() = 0;
  /// Where more partitions are made of those that it has (`folder_split.hpp`). What lies there when it is opened is of a split
  /// that did not come to its end, and goes.
  [[nodiscard]] std::filesystem::path split_path() const { return path() / "split"; }
  /// Puts the partitions that are ready in `split_path()` in the places of its own, as one step: whoever opens the folder after
  /// a crash has the old ones or the new ones.
  [[nodiscard]] virtual store_status take_split(std::uint32_t partitions) = 0;
  /// From now on, durably, that is the key, and the folder is of a format that has one.
  [[nodiscard]] virtual store_status take_key(const std::string& fingerprint) = 0;
};

} // namespace vicket
