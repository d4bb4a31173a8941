#include "policy/resolver_config.hpp"

#include "policy/address_guard.hpp"

#include <algorithm>

namespace vicket {

namespace {

constexpr std::string_view keyword = "nameserver";
constexpr std::string_view blank = " \t\r\v\f";

bool is_port(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), digit);
}

/// A link-local IPv6 address names its interface: `fe80::1%eth0`.
bool is_address(std::string_view text) {
  const auto zone = text.find('%');
  const auto address = ip_address::parse(text.substr(0, zone));
  return address && (zone == std::string_view::npos || (address->v6 && zone + 1 < text.size()));
}

bool is_server(std::string_view text) {
  if (is_address(text))
    return true;
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || !is_port(text.substr(colon + 1)))
    return false;
  auto host = text.substr(0, colon);
  if (!host.starts_with('['))
    return ip_address::parse(host) && host.find(':') == std::string_view::npos;
  return host.ends_with(']') && is_address(host.substr(1, host.size() - 2));
}

/// The first word, which `text` begins behind afterwards.
std::string_view take_word(std::string_view& text) {
  const auto begin = std::min(text.find_first_not_of(blank), text.size());
  const auto end = std::min(text.find_first_of(blank, begin), text.size());
  const auto word = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return word;
}

} // namespace

std::vector<std::string> name_servers_of(std::string_view resolv_conf) {
  std::vector<std::string> result;
  while (!resolv_conf.empty()) {
    const auto end = std::min(resolv_conf.find('\n'), resolv_conf.size());
    auto line = resolv_conf.substr(0, end);
    resolv_conf.remove_prefix(std::min(end + 1, resolv_conf.size()));
    if (take_word(line) != keyword)
      continue;
    auto server = take_word(line);
    server = server.substr(0, server.find_first_of("#;"));
    if (is_server(server) && std::find(result.begin(), result.end(), server) == result.end())
      result.emplace_back(server);
  }
  if (result.empty())
    result.emplace_back("127.0.0.1");
  return result;
}

} // namespace vicket
