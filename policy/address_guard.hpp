#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vicket {

/// An IP address as bytes: v4 uses the first 4, in network order.
struct ip_address {
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{};

  /// Canonical text only: a dotted quad of decimals without leading zeros, or RFC 4291 text without zone.
  [[nodiscard]] static std::optional<ip_address> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const ip_address&, const ip_address&) = default;
};

/// A range such as `10.0.0.0/8` or `fc00::/7`.
struct ip_range {
  ip_address network;
  unsigned prefix_bits = 0;

  /// Refuses a missing or too long prefix and bits set behind it.
  [[nodiscard]] static std::optional<ip_range> parse(std::string_view text);
  [[nodiscard]] bool contains(const ip_address& address) const; ///< no mapping between v4 and v6
};

/// Which addresses deliveries may be sent to. Nothing private, local, or special may be reached through a
/// customer's URL (server-side request forgery), unless the operator allowed its range with `--allow-cidr`.
///
/// Denied v4: 0/8 10/8 100.64/10 127/8 169.254/16 172.16/12 192.0.0/24 192.0.2/24 192.88.99/24 192.168/16
/// 198.18/15 198.51.100/24 203.0.113/24 224/4 240/4 168.63.129.16 (IANA special-purpose registry, and a
/// cloud's host address). v6: ::ffff/96 and 64:ff9b::/96 (NAT64) are judged by the v4 address in them, by the allowed
/// ranges, too; else only 2000::/3 is allowed, without 2001::/23, 2001:db8::/32, 2002::/16 and 3fff::/20. That leaves
/// out NAT64 with prefixes of one's own, ULA, link-local, loopback, multicast.
class address_guard {
public:
  address_guard() = default;
  explicit address_guard(std::vector<ip_range> allowed) : allowed_{std::move(allowed)} {}

  /// `nullopt`: may be dialled. Else the reason, e.g. "127.0.0.1 is a loopback address (127.0.0.0/8)".
  [[nodiscard]] std::optional<std::string> denied(const ip_address& address) const;

private:
  std::vector<ip_range> allowed_;
};

} // namespace vicket
