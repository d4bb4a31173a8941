#pragma once

#include "storage/partition_store.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <variant>

namespace vicket {

/// A node's `--data-dir`: a marker file with format version and number of partitions, a lock, and a folder
/// per partition.
///
///     DIR/VICKET          format and number of partitions, text, written once
///     DIR/LOCK            locked (flock) while a node uses the folder; holds the owner's process id
///     DIR/partition-0/ …  one RocksDB each
class data_folder {
public:
  static constexpr std::uint32_t format_version = 1;
  static constexpr std::uint32_t max_partitions = 256;

  /// Opens the folder, or creates it with `partitions` of them (an existing folder keeps its number). Refused
  /// with one clear line: locked by another process, a foreign or newer format, not a folder, not empty and
  /// not ours, no permission.
  [[nodiscard]] static std::variant<std::unique_ptr<data_folder>, store_status>
  open(std::filesystem::path path, std::uint32_t partitions);

  virtual ~data_folder() = default;
  [[nodiscard]] virtual std::uint32_t partitions() const = 0;
  [[nodiscard]] virtual std::filesystem::path partition_path(std::uint32_t number) const = 0;
};

} // namespace vicket
