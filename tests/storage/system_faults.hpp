#pragma once

#include <string>

namespace vicket::test {

/// Makes the system's own calls fail, for files whose path has `part` in it, from its making to its end: what
/// RocksDB's layer for the operating system says of a used-up quota or of a full thin volume can't be had otherwise. The
/// program's `write`, `fdatasync` and `fsync` take the place of the C library's (system_faults.cpp). One at a time.
class system_fault {
public:
  enum class call { write, sync };
  system_fault(call which, int error, std::string part);
  system_fault(const system_fault&) = delete;
  system_fault& operator=(const system_fault&) = delete;
  ~system_fault();
};

} // namespace vicket::test
