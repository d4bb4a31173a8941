#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace vicket::bench {

/// Whether a scenario runs: one that was named; or, where none was, every one that doesn't run by name alone. Pure.
[[nodiscard]] inline bool is_chosen(const std::string& scenario, bool only_by_name,
                                    const std::vector<std::string>& named) {
  if (named.empty())
    return !only_by_name;
  return std::find(named.begin(), named.end(), scenario) != named.end();
}

} // namespace vicket::bench
