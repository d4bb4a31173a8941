#include "net/connection_caps.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <tuple>

namespace vicket::internal {

namespace asio = boost::asio;

namespace {

/// Its first bytes, the rest zeros.
std::string prefix_of(const std::string& address, std::size_t bytes_kept) {
  constexpr std::size_t bits = 8;
  boost::system::error_code problem;
  const auto parsed = asio::ip::make_address(address, problem);
  if (problem || !parsed.is_v6() || parsed.to_v6().is_v4_mapped())
    return address;
  auto bytes = parsed.to_v6().to_bytes();
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(bytes_kept), bytes.end(),
            static_cast<unsigned char>(0));
  return asio::ip::address_v6{bytes}.to_string() + "/" + std::to_string(bytes_kept * bits);
}

} // namespace

std::string network_of(const std::string& address) {
  return prefix_of(address, 8);
}

std::string site_of(const std::string& address) {
  return prefix_of(address, 6);
}

connection_caps::arrival connection_caps::arrive(const std::string& address) {
  arrival result;
  result.mine = ++last_;
  if (arriving_ >= limits_.arriving) {
    result.to_end = to_make_room();
    leave(*result.to_end);
  }
  const connection made{address, network_of(address), site_of(address)};
  auto& site = arriving_of_[made.site];
  auto& network = site.by_network[made.network];
  network.by_address[address].insert(result.mine);
  ++network.count;
  ++site.count;
  connections_.emplace(result.mine, made);
  ++arriving_;
  return result;
}

connection_caps::number connection_caps::to_make_room() const {
  // By how many there are in the site, in the network, from the address, and by age.
  std::tuple<std::size_t, std::size_t, std::size_t, number> most{0, 0, 0, 0};
  for (const auto& [site, in_site] : arriving_of_)
    if (in_site.count >= std::get<0>(most))
      for (const auto& [network, held] : in_site.by_network)
        for (const auto& [address, numbers] : held.by_address)
          most = std::max(most, {in_site.count, held.count, numbers.size(),
                                 std::numeric_limits<number>::max() - *numbers.begin()});
  return std::numeric_limits<number>::max() - std::get<3>(most);
}

std::optional<std::string> connection_caps::establish(number which) {
  const auto found = connections_.find(which);
  if (found == connections_.end())
    return "it made room for others";
  auto& of = found->second;
  if (established_ >= limits_.established)
    return "the node has its " + std::to_string(limits_.established) + " connections";
  if (established_of(of.address) >= limits_.per_address)
    return "the node has " + std::to_string(limits_.per_address) + " connections from this address";
  if (established_of(of.site) >= limits_.per_site)
    return "the node has " + std::to_string(limits_.per_site) + " connections from " + of.site;
  stop_arriving(which, of);
  of.established = true;
  ++established_of_[of.address];
  if (of.site != of.address)
    ++established_of_[of.site];
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
    count_out(of.address);
    if (of.site != of.address)
      count_out(of.site);
  } else {
    stop_arriving(which, of);
  }
  connections_.erase(found);
}

std::size_t connection_caps::established_of(const std::string& whose) const {
  const auto found = established_of_.find(whose);
  return found == established_of_.end() ? 0 : found->second;
}

void connection_caps::count_out(const std::string& whose) {
  if (const auto at = established_of_.find(whose); --at->second == 0)
    established_of_.erase(at);
}

void connection_caps::stop_arriving(number which, const connection& of) {
  --arriving_;
  const auto in_site = arriving_of_.find(of.site);
  auto& networks = in_site->second.by_network;
  const auto in_network = networks.find(of.network);
  auto& addresses = in_network->second.by_address;
  const auto from_address = addresses.find(of.address);
  from_address->second.erase(which);
  if (from_address->second.empty())
    addresses.erase(from_address);
  if (--in_network->second.count == 0)
    networks.erase(in_network);
  if (--in_site->second.count == 0)
    arriving_of_.erase(in_site);
}

} // namespace vicket::internal
