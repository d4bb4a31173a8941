#include "net/place.hpp"

#include "policy/address_guard.hpp"

#include <sys/un.h>

#include <charconv>

namespace vicket {

namespace {

constexpr std::string_view unix_prefix = "unix:";

bool host_name_characters(std::string_view host) {
  return host.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") ==
         std::string_view::npos;
}

std::string quoted(std::string_view text) {
  return '"' + std::string{text} + '"';
}

} // namespace

std::string host_port::to_string() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

parsed<host_port> parse_host_port(std::string_view text) {
  const auto wrong = quoted(text) + " is not HOST:PORT (an IPv6 address goes into brackets: [::1]:4242)";
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0)
    return wrong;
  auto host = text.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    const auto address = ip_address::parse(host);
    if (!address || !address->v6)
      return wrong;
  } else if (!host_name_characters(host)) {
    return wrong;
  }
  const auto digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || problem != std::errc{} || end != digits.data() + digits.size())
    return quoted(text) + " has no port between 0 and 65535";
  return host_port{std::string{host}, port};
}

bool is_loopback(std::string_view host) {
  if (host == "localhost")
    return true;
  const auto address = ip_address::parse(host);
  if (!address)
    return false;
  if (!address->v6)
    return address->bytes[0] == 127;
  return *address == ip_address::parse("::1");
}

std::string place::to_string() const {
  return is_unix() ? std::string{unix_prefix} + unix_path : address.to_string();
}

parsed<place> parse_place(std::string_view text) {
  if (text.starts_with(unix_prefix)) {
    const auto path = text.substr(unix_prefix.size());
    if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path) ||
        path.find('\0') != std::string_view::npos)
      return quoted(text) + " has no path of 1 to " + std::to_string(sizeof(sockaddr_un::sun_path) - 1) +
             " bytes";
    place result;
    result.unix_path = path;
    return result;
  }
  auto address = parse_host_port(text);
  if (auto* wrong = std::get_if<std::string>(&address))
    return std::move(*wrong);
  place result;
  result.address = std::get<host_port>(std::move(address));
  return result;
}

} // namespace vicket
