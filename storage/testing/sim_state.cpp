#include "storage/testing/sim_state.hpp"

#include "policy/assertion.hpp"
#include "storage/log_scan.hpp"

#include <array>
#include <cstddef>

namespace vicket::internal {

using rocksdb::IOStatus;

namespace {

file_kind kind_of(const std::string& path) {
  const auto name = std::string_view{path}.substr(path.rfind('/') + 1);
  if (name.ends_with(".log"))
    return file_kind::log;
  if (name.ends_with(".sst"))
    return file_kind::table;
  if (name.starts_with("MANIFEST-"))
    return file_kind::manifest;
  return name == "CURRENT" || name.ends_with(".dbtmp") ? file_kind::current : file_kind::other;
}

std::string_view to_view(disk_operation value) {
  constexpr auto names = std::array<std::string_view, 9>{
      "create", "append", "sync", "rename", "remove", "truncate", "sync_folder", "open", "read"};
  return names[static_cast<std::size_t>(value)];
}

IOStatus machine_is_down() {
  return IOStatus::IOError("the machine is down");
}

} // namespace

std::string_view to_view(disk_user value) {
  constexpr auto names = std::array<std::string_view, 3>{"foreground", "flush", "compaction"};
  return names[static_cast<std::size_t>(value)];
}

IOStatus to_status(disk_error error, std::string_view operation, const std::string& path) {
  const auto where = "While " + std::string{operation} + ": " + path;
  switch (error) {
  case disk_error::no_space: {
    auto result = IOStatus::NoSpace(where, "No space left on device");
    result.SetRetryable(true);
    return result;
  }
  case disk_error::quota:
    return IOStatus::IOError(where, "Disk quota exceeded");
  case disk_error::io:
    break;
  }
  return IOStatus::IOError(where, "Input/output error");
}

std::string normal(const std::filesystem::path& path) {
  auto result = path.lexically_normal().string();
  if (result.size() > 1 && result.ends_with('/'))
    result.pop_back();
  return result;
}

std::string hex(std::uint32_t value) {
  constexpr auto digits = std::string_view{"0123456789abcdef"};
  auto result = std::string(8, '0');
  for (auto it = result.rbegin(); it != result.rend(); ++it, value >>= 4)
    *it = digits[value & 15];
  return result;
}

std::string bytes_and_sum(std::string_view bytes) {
  return " " + std::to_string(bytes.size()) + " " + hex(crc32c(bytes));
}

sim_state::verdict sim_state::judge(disk_operation operation, const std::string& path) {
  check_thread();
  if (is_down)
    return {machine_is_down(), false, false, false};
  const auto error = faults.met(operation, kind_of(path), user);
  if (changes_until_crash == 0) {
    is_down = true;
    return {machine_is_down(), (random() & 1) != 0, false, true};
  }
  if (changes_until_crash != endless)
    --changes_until_crash;
  if (error)
    return {to_status(*error, to_view(operation), path), false, true, false};
  return {IOStatus::OK(), true, false, false};
}

void sim_state::report(disk_operation operation, const std::string& path, std::string_view detail,
                       const IOStatus& status) const {
  if (trace)
    trace(std::string{to_view(user)} + " " + std::string{to_view(operation)} + " " + path +
          std::string{detail} + (status.ok() ? std::string{} : " failed: " + status.ToString()));
}

IOStatus sim_state::may_read(disk_operation operation, const std::string& path) {
  check_thread();
  const auto error = faults.met(operation, kind_of(path), user);
  if (!error)
    return IOStatus::OK();
  auto status = to_status(*error, to_view(operation), path);
  report(operation, path, {}, status);
  return status;
}

std::uint64_t sim_state::free_bytes() const {
  if (capacity_bytes == endless)
    return endless;
  const auto used = content.used_bytes();
  return used < capacity_bytes ? capacity_bytes - used : 0;
}

void sim_state::check_thread() const {
  VICKET_ASSERT(std::this_thread::get_id() == thread_);
}

} // namespace vicket::internal
