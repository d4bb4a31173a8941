#pragma once

#include "actors/local_messages.hpp"
#include "actors/unindexed_events.hpp"
#include "actors/window_limits.hpp"
#include "messages/errors.hpp"
#include "policy/history_ledger.hpp"
#include "storage/partition_store.hpp"
#include "storage/sealed_round.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace vicket {

/// An answer that waits for a round.
class round_reply {
public:
  round_reply() = default;
  round_reply(const round_reply&) = delete;
  round_reply& operator=(const round_reply&) = delete;
  virtual ~round_reply() = default;

  virtual void durable() = 0;
  /// The round did not fit on the disk: nothing of it is there, nor of what was decided on top of it.
  virtual void refused(const store_status& why) = 0;
};

/// A partition's connectors, and its rounds: all that changes the partition, and all that happens because of it. Pure: no
/// actors, no clock; reads the store as it stands, and never writes it.
///
/// A round is *filled*, *sealed*, on its way, and *released* when it is durable; or refused. While one is on its way the
/// next is filled, from what that one will be: connectors, windows, ids, sequences and index places are kept as they
/// will be once everything up to now is durable. So a round that is refused takes the one behind it along: events, puts,
/// deletes and retention steps of both are refused and undone; attempts and index entries, which nobody may lose, are
/// put into the next round again.
class partition_rounds {
public:
  static constexpr std::size_t default_max_unindexed = 65'536;

  struct setup {
    window_limits window;
    /// An event that is settled later than this after it was accepted is noted, and kept by that time. See
    /// storage/partition_retention.cpp.
    std::int64_t late_ms = 0;
    history_ledger::limits history;
    /// Whether there is room on the disk for new events. Asked once for a round.
    std::function<bool()> has_room;
    /// When this many log positions lie between the oldest unindexed event and the newest, the older ones get index
    /// entries: what a restart scans at most.
    std::size_t max_unindexed = default_max_unindexed;
  };

  /// Accounts of the history that one round stores at most.
  static constexpr std::size_t max_accounts_stored = 512;
  /// How far the position from which a restart counts may fall behind before it is stored, in positions of the log.
  static constexpr log_sequence max_uncounted = 25'000;

  /// A body shorter than this is stored again rather than compared with the one before.
  static constexpr std::size_t min_shared_body_bytes = 128;

  /// A connector, as it will be once all rounds are durable.
  struct place {
    connector config;
    std::uint64_t account = 0;    ///< in the history's ledger
    std::string state;            ///< `connector_state`, encoded; empty: nothing to remember
    std::string complaint;        ///< why it can't be used; empty: it can
    bool supervised = false;      ///< there is a supervisor
    std::uint32_t generation = 0; ///< of the supervisor, counted up for each
    std::size_t held_events = 0; ///< handed to the supervisor, or in a round to be, attempts not recorded yet
    std::size_t held_bytes = 0;
    std::size_t waiting_in_rounds = 0; ///< events of unfinished rounds that go to the due index
    std::size_t spills_in_rounds = 0;  ///< index entries in unfinished rounds of events that were held
    std::size_t changes_in_rounds = 0; ///< unfinished puts and deletes
    bool backlog = false; ///< there may be due events in the index that the supervisor was not given
    bool removed = false; ///< by a delete in an unfinished round

    // While a round is released: what is for this one's supervisor.
    take_events to_take;
    attempts_recorded to_let_go;
    std::optional<due_position> grown;
  };

  /// What happens because a round is durable, or was refused; in the order of the members.
  struct released {
    std::vector<std::unique_ptr<round_reply>> refused;
    std::vector<std::unique_ptr<round_reply>> replies;
    std::vector<std::pair<connector_slot, bool>>
        removed;                              ///< whether it had a supervisor; the slot is free now
    std::vector<connector_slot> reconfigured; ///< those with a supervisor
    std::vector<std::pair<connector_slot, attempts_recorded>> let_go;
    std::vector<std::pair<connector_slot, take_events>> taken;
    std::vector<std::pair<connector_slot, due_position>> grown;
    bool has_attempts = false;
  };

