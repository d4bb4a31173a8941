#pragma once

#include "storage/data_folder.hpp"
#include "storage/folder_secrets.hpp"
#include "storage/store_status.hpp"

#include <cstdint>
#include <memory>

namespace vicket {

/// Makes so many partitions of the folder's, of which that is a multiple, while no node uses it. Each goes on with the positions,
/// cursors and history of the one that it was a part of, with what belongs to its connectors. All is written anew, so the volume
/// needs as much room again.
///
/// May end at any point: then the folder is what it was, or the next one that opens it, a node or this, finds it split. One that has so
/// many partitions stays as it is.
[[nodiscard]] store_status split_folder(data_folder& folder, std::uint32_t partitions,
                                        const partition_options& options_of,
                                        const std::shared_ptr<const secret_box>& secrets);

} // namespace vicket
