#pragma once

#include "bench/report/results.hpp"

#include <string>

namespace vicket::bench {

/// The run as GitHub Markdown, to be put into a page that has its own title: what was measured on, all goals,
/// then a section of level 2 for each scenario. Texts are escaped; plots are not in it.
[[nodiscard]] std::string markdown_of(const run_result& run);

} // namespace vicket::bench
