#pragma once

#include "bench/report/results.hpp"

#include <string>

namespace vicket::bench {

/// The run as one HTML page that needs nothing else: no script, no network (its content policy forbids both),
/// light or dark as its reader's system is. Texts are escaped.
[[nodiscard]] std::string html_of(const run_result& run);

} // namespace vicket::bench
