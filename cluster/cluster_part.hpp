#pragma once

#include "cluster/log_table.hpp"
#include "cluster/member_table.hpp"
#include "policy/clock.hpp"
#include "policy/log_trimming.hpp"
#include "policy/secret_box.hpp"
#include "policy/start_permit.hpp"
#include "storage/partition_store.hpp"
#include "storage/round_log.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace vicket {

/// A node's part in its cluster: follows the logs of the partitions that it keeps into their stores, looks at the others now and
/// then, claims those that have no owner, appends what the partitions' writers fill as their owner, says who is to keep them,
/// and lets go. What an owner does with a partition beyond its log is the caller's.
///
/// Who keeps a partition is what the last record of kind `copies` in its log says. Where there is none yet, all nodes do. A node
/// begins to follow when the table of copies names it, or when a partition has no owner and nobody who keeps it is there;
/// and it stops when it has read in the log that it is not among them.
///
/// Where the log does not reach back to what its store has, a node begins with a checkpoint of another one's. Its row in the table of
/// copies says from which record on it needs the log, before it asks for one, so that owners trim no more than that meanwhile. What a
/// node keeps no more it deletes when the log does not reach back to it any more, and those who keep it have it.
///
/// Without threads, sockets and clocks of its own: all on one thread, the tables', which is the caller's.
class cluster_part {
public:
  /// Who owns a partition, as far as this node has read its log.
  struct owner {
    std::uint64_t epoch = 0;
    std::string node;      ///< empty: nobody
    std::string addresses; ///< of that node; empty: it is not known, or it is this one
    std::string halted;    ///< why the partition takes no records, so that nobody owns it; empty: it does

    friend bool operator==(const owner&, const owner&) = default;
  };

  /// One owner, and one that follows and can take over within seconds. What was accepted needs no copy to survive: the log
  /// has it.
  static constexpr std::size_t default_copies = 2;
  static constexpr std::size_t most_copies = 8;

  struct setup {
    log_table* table = nullptr; ///< it and the next outlive this
    member_table* members = nullptr;
    /// Of a clock that goes on while the machine sleeps.
    std::function<std::int64_t()> now_ms;
    /// Calls it after so many milliseconds, on the thread; once this has ended that does no harm.
    std::function<void(std::int64_t ms, std::function<void()>)> wait;
    /// Calls it on the thread, later; from any thread, and as above.
    std::function<void(std::function<void()>)> post;

    std::string uuid; ///< of the cluster
    std::shared_ptr<const secret_box> key;
    member self; ///< `life` is made here
    /// Of each partition, its owner's among them. Another node may have been told another number: each owner goes by its own.
    std::size_t copies = default_copies;
    /// What of the logs is kept although no copy needs it, and how far behind a copy may be: see `plan_trim`. The bytes are
    /// those of all partitions, each of which has an equal part. As with `copies`, each owner goes by its own.
    log_ages::limits log_keep;
    /// By partition, the last one `settings`, which every node keeps; opened with `store_options::follows`.
    std::vector<std::shared_ptr<partition_store>> stores;
    /// Is allowed for as long as this node's copy of the settings may be decided by: see storage/settings_copy.hpp.
    std::shared_ptr<start_permit> settings_fresh;
    random_source* random = nullptr; ///< outlives it; safe from any thread
    std::function<void(const std::string&)> log_info;
    std::function<void(const std::string&)> log_warning;

    /// This node owns the partition, and its store is the owner's: its writer is to be started, with this log. Then `stop`
    /// comes, and not again before `gone` was called (by any thread).
    std::function<void(std::uint32_t partition, std::unique_ptr<round_log>,
                       std::shared_ptr<const start_permit>)>
        start;
    /// It owns it no more. What waits is not answered for: it may be in the log, or not. `gone`: nothing reads or writes the
    /// store any more.
    std::function<void(std::uint32_t partition, std::function<void()> gone)> stop;
    /// It is to be let go: nothing more is started; `drained` when what was under way is over and in the log.
    std::function<void(std::uint32_t partition, std::function<void()> drained)> drain;
    std::function<void(std::uint32_t partition, const owner&)> owner_is;
    /// Another node is there, or has another address: it is to be connected to, so that it is known whether it can be reached
    /// before it owns anything. `peer_is` says what comes of it. May be empty: then all can be.
    std::function<void(const std::string& node, const std::string& addresses)> reach;
    /// The partition's store is to have what that node's has, by a checkpoint: nothing reads or writes it until `done`. Before that
    /// `opened` says up to which record of the log it will have all. Both by any thread. May be empty: there is no way to ask.
    std::function<void(std::uint32_t partition, const std::string& node, const std::string& addresses,
                       std::function<void(std::uint64_t record)> opened,
                       std::function<void(const store_status&)> done)>
        take_checkpoint;
    /// It need not be taken any more; `done` comes all the same. Not empty where `take_checkpoint` is not.
    std::function<void(std::uint32_t partition)> stop_taking;
    /// The partition's store is to be empty; as `take_checkpoint`. May be empty: then it stays as it is.
    std::function<void(std::uint32_t partition, std::function<void(const store_status&)> done)> clear_store;
    /// Another process has entered the cluster under this node's name: this one has to end.
    std::function<void()> replaced;
  };

  explicit cluster_part(setup with);
  ~cluster_part(); ///< calls nothing more
  cluster_part(const cluster_part&) = delete;
  cluster_part& operator=(const cluster_part&) = delete;

  static constexpr std::int64_t beat_ms = 100;
  /// How often the store's position is synced, and told; more often where less of the log is kept.
  static constexpr std::int64_t sync_ms = 10'000;
  /// How often a partition that is not followed is looked at.
  static constexpr std::int64_t glance_ms = 200;
  /// How often an owner begins to trim.
  static constexpr std::int64_t trim_ms = 5'000;

  /// Every `beat_ms`.
  void tick();
  /// There is a connection to another node, or there is none: why, one clause.
  void peer_is(const std::string& node, bool connected, const std::string& why);
  /// Lets go of all that it owns, and claims nothing more.
  void close();
  [[nodiscard]] bool owns_any() const;
  /// Of a partition that it owns; null: it does not.
  [[nodiscard]] std::shared_ptr<const start_permit> permit_of(std::uint32_t partition) const;
  /// Its copy is of no use any more, and why; empty: it is, or will be when its disk has room, or it keeps none.
  [[nodiscard]] const std::string& trouble_of(std::uint32_t partition) const;
  /// Makes a checkpoint of its store in that folder, for another node: the last record of the log that is in it; `foreign`: it has
  /// none that is of use.
  [[nodiscard]] std::variant<std::uint64_t, store_status> checkpoint(std::uint32_t partition,
                                                                     const std::filesystem::path& to);
  /// It follows the partition, or owns it.
  [[nodiscard]] bool follows(std::uint32_t partition) const;

private:
  struct rep;
  std::shared_ptr<rep> rep_;
};

} // namespace vicket
