#include "net/connection_caps.hpp"

namespace vicket::internal {

connection_caps::arrival connection_caps::arrive(const std::string& address) {
  arrival result;
  result.mine = ++last_;
  if (arriving_ >= limits_.arriving) {
    result.to_end = to_make_room();
    leave(*result.to_end);
  }
  connections_.emplace(result.mine, connection{address});
  addresses_[address].arriving.emplace(result.mine, true);
  ++arriving_;
  return result;
}

connection_caps::number connection_caps::to_make_room() const {
  const of_address* most = nullptr;
  for (const auto& [address, held] : addresses_) {
    if (held.arriving.empty())
      continue;
    const bool more = !most || held.arriving.size() > most->arriving.size();
    const bool as_many_but_older = most && held.arriving.size() == most->arriving.size() &&
                                   held.arriving.begin()->first < most->arriving.begin()->first;
    if (more || as_many_but_older)
      most = &held;
  }
  return most->arriving.begin()->first;
}

std::optional<std::string> connection_caps::establish(number which) {
  const auto found = connections_.find(which);
  if (found == connections_.end())
    return "it made room for others";
  auto& [address, is_established] = found->second;
  auto& held = addresses_[address];
  if (established_ >= limits_.established)
    return "the node has its " + std::to_string(limits_.established) + " connections";
  if (held.established >= limits_.per_address)
    return "the node has " + std::to_string(limits_.per_address) + " connections from this address";
  is_established = true;
  ++held.established;
  ++established_;
  held.arriving.erase(which);
  --arriving_;
  return std::nullopt;
}

void connection_caps::leave(number which) {
  const auto found = connections_.find(which);
  if (found == connections_.end())
    return;
  const auto at = addresses_.find(found->second.address);
  if (found->second.established) {
    --at->second.established;
    --established_;
  } else {
    at->second.arriving.erase(which);
    --arriving_;
  }
  if (at->second.established == 0 && at->second.arriving.empty())
    addresses_.erase(at);
  connections_.erase(found);
}

} // namespace vicket::internal
