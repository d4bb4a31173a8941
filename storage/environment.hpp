#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace rocksdb {
class Env;
}

namespace vicket {

/// The file system below a partition's RocksDB. Production has none of it (the operating system's is used);
/// tests keep it in memory or inject faults (storage/testing/environments.hpp).
class store_environment {
public:
  struct volume {
    std::uint64_t free_bytes = 0;
    std::uint64_t total_bytes = 0;
  };

  store_environment() = default;
  store_environment(const store_environment&) = delete;
  store_environment& operator=(const store_environment&) = delete;
  virtual ~store_environment() = default;

  /// What RocksDB is opened on. Lives as long as this.
  [[nodiscard]] virtual rocksdb::Env& env() = 0;

  /// The volume that `folder` lies on; absent: unknown, which counts as empty and large.
  [[nodiscard]] virtual std::optional<volume> volume_of(const std::filesystem::path& folder) const = 0;
};

} // namespace vicket
