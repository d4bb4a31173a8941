#pragma once

// Only for the files of this folder that talk to RocksDB.

#include "storage/testing/disk_content.hpp"
#include "storage/testing/disk_faults.hpp"

#include <rocksdb/io_status.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace vicket::internal {

/// What the disk is and what it was told. The file system, its files, the clock and the queue of jobs share it.
class sim_state {
public:
  static constexpr auto endless = std::numeric_limits<std::uint64_t>::max();

  explicit sim_state(std::uint64_t seed) : random(seed) {}

  std::mt19937_64 random;
  std::uint64_t now_us = 1'779'537'600'000'000; ///< noon of a day in May 2026
  disk_content content;
  disk_faults faults;
  std::uint64_t capacity_bytes = endless;
  bool is_down = false;
  std::uint64_t changes_until_crash = endless;
  disk_user user = disk_user::foreground;
  std::function<void(std::string_view)> trace;

  void say(const std::string& line) const {
    if (trace)
      trace(line);
  }

  /// What is to become of an operation that changes something.
  struct verdict {
    rocksdb::IOStatus status;   ///< for RocksDB
    bool happens = false;       ///< on the disk
    bool was_ordered = false;   ///< to fail
    bool in_last_words = false; ///< the machine dies in it
  };
  [[nodiscard]] verdict judge(disk_operation operation, const std::string& path);
  void report(disk_operation operation, const std::string& path, std::string_view detail,
              const rocksdb::IOStatus& status) const;

  /// Judges, does and reports. `effect` returns a rocksdb::IOStatus.
  template <class Effect>
  rocksdb::IOStatus change(disk_operation operation, const std::string& path, Effect effect,
                           std::string_view detail = {}) {
    auto result = judge(operation, path);
    if (result.happens)
      if (auto status = effect(); result.status.ok())
        result.status = std::move(status);
    report(operation, path, detail, result.status);
    return result.status;
  }

  /// Reading works on after a crash: it shows what the dying process saw.
  [[nodiscard]] rocksdb::IOStatus may_read(disk_operation operation, const std::string& path);

  [[nodiscard]] std::uint64_t free_bytes() const;

private:
  void check_thread() const;

  std::thread::id thread_ = std::this_thread::get_id();
};

[[nodiscard]] std::string_view to_view(disk_user value);

/// As RocksDB's own layer over the operating system says it (env/io_posix.cc).
[[nodiscard]] rocksdb::IOStatus to_status(disk_error error, std::string_view operation,
                                          const std::string& path);

/// A path as disk_content has it.
[[nodiscard]] std::string normal(const std::filesystem::path& path);

/// Eight digits.
[[nodiscard]] std::string hex(std::uint32_t value);
/// For a line of the trace: how many bytes, and their checksum.
[[nodiscard]] std::string bytes_and_sum(std::string_view bytes);

} // namespace vicket::internal
