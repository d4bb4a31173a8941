#include "system_faults.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <string_view>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace {

struct armed {
  vicket::test::system_fault::call which;
  int error;
  std::string part;
};

std::atomic<const armed*> current{nullptr}; // RocksDB's threads call, too

bool fails(vicket::test::system_fault::call which, int descriptor) {
  const auto* fault = current.load();
  if (fault == nullptr || fault->which != which)
    return false;
  auto path = std::array<char, 4'096>{};
  const auto length =
      ::readlink(("/proc/self/fd/" + std::to_string(descriptor)).c_str(), path.data(), path.size());
  if (length <= 0 || std::string_view{path.data(), static_cast<std::size_t>(length)}.find(fault->part) ==
                         std::string_view::npos)
    return false;
  errno = fault->error;
  return true;
}

} // namespace

extern "C" ssize_t write(int descriptor, const void* bytes, std::size_t count) {
  return fails(vicket::test::system_fault::call::write, descriptor)
             ? -1
             : ::syscall(SYS_write, descriptor, bytes, count);
}

extern "C" int fdatasync(int descriptor) {
  return fails(vicket::test::system_fault::call::sync, descriptor)
             ? -1
             : static_cast<int>(::syscall(SYS_fdatasync, descriptor));
}

extern "C" int fsync(int descriptor) {
  return fails(vicket::test::system_fault::call::sync, descriptor)
             ? -1
             : static_cast<int>(::syscall(SYS_fsync, descriptor));
}

namespace vicket::test {

system_fault::system_fault(call which, int error, std::string part) {
  current = new armed{which, error, std::move(part)};
}

system_fault::~system_fault() {
  // Kept: a thread of RocksDB's may be looking at it.
  static auto kept = std::atomic<const armed*>{nullptr};
  delete kept.exchange(current.exchange(nullptr));
}

} // namespace vicket::test
