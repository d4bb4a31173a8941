#pragma once

#include <optional>
#include <string>

namespace vicket {

/// What this process or machine was short of when a call failed with `number`: "file descriptors (Too many open files)".
/// Absent: the call failed for another reason. Local ports are another question, since the same number says that there is
/// no way to an address (`connection`).
[[nodiscard]] std::optional<std::string> shortage_of(int number);

/// Whether a file can be opened now: what is short, if not. For calls of libraries that keep to themselves why they failed.
[[nodiscard]] std::optional<std::string> shortage_of_descriptors();

} // namespace vicket
