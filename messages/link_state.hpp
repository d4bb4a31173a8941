#pragma once

#include <string>

namespace vicket {

/// What a link tells its watcher (`link_options::watcher`) whenever it changes, inside one process.
struct link_state {
  bool connected = false;
  std::string node; ///< to whom it is connected, or was, or tried to be: as in `link_options::nodes`
  std::string why;  ///< it is not: one clause

  template <class Inspector>
  friend bool inspect(Inspector& f, link_state& x) {
    return f.object(x).fields(f.field("connected", x.connected), f.field("node", x.node),
                              f.field("why", x.why));
  }
};

} // namespace vicket
