#pragma once

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/fwd.hpp>
#include <caf/type_id.hpp>

#include <functional>

namespace vicket {

class link_core;

/// Work for the actor that holds a connection: it runs there, so that what it touches needs no lock.
struct link_task {
  std::function<void(link_core&)> run;
};

} // namespace vicket

// Stays inside the command line's process; numbered above those of the wire and of a node.
CAF_BEGIN_TYPE_ID_BLOCK(vicket_link, caf::first_custom_type_id + 400)

CAF_ADD_TYPE_ID(vicket_link, (vicket::link_task))

CAF_END_TYPE_ID_BLOCK(vicket_link)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vicket::link_task)
