#include "link/handshake.hpp"

#include <charconv>
#include <optional>
#include <utility>

namespace vicket::internal {

namespace {

std::optional<unsigned> number(std::string_view text) {
  unsigned value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || problem != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

bool speaks_our_version(const std::string& range) {
  if (range.empty())
    return true;
  const auto dash = range.find('-');
  if (dash == std::string::npos)
    return false;
  const auto least = number(std::string_view{range}.substr(0, dash));
  const auto most = number(std::string_view{range}.substr(dash + 1));
  return least && most && *least <= link_version && link_version <= *most;
}

} // namespace

unsigned granted_roles(const request_head& head, const peer_identity& peer,
                       const std::vector<role_rule>& rules, bool local_peers) {
  const auto allowed = roles_of(peer, rules, local_peers);
  return head.has("Vicket-Roles") ? roles_named(head.value("Vicket-Roles")) & allowed : allowed;
}

upgrade_answer judge_link(const request_head& head, const peer_identity& peer,
                          const std::vector<role_rule>& rules, const web_socket_limits& limits,
                          upgrade_answer so_far, bool local_peers) {
  if (!speaks_our_version(head.value("Vicket-Versions")))
    return {400,
            "this node speaks version " + std::to_string(link_version) + " of the sub-protocol's contents"};
  const auto allowed = roles_of(peer, rules, local_peers);
  const auto wanted = roles_named(head.value("Vicket-Roles"));
  if ((wanted & ~allowed) != 0)
    return {403, "its certificate may not be all of: " +
                     role_names(wanted & (role_sender | role_operator | role_peer))};
  const auto granted = granted_roles(head, peer, rules, local_peers);
  if (granted == 0)
    return {403, "its certificate has no role here"};
  so_far.fields.emplace_back("Vicket-Version", std::to_string(link_version));
  so_far.fields.emplace_back("Vicket-Roles", role_names(granted));
  so_far.fields.emplace_back("Vicket-Max-Message", std::to_string(limits.message_bytes));
  so_far.fields.emplace_back("Vicket-Max-Requests", std::to_string(limits.unanswered));
  return so_far;
}

} // namespace vicket::internal
