#pragma once

#include "bench/report/results.hpp"

#include <string>

namespace vicket::bench {

/// The run as plain text for a terminal, 110 columns of prose at most: what was measured on, the scenarios
/// with their figures, notes and violations, and in its last line the summary. Ends with a line end; control
/// characters that came in with a text are shown, not sent.
[[nodiscard]] std::string table_of(const run_result& run);

} // namespace vicket::bench
