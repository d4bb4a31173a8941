#pragma once

#include "policy/address_guard.hpp"

#include <optional>
#include <span>

namespace vicket {

/// Puts a name's addresses into the order in which they are dialled (RFC 8305 section 4): the families in turn, IPv6
/// first, each family in the order in which the name server gave it. Where `first` is among them, the round begins
/// with it: what stood before it comes last.
void put_in_dial_order(std::span<ip_address> addresses, const std::optional<ip_address>& first);

} // namespace vicket
