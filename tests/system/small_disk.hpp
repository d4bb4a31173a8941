#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace vicket::testing {

/// Gives the calling thread, and the processes that it starts, mounts of their own, so that what a test
/// mounts is seen by nobody else and goes with it. Not root: becomes root of a user namespace first, which
/// only a process with one thread can. Call first in `main`. The reason when the system does not permit it.
[[nodiscard]] std::optional<std::string> separate_mounts();

/// What `separate_mounts` said when it was called.
[[nodiscard]] const std::optional<std::string>& mounts_refused();

/// A file system in memory with a size of its own, and with a ballast file that takes its space away.
class small_disk {
public:
  /// Throws std::runtime_error when the system does not permit it.
  explicit small_disk(std::uint64_t total_bytes);
  ~small_disk();
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

  [[nodiscard]] std::filesystem::path path() const { return path_; }
  [[nodiscard]] std::uint64_t free_bytes() const;
  void resize(std::uint64_t total_bytes) const;

  /// Makes the ballast so large that about `left_bytes` remain free; 0: not one byte.
  void fill(std::uint64_t left_bytes) const;
  void remove_ballast() const;

private:
  std::filesystem::path path_;
};

} // namespace vicket::testing
