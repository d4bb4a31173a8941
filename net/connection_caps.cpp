#include "net/connection_caps.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <limits>
#include <tuple>

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
  auto& held = arriving_of_[network];
  held.by_address[address].insert(result.mine);
  ++held.count;
  ++arriving_;
  return result;
}

connection_caps::number connection_caps::to_make_room() const {
  // By how many there are in the network, from the address, and by age.
  std::tuple<std::size_t, std::size_t, number> most{0, 0, 0};
  for (const auto& [network, held] : arriving_of_)
    if (held.count >= std::get<0>(most))
      for (const auto& [address, numbers] : held.by_address)
        most = std::max(most,
                        {held.count, numbers.size(), std::numeric_limits<number>::max() - *numbers.begin()});
  return std::numeric_limits<number>::max() - std::get<2>(most);
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
  stop_arriving(which, of);
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
    stop_arriving(which, of);
  }
  connections_.erase(found);
}

void connection_caps::stop_arriving(number which, const connection& of) {
  --arriving_;
  const auto in_network = arriving_of_.find(of.network);
  auto& held = in_network->second;
  const auto from_address = held.by_address.find(of.address);
  from_address->second.erase(which);
  if (from_address->second.empty())
    held.by_address.erase(from_address);
  if (--held.count == 0)
    arriving_of_.erase(in_network);
}

} // namespace vicket::internal
