#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace vicket::bench {

/// What the fixed load is known to cost on one platform (bench/cost/expected.json).
struct expected_cost {
  double per_delivery = 0; ///< instructions
  double margin = 0;       ///< a part of it, either way: 0.02 is 2 %
};

/// Release, compiler and architecture, which together decide the count: "debian12-gcc12-x86_64". What can't
/// be found out is "unknown".
[[nodiscard]] std::string platform_name();

/// The platform's entry; absent: it has none. Throws std::runtime_error when the file can't be read or has
/// another shape.
[[nodiscard]] std::optional<expected_cost> read_expected_cost(const std::filesystem::path& file,
                                                              const std::string& platform);

/// What is wrong with a count and what to do about it; absent: it is within the margin.
[[nodiscard]] std::optional<std::string> cost_complaint(double per_delivery, const expected_cost& expected);

} // namespace vicket::bench
