#pragma once

#include "messages/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vicket {

/// What a backup has in it. It is written last, so that a backup without it is none.
struct backup_manifest {
  static constexpr std::uint32_t format_version = 1;
  static constexpr std::size_t max_json_bytes = 64u << 20;

  struct file {
    std::string name; ///< a plain one, in the store's folder
    std::uint64_t bytes = 0;
    std::string sha256; ///< 64 hexadecimal digits

    friend bool operator==(const file&, const file&) = default;
  };
  /// One partition's store as it was at one moment; those of two partitions are of different ones.
  struct store {
    std::string name; ///< of its folder, in the backup as in a data folder
    std::uint64_t epoch = 0;
    std::uint64_t round = 0;
    std::uint64_t next_sequence = 0;
    std::uint64_t oldest_kept = 0;
    std::string position; ///< of a cluster's log with it, in hexadecimal digits; empty: there is none
    std::vector<file> files;

    friend bool operator==(const store&, const store&) = default;
  };
  struct cluster_place {
    std::string uuid;
    std::string node;

    friend bool operator==(const cluster_place&, const cluster_place&) = default;
  };

  std::string version; ///< of the program that made it
  timestamp_ms made_at;
  std::uint32_t folder_format = 0;
  std::uint32_t partitions = 0;         ///< of connectors, in the data folder
  std::string key_fingerprint;          ///< of the key that its secrets are sealed with; the key is not in it
  std::optional<cluster_place> cluster; ///< absent: of a single node
  std::vector<store> stores;            ///< of a cluster's node: those that it keeps

  friend bool operator==(const backup_manifest&, const backup_manifest&) = default;
};

/// All fields, on one line.
[[nodiscard]] std::string backup_manifest_to_json(const backup_manifest& value);

/// Or a sentence: what is wrong with it, and where. A newer format is one of these. Unknown fields are passed over; names that
/// would leave the backup's folder are refused, and so is a store or a file that is there twice.
[[nodiscard]] std::variant<backup_manifest, std::string> backup_manifest_from_json(std::string_view text);

} // namespace vicket
