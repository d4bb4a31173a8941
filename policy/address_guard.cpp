#include "policy/address_guard.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace vicket {

namespace {

constexpr unsigned v4_bits = 32;
constexpr unsigned v6_bits = 128;
constexpr std::size_t v4_bytes = 4;

/// Decimal without sign and leading zeros, at most `limit`.
std::optional<unsigned> parse_decimal(std::string_view text, unsigned limit) {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text.front() == '0'))
    return std::nullopt;
  unsigned value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size() || value > limit)
    return std::nullopt;
  return value;
}

std::optional<ip_address> parse_v4(std::string_view text) {
  ip_address result;
  for (std::size_t i = 0; i < v4_bytes; ++i) {
    const auto dot = text.find('.');
    const bool last = i + 1 == v4_bytes;
    if (last != (dot == std::string_view::npos))
      return std::nullopt;
    const auto byte = parse_decimal(text.substr(0, dot), 255);
    if (!byte)
      return std::nullopt;
    result.bytes[i] = static_cast<std::uint8_t>(*byte);
    text.remove_prefix(last ? text.size() : dot + 1);
  }
  return result;
}

std::optional<ip_address> parse_v6(std::string_view text) {
  // inet_pton wants a terminated string; an embedded zero would end it early and hide what follows.
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos)
    return std::nullopt;
  std::copy(text.begin(), text.end(), terminated.begin());
  ip_address result;
  result.v6 = true;
  if (::inet_pton(AF_INET6, terminated.data(), result.bytes.data()) != 1)
    return std::nullopt;
  return result;
}

bool same_prefix(const std::array<std::uint8_t, 16>& a, const std::array<std::uint8_t, 16>& b,
                 unsigned bits) {
  const std::size_t whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole), b.begin()))
    return false;
  const unsigned rest = bits % 8;
  return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

struct named_range {
  std::string_view range;
  std::string_view meaning;
};

// Seed of these: IANA's special-purpose address registries (RFC 6890 and successors), multicast, and one
// cloud's host address that answers on a public-looking number.
constexpr std::array<named_range, 16> denied_v4{{
    {"0.0.0.0/8", "\"this network\""},
    {"10.0.0.0/8", "a private"},
    {"100.64.0.0/10", "a carrier-grade NAT"},
    {"127.0.0.0/8", "a loopback"},
    {"169.254.0.0/16", "a link-local"},
    {"172.16.0.0/12", "a private"},
    {"192.0.0.0/24", "an IETF protocol"},
    {"192.0.2.0/24", "a documentation"},
    {"192.88.99.0/24", "a 6to4 relay"},
    {"192.168.0.0/16", "a private"},
    {"198.18.0.0/15", "a benchmarking"},
    {"198.51.100.0/24", "a documentation"},
    {"203.0.113.0/24", "a documentation"},
    {"224.0.0.0/4", "a multicast"},
    {"240.0.0.0/4", "a reserved"},
    {"168.63.129.16/32", "a cloud host's"},
}};

// Carved out of 2000::/3, which is all that may be reached in v6.
constexpr std::array<named_range, 4> denied_v6{{
    {"2001::/23", "an IETF protocol"},
    {"2001:db8::/32", "a documentation"},
    {"2002::/16", "a 6to4"},
    {"3fff::/20", "a documentation"},
}};

// Outside 2000::/3, where a better word than "not global unicast" exists.
constexpr std::array<named_range, 6> words_v6{{
    {"::/128", "the unspecified"},
    {"::1/128", "a loopback"},
    {"64:ff9b:1::/48", "a NAT64"},
    {"fc00::/7", "a unique local"},
    {"fe80::/10", "a link-local"},
    {"ff00::/8", "a multicast"},
}};

struct parsed_range {
  ip_range range;
  named_range words;
};

