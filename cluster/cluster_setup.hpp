#pragma once

#include "cluster/log_table.hpp"
#include "cluster/member_table.hpp"
#include "policy/secret_box.hpp"
#include "storage/partition_store.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vicket {

// What is done to a cluster's database once, or to look at it: over a connection of its own, waiting for each answer.

/// Where a cluster's log is.
struct log_place {
  /// A URI or keywords as libpq knows them, without a password (PGPASSFILE, a service file).
  std::string conninfo;
  std::string schema = "vicket";
};

/// Why a log there can't be used, whatever the server says: malformed, a password in it, a server on another machine without a
/// verified certificate, no name for a schema. Absent: it can.
[[nodiscard]] std::optional<std::string> log_place_complaint(const log_place& place);

/// The row of the table `cluster`.
struct cluster_identity {
  std::string name;
  std::string uuid;
  std::string key_fingerprint;  ///< of the secret key that all nodes have
  std::uint32_t partitions = 0; ///< of connectors; beside them the one of that number, `settings`
};

[[nodiscard]] bool is_cluster_name(std::string_view name) noexcept; ///< 1 to 63 of a-z 0-9 - _

/// Makes the schema with an empty log of each partition, in one transaction: afterwards it is all there, or nothing is.
/// `node_role`: a role of the database that the nodes use, and that gets what they need; empty: they use this one. `adopted`:
/// what the logs begin with, that of `settings` last; with fewer of connectors than the cluster is to have each is shared out to
/// several (`partition_split`). Empty: with nothing. `before_commit`: what has to be durable before
/// it is there; not ok: it is not made.
[[nodiscard]] std::variant<cluster_identity, std::string>
init_cluster(const log_place& place, const std::string& name, std::uint32_t partitions,
             const std::shared_ptr<const secret_box>& key, const std::string& node_role,
             const std::vector<std::shared_ptr<const partition_store>>& adopted = {},
             const std::function<store_status(const cluster_identity&)>& before_commit = {});

struct adopted_cluster {
  cluster_identity is;
  bool was_there = false; ///< made by a call before, which did not come to its end
};
/// The same with what is in the folder of a single node, which no node uses. The folder stays as it is, but is marked as part
/// of the cluster, so that no single node goes on with it: before the cluster is there, and again when it is. Whichever of these
/// did not come about is made up for by another call. `partitions`: 0, or a multiple of those that the folder has.
[[nodiscard]] std::variant<adopted_cluster, std::string>
adopt_folder(const log_place& place, const std::string& name, const std::string& folder,
             const std::string& key_file, const std::string& node_role, std::uint32_t partitions = 0);

/// What the schema of a cluster lacks that a version before made: the log of the partition `settings`, and the column
/// `unreached` of the members, which that version's nodes leave alone. By any node, also by several at once: the first one's counts. A
/// sentence: it is not there, and what to do.
[[nodiscard]] std::optional<std::string> complete_schema(const log_place& place,
                                                         const cluster_identity& cluster,
                                                         const std::shared_ptr<const secret_box>& key);

/// `absent`: the server answers, and there is no such cluster.
struct no_cluster {
  std::string why; ///< one sentence
  bool absent = false;
};
[[nodiscard]] std::variant<cluster_identity, no_cluster> read_cluster(const log_place& place);

/// Hands out the records of a partition that come after this one, in their order, until there are no more, or `take` says why it
/// wants no more. A sentence: that, or why they can't be read. While nobody appends.
[[nodiscard]] std::optional<std::string> read_log(const log_place& place, std::uint32_t partition,
                                                  std::uint64_t after,
                                                  const std::function<std::string(const log_row&)>& take);

/// A cluster as its database shows it.
struct cluster_view {
  struct partition {
    std::uint32_t number = 0;
    std::string owner; ///< of the last claim; empty: nobody has claimed it yet
    std::uint64_t epoch = 0;
    std::uint64_t last_record = 0;
    std::uint64_t trimmed_to = 0;
    std::string halted; ///< why; empty: it is not
    std::uint64_t log_records = 0;
    std::uint64_t log_bytes = 0; ///< of their bodies: about, by what the first ones and the last ones take
    /// Whose copy needs the first record that is there, so that no more can be trimmed; empty: nobody's.
    std::string held_by;
  };
  cluster_identity identity;
  std::vector<member_row> members;
  /// For how long each of them has shown no sign of life, by the server's clock.
  std::vector<std::int64_t> silent_ms;
  std::vector<partition> partitions;
  /// As they are noted; of a partition without any all nodes keep it, as they do `settings`, of which each notes itself.
  std::vector<member_table::copy> copies;
  std::uint64_t log_bytes = 0;       ///< of the table of rounds with its index
  std::vector<std::string> warnings; ///< what makes the server unsafe for a log, a sentence each
};
[[nodiscard]] std::variant<cluster_view, no_cluster> view_cluster(const log_place& place);

/// Whether the node is to own and keep nothing from now on; it says so until it is told otherwise, whatever lives it has. False:
/// there is no such node.
[[nodiscard]] std::variant<bool, no_cluster> set_drained(const log_place& place, const std::string& node,
                                                         bool drained);
/// The node is none of the cluster any more, and keeps nothing. One that starts again under its name is a new one. False: there is
/// none, or it shows signs of life.
[[nodiscard]] std::variant<bool, no_cluster> remove_member(const log_place& place, const std::string& node);

} // namespace vicket
