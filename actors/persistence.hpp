#pragma once

#include "actors/interfaces.hpp"
#include "actors/supervisor.hpp"
#include "actors/unindexed_events.hpp"
#include "policy/schedule_clock.hpp"
#include "storage/partition_store.hpp"

#include <caf/typed_response_promise.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace vicket {

/// A partition's head: sole writer of its store, parent of its supervisors. Runs on a thread of its own, since a
/// commit waits for the disk.
///
/// Group commit: whatever came in while the last commit was being synced goes into the next one. Nothing is
/// acknowledged, and no supervisor sees an event or lets go of one, before the commit that holds it is on disk.
/// Nobody waits for the record of an attempt, so it waits a little for a commit of something else that takes it along
/// (`setup::attempt_wait_ms`): endpoints that fail or are slow then cost the others no syncs.
class persistence {
public:
  using handle = persistence_actor;

  static constexpr auto name = "persistence";

  /// A batch that has grown to this is committed without waiting for more.
  static constexpr std::size_t max_batch_bytes = 4u << 20;
  /// When this many log positions lie between the oldest unindexed event and the newest, the older ones get index
  /// entries: what a restart scans at most.
  static constexpr std::size_t default_max_unindexed = 65'536;
  /// How soon a full disk is looked at again.
  static constexpr std::int64_t full_retry_ms = 500;

  struct setup {
    std::uint32_t partition = 0;
    std::shared_ptr<partition_store> store;
    delivery_actor delivery;
    alarm_actor alarm;
    const schedule_clock* clock = nullptr; ///< outlives the actor
    random_source* random = nullptr;       ///< outlives the actor; safe from any thread
    std::string version;                   ///< for the User-Agent
    window_limits window;
    /// How long the record of an attempt may wait before it is worth a commit of its own; 0: it is at once. A crash
    /// within that time sends the event again, as a crash before the answer does.
    std::int64_t attempt_wait_ms = 0;
    std::size_t max_unindexed = default_max_unindexed; ///< less in tests
    /// Called once when the store failed (rule 4): the process has to end and answer nothing more.
    std::function<void(const std::string&)> store_failed;
    std::function<void(const std::string&)> log_warning;
  };

  persistence(handle::pointer self, setup with);
  ~persistence(); ///< its supervisors end with it

  handle::behavior_type make_behavior();

private:
  /// A connector as it is configured, and what its supervisor holds.
  struct entry {
    connector config;
    supervisor_actor supervisor; ///< null while there is no work
    std::optional<std::int64_t> shaper_state;
    std::size_t held_events = 0; ///< handed to the supervisor, attempts not recorded yet
    std::size_t held_bytes = 0;
    bool backlog = false; ///< there may be due events in the index that the supervisor was not given

    // While a commit hands out what it holds: what is for this one.
    take_events to_take;
    attempts_recorded to_let_go;
    std::optional<due_position> grown;
  };

  /// An answer that waits for the commit.
  struct waiting_reply {
    caf::typed_response_promise<batch_result> promise;
    batch_result value;
    std::vector<std::size_t> staged; ///< which of the results are in the batch
  };

  struct staged_event {
    entry* owner = nullptr;
    waiting_event event;
    bool waits = false; ///< goes to the due index, not to the supervisor
  };

  struct staged_record {
    entry* owner = nullptr;
    record_attempts message;
  };

  // Requests.
  caf::result<batch_result> accept(accept_events& request);
  [[nodiscard]] send_result accept_one(composed_event& event, timestamp_ms now);
  [[nodiscard]] std::optional<refusal> refuse(const composed_event& event, const entry* owner);
  void stage(entry& owner, composed_event& event, timestamp_ms now);
  void collect_records();
  void record(record_attempts message);
  void stage_decision(const connector_id& connector, attempt_decision& decision);
  void refill(const refill_window& request);
  caf::result<connector_view> put(const put_connector& request);
  caf::result<connector_view> get(const get_connector& request) const;
  caf::result<void> remove(const delete_connector& request);
  connector_page list(const list_connectors& request) const;
  bool let_retire(const retire& request);
  void watch(const watch_feed& request);
  void forget(const forget_below& request);
  live_counts count() const;
  caf::result<void> start_draining();

  // The commit.
  void schedule_commit();
  void commit();
  void spill_laggards();
  void committed();
  void hand_over_events();
  void release_attempts();
  void disk_full(const store_status& why);
  void fail(const store_status& why);
  [[nodiscard]] bool store_is_healthy();
  [[nodiscard]] bool room_on_disk();

  // Supervisors.
  void load();
  [[nodiscard]] bool has_room(const entry& owner, std::size_t bytes) const;
  supervisor_actor& supervisor_of(entry& owner);
  void replace_supervisor(const caf::down_msg& down);
  void finish_drain_when_done();

  // Invariants:
  // - unindexed_ is what it will be once the batch under construction is committed;
  // - an entry's held_events counts the staged events that do not wait, those its supervisor holds, and no other;
  // - between two messages either the batch is empty, or a tick is under way.
  handle::pointer self_;
  setup with_;
  std::unordered_map<connector_id, std::unique_ptr<entry>> connectors_;
  std::shared_ptr<record_inbox> records_;
  unindexed_events unindexed_;
  write_batch batch_;
  std::vector<staged_event> staged_events_;
  std::vector<staged_record> staged_records_;
  std::vector<unindexed_events::entry> staged_spills_;
  std::unordered_set<event_id> staged_ids_; ///< of sender-made ids in the batch
  std::vector<waiting_reply> replies_;
  bool tick_under_way_ = false;
  bool room_on_disk_ = false; ///< seen for this batch
  bool disk_full_ = false;    ///< the last commit did not fit; attempts wait in staged_records_
  bool failed_ = false;
  log_sequence last_attempt_ = 0; ///< committed by this process
  bool feed_watched_ = false;
  history_reader_actor feed_watcher_;
  bool draining_ = false;
  std::size_t supervisors_draining_ = 0;
  caf::typed_response_promise<void> drained_;
};

} // namespace vicket
