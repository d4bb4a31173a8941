#pragma once

#include "storage/store_status.hpp"

#include <filesystem>

namespace vicket {

/// Makes a folder that nobody but this user may look into, with what is above it, or takes one that is there and empty and
/// this user's own. Else `foreign`; `failed` where it can't be made.
[[nodiscard]] store_status make_private_folder(const std::filesystem::path& path);

} // namespace vicket
