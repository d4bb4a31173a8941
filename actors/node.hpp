#pragma once

#include "actors/history_limits.hpp"
#include "actors/interfaces.hpp"
#include "actors/supervisor.hpp"
#include "messages/actors.hpp"
#include "messages/peer_actor.hpp"
#include "policy/address_guard.hpp"
#include "policy/clock.hpp"
#include "policy/start_permit.hpp"
#include "storage/data_folder.hpp"
#include "storage/partition_store.hpp"
#include "storage/round_log.hpp"
#include "storage/settings_copy.hpp"
#include "transport/http_transport.hpp"

#include <caf/fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace vicket {

/// How a node behaves; the flags of `vicketd` set the same.
struct node_options {
  std::filesystem::path data_dir;
  std::uint32_t partitions =
      0; ///< for a new data folder; 0: one for two cores. An existing folder keeps its own
  /// Encrypts secrets at rest; empty: `secret.key` in the data folder, which is made where there is none yet.
  std::filesystem::path secret_key_file;
  address_guard guard;
  bool allow_http = false;
  std::int64_t retention_ms = 7LL * 24 * 3600 * 1000;
  std::size_t max_envelope_bytes = 256 * 1024;
  std::size_t max_in_flight = 10'000;
  std::size_t max_uncommitted_bytes = 64u << 20;
  window_limits window;
  history_limits history;
  /// What is kept of each connector's attempts; beyond it what is older goes. See `history_ledger`.
  std::uint64_t history_bytes_per_connector = std::uint64_t{1} << 30;
  /// What supervisors hold in memory, all together; each partition has an equal part. See `window_budget`.
  std::size_t window_memory_bytes = window_limits::default_node_bytes;
  /// How long the record of an attempt may wait for a commit that takes it along. See `persistence`.
  std::int64_t attempt_wait_ms = 5;
  /// See `store_options`: for all partitions together; 0: as there.
  std::size_t store_write_buffer_bytes = 0;
  /// See `persistence::setup`; 0: as there.
  std::size_t max_unindexed = 0;
  /// How long a supervisor with nothing to do stays; 0: as in `supervisor`.
  std::int64_t supervisor_idle_ms = 0;
  /// See `persistence`; 0: as there.
  std::size_t crowd_of_supervisors = 0;
  /// A node of a cluster: which. Its partitions, which are as many as the cluster's, follow the cluster's log, and have no
  /// writer here but between `node::own` and `node::disown`.
  std::optional<data_folder::cluster_place> cluster;
  /// Of a node of a cluster: holds while its copy of the settings is the newest. See storage/settings_copy.hpp, `cluster_part`.
  std::shared_ptr<const start_permit> settings_fresh;
  /// Backups are made directly below it, when an operator says so (`make_backup`); absolute. Empty: none are made.
  std::filesystem::path backup_root;
  /// Of a node of a cluster: how fast it takes checkpoints from others; 0: as in `checkpoint_taker`.
  std::uint64_t copy_bytes_per_second = 0;
  /// Off in tests on CAF's deterministic coordinator: actors that wait for the disk then run like the others.
  bool own_threads = true;
};

/// What a node stands on: handed in by the composition root, replaced by fakes in tests. What is pointed to
/// outlives the node and is safe from any thread.
struct node_environment {
  const clock* time = nullptr;     ///< outlives the actor system, not only the node
  random_source* random = nullptr; ///< likewise
  std::shared_ptr<http_transport> transport;
  store_environment* store = nullptr; ///< null: the real file system
  /// Makes the log that a partition's rounds go through; empty: RocksDB's own.
  std::function<std::unique_ptr<round_log>(partition_store&)> log;
  /// Called when this is no node any more, with the reason in one line: a store can't be trusted, or an actor died that
  /// the node cannot be without. Log it and end the process, non-zero: the next start recovers. Of a failed store
  /// nothing is answered after it. From any thread, and more than once where it does not end the process.
  std::function<void(const std::string&)> failed;
  std::function<void(const std::string&)> log_warning;
};

