#pragma once

#include <array>
#include <cstdint>
#include <memory>
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
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] bool contains(const ip_address& address) const; ///< no mapping between v4 and v6
};

/// The addresses of the machine that the node runs on, as far as they are not special anyway: what listens there need not
/// be meant for others, although its address is a public one. Any thread.
class own_addresses {
public:
  virtual ~own_addresses() = default;
  [[nodiscard]] virtual bool has(const ip_address& address) const = 0;
};

/// Which addresses deliveries may be sent to. Nothing private, local, or special may be reached through a
/// customer's URL (server-side request forgery), and nothing of this machine, unless the operator allowed its range with
/// `--allow-cidr`. What `--deny-cidr` names is denied whatever is allowed.
///
/// Denied v4: 0/8 10/8 100.64/10 127/8 169.254/16 172.16/12 192.0.0/24 192.0.2/24 192.88.99/24 192.168/16
/// 198.18/15 198.51.100/24 203.0.113/24 224/4 240/4 168.63.129.16 (IANA special-purpose registry, and a
/// cloud's host address). v6: ::ffff/96 and 64:ff9b::/96 (NAT64) are judged by the v4 address in them, by the allowed
/// ranges, too; else only 2000::/3 is allowed, without 2001::/23, 2001:db8::/32, 2002::/16 and 3fff::/20. That leaves
/// out NAT64 with prefixes of one's own, ULA, link-local, loopback, multicast.
class address_guard {
public:
  address_guard() = default;
  /// `own` may be null: nothing is known of this machine.
  explicit address_guard(std::vector<ip_range> allowed, std::vector<ip_range> denied = {},
                         std::shared_ptr<const own_addresses> own = {})
      : allowed_{std::move(allowed)}, denied_{std::move(denied)}, own_{std::move(own)} {}

  /// `nullopt`: may be dialled. Else the reason, e.g. "127.0.0.1 is a loopback address (127.0.0.0/8)". It tells what a name
  /// resolves to inside the operator's network, so it is for the log, and for those who wrote the address themselves.
  [[nodiscard]] std::optional<std::string> denied(const ip_address& address) const;

private:
  std::vector<ip_range> allowed_;
  std::vector<ip_range> denied_;
  std::shared_ptr<const own_addresses> own_;
};

} // namespace vicket
