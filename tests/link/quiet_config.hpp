#pragma once

#include "messages/peer_actor.hpp"

#include <caf/actor_system_config.hpp>

namespace vicket::testing {

/// Of an actor system with two threads that sleep when there is nothing to do, and that knows the messages.
class quiet_config : public caf::actor_system_config {
public:
  quiet_config() {
    static const bool registered = [] {
      register_message_types();
      register_peer_types();
      return true;
    }();
    static_cast<void>(registered);
    set("caf.scheduler.max-threads", 2);
    set("caf.work-stealing.aggressive-poll-attempts", 0);
    set("caf.work-stealing.moderate-poll-attempts", 0);
    set("caf.logger.console.verbosity", "quiet");
  }
};

} // namespace vicket::testing
