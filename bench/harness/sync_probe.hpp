#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace vicket::bench {

/// What a probe appends: about what the node commits at once under a moderate load.
inline constexpr std::size_t probe_bytes = 16u << 10;

/// What the machine itself takes to make an append durable, ns each: `count` times 16 KiB written to the end of
/// `file`, each followed by fdatasync. The file is made, and is gone afterwards. No commit is faster than that.
/// Throws std::runtime_error when the file can't be made, written or synced.
[[nodiscard]] std::vector<std::int64_t> sync_times_ns(const std::filesystem::path& file, int count);

} // namespace vicket::bench
