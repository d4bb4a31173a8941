#pragma once

#include "actors/in_flight_count.hpp"
#include "actors/interfaces.hpp"
#include "actors/order_inbox.hpp"
#include "actors/partition_rounds.hpp"
#include "actors/record_inbox.hpp"
#include "actors/wake_queue.hpp"
#include "policy/schedule_clock.hpp"
#include "policy/secret_box.hpp"
#include "storage/due_scan.hpp"
#include "storage/partition_store.hpp"
#include "storage/round_log.hpp"

#include <caf/actor_clock.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace vicket {

/// A partition's head: sole writer of its store, parent of its supervisors. Runs on a thread of its own, since a
/// commit waits for the disk. Everything that changes the partition goes into a round (`partition_rounds`); this is the
/// actor around them: requests in, rounds to the log, and what a round brings about out to whom it concerns.
///
/// Group commit: whatever came in while the last round was on its way goes into the next one. Nothing is
/// acknowledged, and no supervisor sees an event or lets go of one, before the round that holds it is durable.
/// Nobody waits for the record of an attempt, so it waits a little for a round of something else that takes it along
/// (`setup::attempt_wait_ms`): endpoints that fail or are slow then cost the others no syncs.
class persistence {
public:
  using handle = persistence_actor;

  static constexpr auto name = "persistence";

  /// A round that has grown to this is sealed without waiting for more.
  static constexpr std::size_t max_batch_bytes = 4u << 20;
  /// Of connectors that sleep, so many are woken between two other messages.
  static constexpr std::size_t max_woken = 256;
  /// With more supervisors than this it is a crowd: after an hour without the node a million retries may be due at once. Then
  /// those that sleep are woken no faster than `max_woken` in `crowd_pause_ms`, and go again after `crowd_idle_ms` without
  /// anything to do. So does whoever comes for a new event when there are `many_crowds` of them; with fewer that one stays
  /// as always, since to come and go for each event costs more than the event (docs/decisions/0014).
  static constexpr std::size_t default_crowd = 8'192;
  static constexpr std::size_t many_crowds = 16;
  static constexpr std::int64_t crowd_pause_ms = 25;
  static constexpr std::int64_t crowd_idle_ms = 1'000;
  /// As many may wait for the delete by force of one connector: whoever gave up waiting is not heard of here.
  static constexpr std::size_t max_waiting_for_delete = 1'000;
  /// How soon a full disk is looked at again, by a round or for the store's background work.
  static constexpr std::int64_t full_retry_ms = 500;
  /// After so long without an answer of the log's nothing more is taken before there is one.
  static constexpr std::int64_t most_append_us = 5'000'000;

  struct setup {
    std::uint32_t partition = 0;
    std::shared_ptr<partition_store> store;
    std::unique_ptr<round_log> log; ///< of `store`
    delivery_actor delivery;
    alarm_actor alarm;
    std::shared_ptr<const schedule_clock> clock;
    random_source* random = nullptr; ///< outlives the actor; safe from any thread
    std::string version;             ///< for the User-Agent
    std::shared_ptr<const secret_box> secrets;
    window_limits window;
    std::shared_ptr<window_budget> budget; ///< null: see `partition_rounds::setup`
    /// Of a partition of a cluster, which this node may lose: see `start_permit`. Null: nobody else can have it.
    std::shared_ptr<const start_permit> permit;
    /// How long the record of an attempt may wait before it is worth a round of its own; 0: it is at once. A crash
    /// within that time sends the event again, as a crash before the answer does.
    std::int64_t attempt_wait_ms = 0;
    std::int64_t idle_ms = 0; ///< see `supervisor::setup`; 0: as there
    std::size_t crowd = default_crowd;
    std::int64_t late_ms = 0;                                            ///< see `partition_rounds::setup`
    std::size_t max_unindexed = partition_rounds::default_max_unindexed; ///< less in tests
    history_ledger::limits history;
    bool is_settings = false; ///< it is the partition `settings`, which has those and no connectors
    /// How long after a change of a setting is durable it is answered; 0: at once. See storage/settings_copy.hpp.
    std::int64_t settings_settle_ms = 0;
    bool own_threads = true; ///< counting at the start has a thread of its own; off in tests
    /// Called once when the store failed (rule 4): the process has to end and answer nothing more.
    std::function<void(const std::string&)> store_failed;
    std::function<void(const std::string&)> log_warning;
  };

