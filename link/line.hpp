#pragma once

#include "link/inbox.hpp"
#include "net/deadlines.hpp"
#include "net/io_thread.hpp"
#include "net/place.hpp"
#include "net/tls_contexts.hpp"

#include <caf/actor_control_block.hpp>

#include <memory>
#include <string>
#include <vector>

namespace vicket::internal {

class line_core;

/// The dialling end of a link: an I/O thread that has a connection, or tries to, and tells an actor's inbox. The actor is
/// told by `caf::tick_atom`, and not kept alive.
class link_line {
public:
  struct options {
    std::vector<place> nodes;
    std::shared_ptr<tls_contexts> tls; ///< null: plain
    std::string roles;                 ///< that are wanted; empty: all that it may have
    std::shared_ptr<link_inbox> inbox;
    caf::weak_actor_ptr actor;
    deadline_limits deadlines = {};
  };

  explicit link_line(options with);
  ~link_line();
  link_line(const link_line&) = delete;
  link_line& operator=(const link_line&) = delete;

private:
  io_thread io_;
  std::shared_ptr<line_core> core_;
};

} // namespace vicket::internal