template <std::size_t N>
std::array<parsed_range, N> parse_all(const std::array<named_range, N>& texts) {
  std::array<parsed_range, N> result;
  for (std::size_t i = 0; i < N; ++i)
    result[i] = {ip_range::parse(texts[i].range).value(), texts[i]};
  return result;
}

template <std::size_t N>
const named_range* first_match(const std::array<parsed_range, N>& ranges, const ip_address& address) {
  for (const auto& entry : ranges)
    if (entry.range.contains(address))
      return &entry.words;
  return nullptr;
}

const named_range* denied_by_table(const ip_address& address) {
  static const auto v4 = parse_all(denied_v4);
  static const auto v6 = parse_all(denied_v6);
  static const auto outside = parse_all(words_v6);
  static const auto global_unicast = ip_range::parse("2000::/3").value();
  static constexpr named_range not_global{"outside 2000::/3", "not a global unicast"};
  if (!address.v6)
    return first_match(v4, address);
  if (global_unicast.contains(address))
    return first_match(v6, address);
  const auto* words = first_match(outside, address);
  return words != nullptr ? words : &not_global;
}

/// The v4 address that is reached in the end: the kernel dials the one in ::ffff:0:0/96 (RFC 4291 2.5.5.2), a NAT64
/// gateway the one in 64:ff9b::/96 (RFC 6052 2.1).
std::optional<ip_address> embedded_v4(const ip_address& address) {
  static const auto mapped = ip_range::parse("::ffff:0:0/96").value();
  static const auto nat64 = ip_range::parse("64:ff9b::/96").value();
  if (!mapped.contains(address) && !nat64.contains(address))
    return std::nullopt;
  ip_address result;
  std::copy(address.bytes.end() - v4_bytes, address.bytes.end(), result.bytes.begin());
  return result;
}

} // namespace

std::optional<ip_address> ip_address::parse(std::string_view text) {
  return text.find(':') == std::string_view::npos ? parse_v4(text) : parse_v6(text);
}

std::string ip_address::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), text.data(), text.size());
  return text.data();
}

std::optional<ip_range> ip_range::parse(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos)
    return std::nullopt;
  const auto network = ip_address::parse(text.substr(0, slash));
  if (!network)
    return std::nullopt;
  const auto bits = parse_decimal(text.substr(slash + 1), network->v6 ? v6_bits : v4_bits);
  if (!bits)
    return std::nullopt;
  // A bit behind the prefix is a slip (10.0.0.1/8): which of the two was meant decides what is let through.
  for (unsigned bit = *bits; bit < (network->v6 ? v6_bits : v4_bits); ++bit)
    if ((network->bytes[bit / 8] >> (7 - bit % 8)) & 1)
      return std::nullopt;
  return ip_range{*network, *bits};
}

std::string ip_range::to_string() const {
  return network.to_string() + "/" + std::to_string(prefix_bits);
}

bool ip_range::contains(const ip_address& address) const {
  return address.v6 == network.v6 && same_prefix(address.bytes, network.bytes, prefix_bits);
}

std::optional<std::string> address_guard::denied(const ip_address& address) const {
  const auto inner = embedded_v4(address);
  const auto& judged = inner ? *inner : address;
  const auto because = [&](const std::string& what) {
    const auto text = address.to_string();
    const auto is_shown = !inner || text.ends_with(inner->to_string()); // in the mapped form
    return text + " is " + (is_shown ? "" : inner->to_string() + " behind NAT64, ") + what;
  };
  for (const auto& range : denied_)
    if (range.contains(judged) || range.contains(address))
      return because("in a range that the operator denies");
  for (const auto& range : allowed_)
    if (range.contains(judged))
      return std::nullopt;
  const auto* match = denied_by_table(judged);
  if (match != nullptr)
    return because(std::string{match->meaning} + " address (" + std::string{match->range} + ")");
  if (own_ && own_->has(judged))
    return because("an address of this machine");
  return std::nullopt;
}

} // namespace vicket
