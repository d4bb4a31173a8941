#pragma once

#include <cstdint>

namespace vicket {

/// What a start is, for the order of starts: the first attempt of an event that was just accepted, or an attempt of what
/// has waited already (a retry, or what came out of the store's index).
enum class start_kind : std::uint8_t { fresh, backlog };

} // namespace vicket
