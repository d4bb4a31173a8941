#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace vicket {

/// Raises the limit of open files to what the system allows this process. A warning when that is too few for
/// `max_in_flight` connections besides what the store and idle connections hold.
[[nodiscard]] std::optional<std::string> raise_file_limit(std::size_t max_in_flight);

} // namespace vicket
