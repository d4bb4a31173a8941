#pragma once

#include "actors/interfaces.hpp"

#include <caf/actor_addr.hpp>
#include <caf/system_messages.hpp>

#include <functional>
#include <string>
#include <unordered_map>

namespace vicket {

/// Watches the actors that a node cannot be without: gateway, router, history and alarm, and of each partition
/// persistence, delivery and history reader. When one of them ends, whatever the reason, the node can only stand in the
/// way of its successor: it would still hold the port and the data folder, and answer nothing. So it is told to end.
/// Supervisors are not watched: persistence starts a new one.
///
/// A node that stops on purpose ends its watch first.
class node_watch {
public:
  using handle = node_watch_actor;

  static constexpr auto name = "node_watch";

  /// `failed` is told which actor ended, and why; it may be null.
  node_watch(handle::pointer self, std::function<void(const std::string&)> failed);

  handle::behavior_type make_behavior();

private:
  void begin(const watch_over& request);
  void report(const caf::down_msg& down);

  handle::pointer self_;
  std::function<void(const std::string&)> failed_;
  std::unordered_map<caf::actor_addr, std::string> watched_; ///< what each of them is called
};

} // namespace vicket
