#pragma once

#include "policy/address_guard.hpp"

#include <chrono>
#include <mutex>
#include <vector>

namespace vicket {

/// This machine's, as the system lists its interfaces. They may change while the node runs: read again when somebody asks
/// and what is known is older than `max_age`. What was known stays while they can't be read.
class system_addresses final : public own_addresses {
public:
  explicit system_addresses(std::chrono::seconds max_age = std::chrono::seconds{5});

  [[nodiscard]] bool has(const ip_address& address) const override;

private:
  void read() const;

  const std::chrono::seconds max_age_;
  mutable std::mutex mutex_;
  mutable std::vector<ip_address> known_;                   ///< guarded by mutex_
  mutable std::chrono::steady_clock::time_point read_at_{}; ///< guarded by mutex_: when that was tried last
};

} // namespace vicket
