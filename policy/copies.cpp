#include "policy/copies.hpp"

#include <algorithm>

namespace vicket {

std::string encode_copies(const placement_copies& nodes) {
  std::string body;
  for (const auto& node : nodes)
    body += (body.empty() ? "" : ",") + node;
  return body;
}

std::optional<placement_copies> decode_copies(std::string_view body) {
  placement_copies nodes;
  for (bool more = true; more;) {
    const auto comma = body.find(',');
    more = comma != std::string_view::npos;
    const auto name = body.substr(0, comma);
    if (name.empty() || keeps(nodes, name))
      return std::nullopt;
    nodes.emplace_back(name);
    body.remove_prefix(more ? comma + 1 : body.size());
  }
  return nodes;
}

bool keeps(const placement_copies& copies, std::string_view node) {
  return std::find(copies.begin(), copies.end(), node) != copies.end();
}

std::optional<placement_copies> next_copies(const copies_view& view) {
  if (view.now.empty() && view.wanted.size() < view.count)
    return std::nullopt;
  placement_copies next{view.owner};
  const auto add = [&](const std::string& node) {
    if (!keeps(next, node) && !keeps(view.out, node))
      next.push_back(node);
  };
  std::for_each(view.wanted.begin(), view.wanted.end(), add);
  if (next.size() < view.count || !std::all_of(next.begin() + 1, next.end(), view.is_complete))
    std::for_each(view.now.begin(), view.now.end(), add);
  const auto is_same =
      next.size() == view.now.size() &&
      std::all_of(next.begin(), next.end(), [&](const std::string& node) { return keeps(view.now, node); });
  return is_same ? std::nullopt : std::optional{std::move(next)};
}

} // namespace vicket
