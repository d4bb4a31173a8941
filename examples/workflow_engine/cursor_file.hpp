#pragma once

#include <filesystem>
#include <string>

/// Where the outcome feed is to be read on, kept across restarts. No file: an empty cursor, the feed's beginning.
[[nodiscard]] std::string load_cursor(const std::filesystem::path& file);

/// Replaces the file in one step, so that a crash leaves the old cursor or the new one. Throws where it can't.
void save_cursor(const std::filesystem::path& file, const std::string& cursor);