/// Version as in the User-Agent and the status.
[[nodiscard]] const char* version() noexcept;

/// Registers all message types with CAF, those inside a node too. Call once, before the first actor system.
void register_all_types();

/// A node with its embedded store, in the caller's actor system: a workflow engine may embed one, or talk to
/// `vicketd` over the network with the same messages.
class node {
public:
  /// Opens the data folder, recovers, and starts delivering what is pending. The error is one clear line. An actor that
  /// cannot be started is told to `failed` first.
  [[nodiscard]] static std::variant<std::unique_ptr<node>, std::string>
  start(caf::actor_system& system, node_options options, node_environment environment);

  /// Stops at once, like a crash with manners; for a clean stop call `stop` first.
  ~node();

  /// Also an engine's `gateway_actor`, and an operator's `operator_actor`.
  [[nodiscard]] node_actor gateway() const;
  [[nodiscard]] std::uint32_t partitions() const; ///< of connectors

  /// What belongs to no connector: where it is changed, and this node's copy of it.
  [[nodiscard]] settings_actor settings() const;
  [[nodiscard]] std::shared_ptr<const settings_copy> copy_of_settings() const;

  // -- a node of a cluster; any thread --------------------------------------------------------------------------------

  /// By partition; the last one, whose number is that of the connectors' partitions, is `settings`.
  [[nodiscard]] std::vector<std::shared_ptr<partition_store>> stores() const;
  [[nodiscard]] std::shared_ptr<const secret_box> secrets() const;

  /// The partition is this node's from now on, and its store has what an owner writes first: its writer begins, with this
  /// log, and everything that waits is delivered once the permit holds.
  void own(std::uint32_t partition, std::unique_ptr<round_log> log,
           std::shared_ptr<const start_permit> permit);
  /// Who owns the partition, as far as is known, and how to ask that node; null: this node does, or it can't be asked.
  /// `halted`: why nobody does, and nothing is to be waited for; empty: it goes on.
  void owner_is(std::uint32_t partition, std::uint64_t epoch, const std::string& owner, peer_actor there,
                const std::string& halted);
  /// For other nodes: this one's own partitions.
  [[nodiscard]] peer_actor door() const;
  /// From now on other nodes may take checkpoints of this one's stores.
  void lend(make_checkpoint make);
  /// The partition's store is to have what that node's has: nothing else here reads or writes it until `done`, by any thread; before it `opened`
  /// says up to which record of the log that is. See checkpoint_taker.hpp. One at a time of each partition.
  void take_checkpoint(std::uint32_t partition, peer_actor from,
                       std::function<void(std::uint64_t record)> opened,
                       std::function<void(const store_status&)> done);
  /// It is broken off, unless it has ended: `done` says so.
  void stop_taking(std::uint32_t partition);
  /// The partition's store is to be empty; likewise.
  void clear_store(std::uint32_t partition, std::function<void(const store_status&)> done);
  /// Starts nothing more of it; `done` when what is under way is over and written, or after `patience_ms`. By an actor.
  void drain_partition(std::uint32_t partition, std::int64_t patience_ms, std::function<void()> done);
  /// Its writer ends as it stands, and answers nothing more. `gone` when nothing here reads or writes the store but the
  /// log's follower. By an actor, or at once.
  void disown(std::uint32_t partition, std::function<void()> gone);

  // -- its end --------------------------------------------------------------------------------------------------------

  /// Refuses new events, starts no deliveries, lets those in flight finish within `patience_ms`, syncs. False: some
  /// were still in flight; they are sent again after the next start.
  bool stop(std::int64_t patience_ms);
  /// The same without waiting, for a caller whose thread the actors run on. `done` is called by an actor.
  void begin_stop(std::int64_t patience_ms, std::function<void(bool clean)> done);
  /// What the destructor does first, for such a caller: it has to let the actors run, so that they end, before this
  /// goes with the clock that they read.
  void end();

private:
  struct rep;
  explicit node(std::unique_ptr<rep>);
  std::unique_ptr<rep> rep_;
};

} // namespace vicket
