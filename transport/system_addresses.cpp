#include "transport/system_addresses.hpp"

#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>

namespace vicket {

namespace {

std::optional<ip_address> address_of(const sockaddr* from) {
  ip_address result;
  if (from == nullptr)
    return std::nullopt;
  if (from->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, from, sizeof v4);
    std::memcpy(result.bytes.data(), &v4.sin_addr, sizeof v4.sin_addr);
    return result;
  }
  if (from->sa_family != AF_INET6)
    return std::nullopt;
  sockaddr_in6 v6{};
  std::memcpy(&v6, from, sizeof v6);
  result.v6 = true;
  std::memcpy(result.bytes.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
  return result;
}

} // namespace

system_addresses::system_addresses(std::chrono::seconds max_age) : max_age_{max_age} {
  read();
}

bool system_addresses::has(const ip_address& address) const {
  const std::lock_guard guard{mutex_};
  if (std::chrono::steady_clock::now() - read_at_ >= max_age_)
    read();
  return std::find(known_.begin(), known_.end(), address) != known_.end();
}

void system_addresses::read() const {
  read_at_ = std::chrono::steady_clock::now();
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0)
    return;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owned{all, &::freeifaddrs};
  known_.clear();
  for (const auto* each = all; each != nullptr; each = each->ifa_next)
    if (const auto address = address_of(each->ifa_addr))
      known_.push_back(*address);
}

} // namespace vicket
