#pragma once

#include "apps/values.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace vicket {

/// Binds and releases. Else why it can't be done, in the system's words.
[[nodiscard]] std::optional<std::string> try_bind(const host_port& place);

} // namespace vicket