  persistence(handle::pointer self, setup with);
  ~persistence(); ///< its supervisors end with it

  handle::behavior_type make_behavior();

private:
  template <class Answer>
  class waiting_answer;
  class waiting_batch;

  // Requests.
  caf::result<batch_result> accept(accept_events& request);
  void collect_records();
  void check_sender(const supervisor_seat& seat);
  void refill(const refill_window& request);
  void look_for_room_later();
  void refill_when_there_is_room();
  void take_back(const given_back& given);
  void deal_room();
  void wake_those_due();
  void set_alarm();
  [[nodiscard]] bool is_crowded() const noexcept { return slots_.size() > with_.crowd; }
  [[nodiscard]] bool goes_soon(bool woken) const noexcept {
    return slots_.size() > (woken ? with_.crowd : many_crowds * with_.crowd);
  }
  caf::result<connector_view> put(const put_connector& request);
  caf::result<connector_view> get(const get_connector& request);
  caf::result<void> remove(const delete_connector& request);
  caf::result<connector_page> list(const list_connectors& request);
  caf::result<void> put(put_setting& request);
  caf::result<void> remove(const delete_setting& request);
  caf::result<setting> get(const get_setting& request);
  caf::result<settings_page> list(const list_settings& request);
  void settle(caf::typed_response_promise<void> promise, std::optional<refusal> answer);
  void answer_settled();
  template <class Answer>
  caf::result<Answer> read_settings(std::function<caf::result<Answer>(const settings_snapshot&)> read);
  bool let_retire(const retire& request);
  void watch(const watch_feed& request);
  caf::result<void> prepare(const prepare_edge& request);
  caf::result<void> carry(const carry_over& request);
  caf::result<void> move(const move_edge& request);
  partition_overview overview(const get_partition_overview& request);
  [[nodiscard]] std::optional<timestamp_ms> held_until(connector_slot slot, timestamp_ms now) const;
  caf::result<void> start_draining();

  // The way of a round.
  void schedule_commit();
  void commit();
  /// `was_written`: else there was nothing to write.
  void round_is_back(const store_status& status, bool was_written = true);
  void release(partition_rounds::released out);
  void decide_deletes();
  void go_on_giving_up();
  void have_given_up(connector_slot slot, caf::actor_id& told);
  [[nodiscard]] bool is_given_up(connector_slot slot) const;
  [[nodiscard]] bool is_being_deleted(connector_slot slot) const;
  [[nodiscard]] connector_view shown(const connector& config) const;
  void decide_delete(const connector_id& id, caf::typed_response_promise<void>& promise);
  void disk_full(const store_status& why);
  void retry_when_there_is_room();
  void store_reopened();
  void watch_store(const look_at_store& look);
  void fail(const store_status& why);
  [[nodiscard]] bool store_is_healthy();
  [[nodiscard]] bool room_on_disk() const;
  [[nodiscard]] std::optional<refusal> log_is_away() const;
  template <class Answer>
  caf::typed_response_promise<Answer>
  answer_with_round(std::function<void(caf::typed_response_promise<Answer>&)> answer,
                    bool only_reads = false);

  // Supervisors.
  void load();
  void begin_to_count();
  void count_next_page();
  void end_of_counting();
  [[nodiscard]] std::shared_ptr<in_flight_count> in_flight_of(connector_slot slot);
  [[nodiscard]] std::shared_ptr<const delivery_profile> profile_of(connector_slot slot);
  /// `woken`: it is there for what is due in the index. Else for something new.
  [[nodiscard]] supervisor_actor supervisor_of(connector_slot slot, bool woken = false);
  void tell(connector_slot slot, const backlog_grew& more);
  void tell_of_backlog(connector_slot slot, due_position first);
  void replace_supervisor(const caf::down_msg& down);
  void dismiss(connector_slot slot);
  void finish_drain_when_done();
  [[nodiscard]] std::string called() const;
  void warn(const std::string& what) const;

