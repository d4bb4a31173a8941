#pragma once

#include "tests/sim/dice.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace vicket::sim {

/// Nodes of one cluster, whole ones on CAF's deterministic coordinator, each on a simulated disk, over a simulated database;
/// with an engine that sends to all of them, a reader that follows the feed from one to the other, and whatever may happen to
/// nodes, database and disks, by chance that a seed decides. What must never be is looked for all the time (`violation`).
class cluster_world {
public:
  static constexpr std::size_t fewest_nodes = 3;
  static constexpr std::size_t most_nodes = 5;
  static constexpr std::uint32_t partitions = 3; ///< of which the last one has nothing to do
  static constexpr std::int64_t step_ms = 5;

  /// What may happen; each can be left out.
  struct faults {
    bool cut_answers = true;   ///< calls of the database that are refused, cut or late
    bool failovers = true;     ///< its rows that no standby has go; standbys are away for a while
    bool outages = true;       ///< it answers nobody for a while
    bool slow_commits = true;  ///< everything takes seconds
    bool pauses = true;        ///< the cluster's thread of a node stands still
    bool kills = true;         ///< a process ends and begins again
    bool power_cuts = true;    ///< a machine loses what its disk had not synced, or all of them do
    bool stops = true;         ///< a node ends in order
    bool full_disks = true;    ///< the disk of a node has no room for a while
    bool lost_disks = true;    ///< a node begins again with an empty disk
    bool bad_endpoints = true; ///< endpoints that answer 503 now and then
  };

  /// `folder`: for what of a data folder is on a real disk; empty.
  cluster_world(std::uint64_t seed, const std::filesystem::path& folder, const faults& with,
                std::function<void(std::string_view)> trace = {});
  ~cluster_world();
  cluster_world(const cluster_world&) = delete;
  cluster_world& operator=(const cluster_world&) = delete;

  /// So many steps of `step_ms`.
  void run(int steps);
  /// No more faults, nor events: in the end all that was accepted has been delivered, and all copies are the same.
  void calm_down();

  [[nodiscard]] const std::string& violation() const;

  struct totals {
    std::size_t accepted = 0;
    std::size_t delivered = 0;       ///< events
    std::size_t delivered_again = 0; ///< more than once with 2xx
    std::size_t refused = 0;         ///< answers `unavailable` or `overloaded`
    std::size_t ownerships = 0;
    std::size_t kills = 0;
    std::size_t long_absences = 0;  ///< of nodes that were killed and did not come back for half a minute
    std::size_t copies_records = 0; ///< that say who keeps a partition
    std::size_t taken_up = 0; ///< times that a node followed a partition since nobody who kept it was there
    std::size_t power_cuts = 0;
    std::size_t failovers = 0;
    std::size_t full_disks = 0;
    std::size_t lost_disks = 0;
    std::size_t records_trimmed = 0;
    std::size_t checkpoints = 0;        ///< that nodes began with
    std::size_t broken_checkpoints = 0; ///< that did not come to their end
    std::size_t stores_deleted = 0;     ///< of partitions that others keep
    std::size_t feed_entries = 0;
    std::size_t rules_changed = 0;
    std::size_t settings_looks = 0; ///< at a node's copy that it would decide by
    std::size_t triggers = 0;       ///< sent, some of them again
    std::size_t triggers_answered = 0;
    std::size_t rule_made = 0; ///< events that answers named as taken
    std::size_t completed = 0; ///< of them, those that were there from a sending before
  };
  [[nodiscard]] const totals& counted() const;

private:
  struct rep;
  std::unique_ptr<rep> rep_;
};

} // namespace vicket::sim
