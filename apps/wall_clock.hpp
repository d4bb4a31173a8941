#pragma once

#include "messages/ids.hpp"

namespace vicket {

/// Now, for the command line: what a receiver compares signatures' times with.
[[nodiscard]] timestamp_ms wall_clock_now();

} // namespace vicket
