#pragma once

#include "link/roles.hpp"
#include "net/upgrade_rules.hpp"
#include "net/web_socket.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vicket::internal {

// What the upgrade says beside what WebSocket needs:
//   Vicket-Versions: 1-1            the versions of the sub-protocol's contents that the dialling side speaks (absent: 1-1)
//   Vicket-Roles: sender, operator  what it wants to be (absent: all that it may)
// and in the answer
//   Vicket-Version: 1
//   Vicket-Roles: sender
//   Vicket-Max-Message: 33554432    bytes
//   Vicket-Max-Requests: 256        without an answer; beyond it the node does not read on

inline constexpr std::string_view link_path = "/v1/link";
inline constexpr std::string_view caf_protocol = "vicket.caf.1";
inline constexpr std::string_view json_protocol = "vicket.json.1";
inline constexpr unsigned link_version = 1;

/// The answer to an upgrade that is one so far: 101 with the fields above, 400 where no version is common to both, 403
/// where it wants to be what it may not. `local_peers`: see `roles_of`. Pure.
[[nodiscard]] upgrade_answer judge_link(const request_head& head, const peer_identity& peer,
                                        const std::vector<role_rule>& rules, const web_socket_limits& limits,
                                        upgrade_answer so_far, bool local_peers = false);

/// The roles that such an answer has given.
[[nodiscard]] unsigned granted_roles(const request_head& head, const peer_identity& peer,
                                     const std::vector<role_rule>& rules, bool local_peers = false);

} // namespace vicket::internal
