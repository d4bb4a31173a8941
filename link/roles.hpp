#pragma once

#include "link/kinds.hpp"
#include "net/peer_identity.hpp"
#include "net/place.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vicket {

/// One `--role NAME=ROLE`: certificates with a DNS or URI name that fits the pattern have the role.
struct role_rule {
  std::string pattern;
  unsigned roles = 0; ///< bits of `internal::link_role`

  friend bool operator==(const role_rule&, const role_rule&) = default;
};

/// `NAME=sender`, `NAME=operator` or `NAME=peer`.
[[nodiscard]] parsed<role_rule> parse_role_rule(std::string_view text);

namespace internal {

/// What a peer may be. Who comes in locally may be everything that is not a node of the cluster; so may every certificate
/// of the CA as long as there are no rules; once there is one, a certificate has the roles of all that fit one of its
/// names. With `local_peers` who comes in locally may be a node, too.
[[nodiscard]] unsigned roles_of(const peer_identity& peer, const std::vector<role_rule>& rules,
                                bool local_peers = false);

/// "sender, operator".
[[nodiscard]] std::string role_names(unsigned roles);
/// Of a list of names; an unknown one is role bit 0x80000000, which nobody has.
[[nodiscard]] unsigned roles_named(std::string_view list);

} // namespace internal
} // namespace vicket
