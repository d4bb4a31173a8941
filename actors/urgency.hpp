#pragma once

#include "actors/interfaces.hpp"

#include <caf/message_priority.hpp>

#include <type_traits>

namespace vicket {

/// Before what waits in an actor's mailbox, or behind it. Who asks for a status wants it most where there is much to do: of a
/// partition with 100,000 busy connectors a page of it waited 0.8 s behind their attempts.
template <class Request>
inline constexpr auto priority_of =
    std::is_same_v<Request, get_partition_overview> ? caf::message_priority::high
                                                    : caf::message_priority::normal;

} // namespace vicket
