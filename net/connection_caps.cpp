#include "net/connection_caps.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>

namespace vicket::internal {

namespace asio = boost::asio;

std::string network_of(const std::string& address) {
  boost::system::error_code problem;
  const auto parsed = asio::ip::make_address(address, problem);
  if (problem || !parsed.is_v6() || parsed.to_v6().is_v4_mapped())
    return address;
  auto bytes = parsed.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  return asio::ip::address_v6{bytes}.to_string() + "/64";
}

connection_caps::arrival connection_caps::arrive(const std::string& address) {
  arrival result;
  result.mine = ++last_;
  if (arriving_ >= limits_.arriving) {
    result.to_end = to_make_room();
    leave(*result.to_end);
  }
  const auto network = network_of(address);
  connections_.emplace(result.mine, connection{address, network});
  arriving_of_[network].insert(result.mine);
  ++arriving_;
  return result;
}

connection_caps::number connection_caps::to_make_room() const {
  const std::set<number>* most = nullptr;
  for (const auto& [network, held] : arriving_of_) {
    const bool more = !most || held.size() > most->size();
    const bool as_many_but_older = most && held.size() == most->size() && *held.begin() < *most->begin();
    if (more || as_many_but_older)
      most = &held;
  }
  return *most->begin();
}

std::optional<std::string> connection_caps::establish(number which) {
  const auto found = connections_.find(which);
  if (found == connections_.end())
    return "it made room for others";
  auto& of = found->second;
  if (established_ >= limits_.established)
    return "the node has its " + std::to_string(limits_.established) + " connections";
  const auto same = established_of_.find(of.address);
  if (same != established_of_.end() && same->second >= limits_.per_address)
    return "the node has " + std::to_string(limits_.per_address) + " connections from this address";
  stop_arriving(which, of.network);
  of.established = true;
  ++established_of_[of.address];
  ++established_;
  return std::nullopt;
}

void connection_caps::leave(number which) {
  const auto found = connections_.find(which);
  if (found == connections_.end())
    return;
  const auto& of = found->second;
  if (of.established) {
    --established_;
    if (const auto at = established_of_.find(of.address); --at->second == 0)
      established_of_.erase(at);
  } else {
    stop_arriving(which, of.network);
  }
  connections_.erase(found);
}

void connection_caps::stop_arriving(number which, const std::string& network) {
  --arriving_;
  const auto at = arriving_of_.find(network);
  at->second.erase(which);
  if (at->second.empty())
    arriving_of_.erase(at);
}

} // namespace vicket::internal
