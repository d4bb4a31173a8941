#pragma once

#include <functional>
#include <string>
#include <vector>

namespace vicket {

class connection_pool;
class deadline_wheel;
class denial_notice;
class dial_lane;
class known_addresses;
class name_resolver;
class socket_watch;
class tls_context;
struct transport_options;

/// What the exchanges of one I/O thread share, and their dials.
struct exchange_services {
  socket_watch& watch;
  const transport_options& options;
  const tls_context& tls;
  connection_pool& pool;
  name_resolver& names;
  known_addresses& known;
  deadline_wheel& deadlines;
  dial_lane& dials;
  denial_notice& denials;                    ///< whose lines go to the options' `log_warning`
  std::function<void()> ask_others_for_room; ///< has the other I/O threads give up idle connections; soon
  std::string& out;                          ///< scratch for composing a request
  std::vector<char>& in;                     ///< scratch for reading
};

} // namespace vicket
