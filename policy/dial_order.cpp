#include "policy/dial_order.hpp"

#include <algorithm>
#include <vector>

namespace vicket {

void put_in_dial_order(std::span<ip_address> addresses, const std::optional<ip_address>& first) {
  if (addresses.size() < 2)
    return;
  std::vector<ip_address> v6;
  std::vector<ip_address> v4;
  for (const auto& address : addresses)
    (address.v6 ? v6 : v4).push_back(address);
  auto to = addresses.begin();
  for (std::size_t i = 0; i < std::max(v6.size(), v4.size()); ++i) {
    if (i < v6.size())
      *to++ = v6[i];
    if (i < v4.size())
      *to++ = v4[i];
  }
  if (!first)
    return;
  const auto begins = std::find(addresses.begin(), addresses.end(), *first);
  if (begins != addresses.end())
    std::rotate(addresses.begin(), begins, addresses.end());
}

} // namespace vicket