  partition_rounds(const partition_store& store, setup with);

  // -- connectors -----------------------------------------------------------------------------------------------------

  /// One that is in the store already.
  connector_slot load(connector config, std::string state);

  [[nodiscard]] std::optional<connector_slot> find(const connector_id& id) const;
  [[nodiscard]] place& at(connector_slot slot) { return *places_[slot]; }
  [[nodiscard]] const place& at(connector_slot slot) const { return *places_[slot]; }
  /// The place that a message of a supervisor is about; null: its supervisor is another one by now, or none.
  [[nodiscard]] place* seat(const supervisor_seat& seat);
  [[nodiscard]] std::size_t connectors() const noexcept { return by_name_.size(); }
  [[nodiscard]] bool has_unfinished_changes() const noexcept;

  template <class Visitor>
  void for_each(Visitor visit) const {
    for (const auto& [id, slot] : by_name_)
      visit(slot, *places_[slot]);
  }

  /// A supervisor was started for it, or has gone.
  supervisor_seat seat_supervisor(connector_slot slot);
  void vacate(connector_slot slot);

  // -- filling --------------------------------------------------------------------------------------------------------

  struct acceptance {
    send_result result;
    bool waits =
        false; ///< the result holds once the round being filled is durable; refused with it: `storage_full`
  };
  [[nodiscard]] acceptance accept(composed_event& event, timestamp_ms now);

  connector_slot put(const connector& config);
  /// Not while something is pending for it: see `is_busy`.
  void remove(connector_slot slot);
  /// Something is pending for it, in the store or on its way there.
  [[nodiscard]] bool is_busy(connector_slot slot) const;

  /// Attempts that a supervisor has decided about. Those of one that is not there any more are passed over.
  void record(record_attempts message, timestamp_ms now);

  /// The supervisor is gone with what it held: all of that goes into the index, and a new one is told of it.
  void give_up_held(connector_slot slot);

  /// Steps of the retention: all below `edge` that are in no index get their places there; rows; the edge itself.
  void prepare_edge(log_sequence edge);
  void carry(const std::vector<carried_event>& carried, const std::vector<expired_event>& expired,
             const std::vector<late_event>& late);
  void move_edge(log_sequence edge, log_sequence last_lost_attempt);

  /// To be answered when the round being filled is durable, or refused with it.
  void reply_with_round(std::unique_ptr<round_reply> reply);

  // -- the way of a round ---------------------------------------------------------------------------------------------

  [[nodiscard]] std::size_t filled_bytes() const { return filling_.batch.bytes(); }
  /// Counts the rounds that were filled: what was in one of a lower number is durable, or refused, once none is on its
  /// way.
  [[nodiscard]] std::uint64_t filling_number() const noexcept { return filling_number_; }
  /// There is something to write, or somebody waits for an answer.
  [[nodiscard]] bool has_work() const;
  [[nodiscard]] bool on_its_way() const noexcept { return sealed_.has_value(); }

  /// Seals what was filled; null: there is nothing to write. The round stays here until `durable` or `refused`. Not while
  /// another one is on its way.
  [[nodiscard]] const sealed_round* seal();
  /// The round on its way is durable and applied; or, without one, those are answered who wait for nothing.
  void durable(released& out);
  /// The round on its way, or, without one, that being filled, did not fit.
  void refused(const store_status& why, released& out);

  // -- state ----------------------------------------------------------------------------------------------------------

  [[nodiscard]] const unindexed_events& unindexed() const noexcept { return unindexed_; }
  [[nodiscard]] log_sequence next_sequence() const noexcept { return next_sequence_; }

  /// Reads a page for a refill of the supervisor's window, and counts it as held.
  [[nodiscard]] refilled refill(place& owner, const refill_window& request);

