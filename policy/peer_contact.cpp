#include "policy/peer_contact.hpp"

#include <algorithm>

namespace vicket {

void peer_contact::seen(const std::vector<std::string>& present, std::int64_t now_ms) {
  for (auto& [name, of] : nodes_)
    of.present = of.present && std::find(present.begin(), present.end(), name) != present.end();
  for (const auto& name : present)
    if (auto& of = nodes_[name]; !of.present) {
      of.present = true;
      of.since_ms = now_ms;
    }
}

void peer_contact::is(const std::string& node, bool connected, const std::string& why, std::int64_t now_ms) {
  auto& of = nodes_[node];
  if (of.connected && !connected)
    of.since_ms = now_ms;
  of.connected = connected;
  of.why = why;
}

bool peer_contact::is_missing(std::string_view node) const {
  const auto found = nodes_.find(node);
  return found != nodes_.end() && found->second.present && !found->second.connected;
}

std::vector<peer_contact::trouble> peer_contact::unreached(std::int64_t now_ms) const {
  std::vector<trouble> found;
  for (const auto& [name, of] : nodes_)
    if (of.present && !of.connected && now_ms - of.since_ms >= patience_ms)
      found.push_back({name, of.why});
  return found;
}

std::vector<std::string> cut_off(const std::vector<contact_report>& live) {
  std::vector<std::string> found;
  for (const auto& one : live) {
    const auto accusers = std::count_if(live.begin(), live.end(), [&](const contact_report& other) {
      return other.node != one.node &&
             std::find(other.unreached.begin(), other.unreached.end(), one.node) != other.unreached.end();
    });
    if (2 * static_cast<std::size_t>(accusers) > live.size() - 1)
      found.push_back(one.node);
  }
  if (found.size() == live.size())
    return {};
  std::sort(found.begin(), found.end());
  return found;
}

} // namespace vicket
