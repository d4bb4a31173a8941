#include "policy/certificate_name.hpp"

#include <algorithm>
#include <array>

namespace vicket {

namespace {

char lowered(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lowered(x) == lowered(y); });
}

/// Of 4 or 16 bytes: as IPv6, IPv4 mapped into it (RFC 4291 2.5.5.2).
std::array<std::uint8_t, 16> as_v6(std::string_view bytes) {
  std::array<std::uint8_t, 16> result{};
  const std::size_t first = bytes.size() == 4 ? 12 : 0;
  if (first > 0)
    result[10] = result[11] = 0xff;
  for (auto i = first; i < result.size(); ++i)
    result[i] = static_cast<std::uint8_t>(bytes[i - first]);
  return result;
}

} // namespace

bool certificate_name_covers(std::string_view certificate_name, std::string_view host) {
  if (certificate_name.empty() || host.empty())
    return false;
  if (!certificate_name.starts_with("*."))
    return same_name(certificate_name, host);
  const auto parent = certificate_name.substr(1); // with its dot
  const auto first_dot = host.find('.');
  const bool of_two_labels = parent.find('.', 1) != std::string_view::npos;
  return of_two_labels && first_dot != std::string_view::npos && first_dot > 0 &&
         same_name(parent, host.substr(first_dot));
}

bool certificate_address_covers(std::string_view bytes, const ip_address& host) {
  if (bytes.size() != 4 && bytes.size() != 16)
    return false;
  const std::string_view own{reinterpret_cast<const char*>(host.bytes.data()), host.v6 ? 16U : 4U};
  return as_v6(bytes) == as_v6(own);
}

} // namespace vicket
