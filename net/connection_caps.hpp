#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

namespace vicket::internal {

/// How many connections a port holds. Each takes one descriptor.
struct connection_limits {
  std::size_t established = 192; ///< that have been upgraded
  std::size_t per_address = 144; ///< of these, from one address (all Unix sockets are one)
  std::size_t per_site =
      168; ///< and from one IPv6 site: more, so that one address of it leaves places for its others
  std::size_t arriving = 48; ///< that are in TLS or in the upgrade
  /// Beside these: listeners, what a stop and a refusal hold for a moment.
  static constexpr std::size_t spare = 16;

  [[nodiscard]] constexpr std::size_t descriptors() const { return established + arriving + spare; }
};

/// Which connections a port has, and which may stay. Who arrives always gets in, so that it can be told something: when
/// too many are arriving, the one that has been arriving for longest makes room, of the address that has most of them, in the
/// network that has most of them, in the site that has most of them. Who is established is never pushed out; when there is no place, who wants to be is refused. Pure.
///
/// Invariants: no more than the limits' `arriving` arrive, nor more than `established` are established.
class connection_caps {
public:
  using number = std::uint64_t; ///< given out in the order of arrival

  explicit connection_caps(connection_limits limits) : limits_{limits} {}

  struct arrival {
    number mine = 0;
    std::optional<number> to_end; ///< end this one at once; it has left already
  };
  /// `address`: without a port.
  [[nodiscard]] arrival arrive(const std::string& address);

  /// Absent: it is established. Else why it can't be, one clause; it goes on arriving.
  [[nodiscard]] std::optional<std::string> establish(number which);

  /// It is gone. Of one that has left already: nothing.
  void leave(number which);

  [[nodiscard]] std::size_t arriving() const { return arriving_; }
  [[nodiscard]] std::size_t established() const { return established_; }

private:
  struct connection {
    std::string address;
    std::string network;
    std::string site;
    bool established = false;
  };

  [[nodiscard]] number to_make_room() const;
  void stop_arriving(number which, const connection& of);
  [[nodiscard]] std::size_t established_of(const std::string& whose) const;
  void count_out(const std::string& whose);

  const connection_limits limits_;
  number last_ = 0;
  std::size_t arriving_ = 0;
  std::size_t established_ = 0;
  std::unordered_map<number, connection> connections_;
  // None is empty.
  struct network_arrivals {
    std::size_t count = 0;
    std::unordered_map<std::string, std::set<number>> by_address; ///< oldest first
  };
  struct site_arrivals {
    std::size_t count = 0;
    std::unordered_map<std::string, network_arrivals> by_network;
  };

  std::unordered_map<std::string, site_arrivals> arriving_of_;  ///< by site
  std::unordered_map<std::string, std::size_t> established_of_; ///< by address, and by site; none is 0
};

/// Whoever has one IPv6 address has as many as he likes of its first 64 bits, his network (RFC 4291 2.5.1), and mostly as many
/// networks as he likes of the first 48, his site: what providers hand out, or more than that (RFC 6177). Any other address is
/// a network and a site of its own: behind an IPv4 address there are as many strangers as not.
[[nodiscard]] std::string network_of(const std::string& address);
[[nodiscard]] std::string site_of(const std::string& address);

} // namespace vicket::internal
