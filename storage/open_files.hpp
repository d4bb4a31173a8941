#pragma once

#include <cstddef>

namespace vicket {

/// Files that a partition's store keeps open: tables, at most as many, and beside them its log, its manifest, its lock, and
/// what a flush and the compactions write.
inline constexpr std::size_t max_open_tables = 512;
inline constexpr std::size_t max_open_store_files = max_open_tables + 32;
/// Of the partition `settings`.
inline constexpr std::size_t max_open_settings_tables = 32;
inline constexpr std::size_t max_open_settings_files = max_open_settings_tables + 32;

} // namespace vicket
