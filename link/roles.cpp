#include "link/roles.hpp"

#include "net/upgrade_rules.hpp"

#include <array>
#include <utility>

namespace vicket {

namespace {

constexpr std::array<std::pair<std::string_view, unsigned>, 3> names{{
    {"sender", internal::role_sender},
    {"operator", internal::role_operator},
    {"peer", internal::role_peer},
}};

constexpr unsigned unknown_role = 0x80000000;

unsigned role_named(std::string_view name) {
  for (const auto& [known, role] : names)
    if (known == name)
      return role;
  return unknown_role;
}

} // namespace

parsed<role_rule> parse_role_rule(std::string_view text) {
  const auto quoted = '"' + std::string{text} + '"';
  const auto equals = text.rfind('=');
  if (equals == std::string_view::npos)
    return quoted + " is not NAME=sender, NAME=operator or NAME=peer";
  const auto role = role_named(text.substr(equals + 1));
  if (role == unknown_role)
    return quoted + " has none of the roles sender, operator and peer";
  const auto pattern = text.substr(0, equals);
  if (!internal::is_name_pattern(pattern))
    return quoted + " has no DNS name (or *. and one) or URI of a certificate";
  return role_rule{std::string{pattern}, role};
}

namespace internal {

unsigned roles_of(const peer_identity& peer, const std::vector<role_rule>& rules, bool local_peers) {
  constexpr unsigned all = role_sender | role_operator;
  if (!peer.certified) // a port without TLS is reached from this machine alone
    return all | (local_peers ? static_cast<unsigned>(role_peer) : 0u);
  if (rules.empty())
    return all;
  unsigned roles = 0;
  for (const auto& rule : rules)
    for (const auto& name : peer.names)
      if (name_fits(rule.pattern, name))
        roles |= rule.roles;
  return roles;
}

std::string role_names(unsigned roles) {
  std::string result;
  for (const auto& [name, role] : names)
    if ((roles & role) != 0) {
      result += result.empty() ? "" : ", ";
      result += name;
    }
  return result;
}

unsigned roles_named(std::string_view list) {
  unsigned roles = 0;
  for (const auto& name : list_items(list))
    roles |= role_named(name);
  return roles;
}

} // namespace internal
} // namespace vicket
