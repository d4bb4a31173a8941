#pragma once

#include "storage/data_folder.hpp"
#include "storage/partition_store.hpp"
#include "storage/secret_key.hpp"
#include "storage/store_status.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <variant>

namespace vicket {

// What is done to a folder's secrets as a whole, while no node uses it. The partitions are opened as `options_of` says;
// folder and key are put in here.

/// `partition`: as many as the folder has of connectors is that of `settings`.
using partition_options = std::function<store_options(std::uint32_t partition)>;

/// Opens each partition with this key and closes it again, which recovers it, and brings it to today's format.
[[nodiscard]] store_status open_all_partitions(const data_folder& folder, const partition_options& options_of,
                                               const std::shared_ptr<const secret_box>& secrets);

/// Seals all secrets with the key in `new_key_file`, which is made if it is not there. `old_key_file`: as in
/// `open_secret_box`.
///
/// May end at any point. Until the folder's marker names the new key, which is one atomic step, a node starts with the old
/// one and finds nothing changed; from then on with the new one, and the start does what was still to be done. Calling it
/// again goes on, or begins anew. The old key's file is left where it is.
[[nodiscard]] store_status rotate_secret_key(data_folder& folder, const partition_options& options_of,
                                             const std::filesystem::path& old_key_file,
                                             const std::filesystem::path& new_key_file);

/// Writes a copy of the folder as a program of `data_folder::format_without_key` reads it, its secrets in the clear, to a
/// folder that is not there yet, or empty. What was cut off has no marker, and no program takes it. That format has no
/// settings, so the copy has none.
[[nodiscard]] store_status export_without_key(const data_folder& folder, const partition_options& options_of,
                                              const std::shared_ptr<const secret_box>& secrets,
                                              const std::filesystem::path& to);

/// How many rules the folder has.
[[nodiscard]] std::variant<std::size_t, store_status>
count_rules(const data_folder& folder, const partition_options& options_of,
            const std::shared_ptr<const secret_box>& secrets);

} // namespace vicket