  void check() const; ///< the invariants below; walks over everything

private:
  struct staged_event {
    connector_slot slot = 0;
    waiting_event event;
    bool waits = false;    ///< goes to the due index, not to the supervisor
    bool given_up = false; ///< its supervisor died meanwhile: it is among the spills, and found from there
  };

  struct staged_record {
    connector_slot slot = 0;
    std::uint32_t generation = 0;
    timestamp_ms at;
    record_attempts message;
  };

  /// An attempt's answer, to be counted when it is durable.
  struct staged_answer {
    std::uint64_t account = 0;
    log_sequence sequence = 0;
    std::size_t bytes = 0;
  };

  /// How to undo a put or a delete.
  struct change {
    connector_slot slot = 0;
    bool created = false;
    bool removed = false;
    std::optional<connector> before; ///< of a put that replaced
  };

  struct staged_id {
    event_id id;
    connector_slot slot = 0;

    friend bool operator==(const staged_id&, const staged_id&) = default;
  };
  struct staged_id_hash {
    std::size_t operator()(const staged_id& x) const { return std::hash<event_id>{}(x.id) * 31 + x.slot; }
  };

  /// All that happens because of a round, in one place.
  struct round {
    write_batch batch;
    std::vector<std::unique_ptr<round_reply>> replies;
    std::vector<staged_event> events;
    std::vector<staged_record> records;
    std::vector<unindexed_events::entry> spills; ///< index entries for events that are pending already
    std::vector<change> changes;
    std::vector<connector_slot> orphaned; ///< their supervisors died: the next ones start over from the index
    std::optional<log_sequence> edge;
    std::vector<staged_answer> answers;
    std::vector<history_ledger::change> accounts;
    std::unordered_set<staged_id, staged_id_hash> ids; ///< of senders, among `events`

    [[nodiscard]] bool writes() const { return !batch.empty() || edge.has_value(); }
    void clear();
  };

  [[nodiscard]] std::optional<refusal> refuse(const composed_event& event, const place* owner) const;
  [[nodiscard]] bool is_staged(const event_id& id, connector_slot slot) const;
  [[nodiscard]] bool has_room(const place& owner, std::size_t bytes) const;
  [[nodiscard]] bool room_on_disk();
  void stage(connector_slot slot, composed_event& event, timestamp_ms now);
  void stage(staged_record record);
  void stage_decision(const place& owner, attempt_decision& decision, timestamp_ms at);
  [[nodiscard]] write_batch::attempt_index index_for(log_sequence event) const;
  void stage_spills(std::vector<unindexed_events::entry> spills);
  void spill_laggards();
  void load_history();
  void stage_accounts();
  [[nodiscard]] connector_slot take_slot();

  void release(round& done, released& out);
  void release_changes(round& done, released& out);
  void release_records(round& done, released& out);
  void release_events(round& done, released& out);
  void undo_events(round& undone);
  void undo_changes(round& undone);

  // Invariants:
  // - by_name_ has the places that are not removed and not free, each under its id;
  // - unindexed_ is what it will be once all rounds are durable; its lowest is at or above the settled mark of the last
  //   durable round;
  // - a place's held_events counts its events in the rounds that do not wait, those its supervisor holds, and no other;
  // - flying_ is empty, or its round is on its way.
  const partition_store& store_;
  setup with_;
  std::vector<std::unique_ptr<place>> places_; ///< null: the slot is free
  std::vector<connector_slot> free_slots_;
  std::unordered_map<connector_id, connector_slot> by_name_;
  unindexed_events unindexed_;
  history_ledger history_;         ///< of what is durable
  log_sequence counted_below_ = 0; ///< as stored, or to be: a restart counts answers from there on
  log_sequence next_sequence_ = 1;
  log_sequence prepared_edge_ = 1; ///< attempts of events below are noted in `carried`
  round filling_;
  round flying_;
  std::optional<sealed_round> sealed_; ///< what flying_ wrote
  std::uint64_t filling_number_ = 1;
  std::uint32_t last_generation_ = 0;
  bool room_seen_ = false; ///< for the round being filled
};

} // namespace vicket
