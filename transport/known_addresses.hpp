#pragma once

#include "policy/address_guard.hpp"

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

namespace vicket {

/// Which address of a name the next dial begins with: the one that worked last. Only for names with several. Not
/// thread-safe.
class known_addresses {
public:
  static constexpr std::size_t max_names = 1'024; ///< at it, the one kept longest is forgotten

  [[nodiscard]] std::optional<ip_address> first_of(const std::string& name) const {
    const auto found = first_.find(name);
    return found == first_.end() ? std::nullopt : std::optional{found->second};
  }

  void begin_with(const std::string& name, const ip_address& address) {
    if (!first_.insert_or_assign(name, address).second)
      return;
    order_.push_back(name);
    if (order_.size() <= max_names)
      return;
    first_.erase(order_.front());
    order_.pop_front();
  }

private:
  std::unordered_map<std::string, ip_address> first_;
  std::deque<std::string> order_; ///< the names of `first_`, the one kept longest first
};

} // namespace vicket
