#pragma once

#include "cluster/cluster_setup.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace vicket {

/// What a cluster is made of that takes the place of one whose nodes are lost.
struct restore_plan {
  /// Backups of nodes of one cluster; of each partition that one counts that is furthest in its log.
  std::vector<std::filesystem::path> backups;
  /// The log of that cluster, which is read from there on to its end; its nodes have ended. Absent: it is lost, too, and
  /// the new cluster goes on as of the backups.
  std::optional<log_place> old_log;
  /// A folder that is not there yet, or empty: each partition is put together there. It is left empty.
  std::filesystem::path scratch;
  std::uint32_t partitions = 0; ///< 0: as many as the old one had; or a multiple (`partition_split`)
};

/// Makes a cluster, another one with a log of its own, that goes on as the old one: everything that was accepted up to the end of
/// the old log, or up to the backups where that is lost. The old log stays as it is. A record that does not follow on from a backup
/// by its digest ends it. All there, or nothing.
[[nodiscard]] std::variant<cluster_identity, std::string>
restore_cluster(const log_place& place, const std::string& name, const restore_plan& plan,
                const std::shared_ptr<const secret_box>& key, const std::string& node_role);

} // namespace vicket