  // Invariants, between two messages:
  // - the rounds have work, or deletes wait: then a tick or the log's answer is under way;
  // - supervisors_ has an actor exactly for the slots that are supervised;
  // - sleepers_ has nobody who is supervised, and everybody who is not but has something in the index, unless it is
  //   disabled, set aside, or a round is on its way that brings it a supervisor;
  // - the alarm is set for the earliest of sleepers_, or a `wake_up` to oneself is under way, or the store is closed.
  handle::pointer self_;
  setup with_;
  partition_rounds rounds_;
  std::shared_ptr<record_inbox> records_;
  std::shared_ptr<order_inbox> orders_;       ///< of `setup::delivery`, from its supervisors
  std::vector<record_attempts> taken_;        ///< scratch of `collect_records`
  std::vector<supervisor_actor> supervisors_; ///< by slot; null: there is none
  wake_queue sleepers_;
  std::optional<timestamp_ms> alarm_at_;                    ///< the alarm is set for then
  std::unordered_map<caf::actor_id, connector_slot> slots_; ///< of supervisors
  /// Of the connectors that have, or had, a supervisor since their supervisors last went in good order.
  std::unordered_map<connector_slot, std::shared_ptr<in_flight_count>> in_flight_;
  std::shared_ptr<in_flight_count> all_in_flight_ = std::make_shared<in_flight_count>(); ///< of the partition
  pending_counter_actor counter_;           ///< null: all is counted, or can't be
  std::shared_ptr<due_scan> being_counted_; ///< while it is, the store is not reopened
  /// Deletes are decided when all that came before them is durable: only then it is known what is pending.
  struct waiting_delete {
    connector_id id;
    bool force = false;
    std::uint64_t behind = 0; ///< the round that was filled when it came, or that disables it
    caf::typed_response_promise<void> promise;
  };
  std::vector<waiting_delete> deletes_;
  /// Connectors, disabled, whose events are failed before they are deleted (`delete_connector::force`).
  struct given_up_connector {
    connector_slot slot = 0;
    caf::actor_id told = 0; ///< the supervisor that knows
    std::vector<caf::typed_response_promise<void>> promises;
  };
  std::vector<given_up_connector> given_up_;
  /// Answers about settings that are durable, in the order of their times.
  struct settling_answer {
    caf::actor_clock::time_point at;
    caf::typed_response_promise<void> promise;
    std::optional<refusal> answer;
  };
  std::deque<settling_answer> settling_;
  bool tick_under_way_ = false;
  bool appending_ = false;          ///< inside of `round_log::append`
  std::int64_t appended_at_us_ = 0; ///< the round on its way
  bool disk_full_ = false;          ///< the last round did not fit
  bool away_ = false;               ///< since its log, a cluster's, could not be reached
  bool told_short_ = false;         ///< the log of the node says so, and not yet that it is over
  bool told_away_ = false;          ///< what it says
  bool failed_ = false;
  bool look_under_way_ = false;                ///< a `look_at_store` to oneself
  std::vector<refill_window> refills_waiting_; ///< while the store is closed; at most one of each supervisor
  std::vector<refill_window> given_up_without_room_; ///< likewise, below the reserve
  bool room_is_looked_for_ = false;                  ///< a `look_for_room` is under way
  log_sequence last_attempt_ = 0; ///< the log's end at the last commit of attempts by this process
  bool feed_watched_ = false;
  history_reader_actor feed_watcher_;
  bool draining_ = false;
  std::size_t supervisors_draining_ = 0;
  caf::typed_response_promise<void> drained_;
};

} // namespace vicket
