#pragma once

#include "actors/busy_connectors.hpp"
#include "actors/connector_names.hpp"
#include "actors/local_messages.hpp"
#include "actors/pending_counts.hpp"
#include "actors/unindexed_events.hpp"
#include "actors/window_budget.hpp"
#include "actors/window_limits.hpp"
#include "messages/errors.hpp"
#include "messages/settings.hpp"
#include "policy/compiled_filters.hpp"
#include "policy/history_ledger.hpp"
#include "storage/partition_store.hpp"
#include "storage/sealed_round.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
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
    /// For all connectors of the partition together; null: one of its own, with the node's default.
    std::shared_ptr<window_budget> budget;
    /// An event that is settled later than this after it was accepted is noted, and kept by that time. See
    /// storage/partition_retention.cpp.
    std::int64_t late_ms = 0;
    /// Of what each connector's history may take.
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

  /// What is known of a connector only while something is done for it: it has a supervisor, something of it is held or in
  /// an unfinished round, or it can't be used. As it will be once all rounds are durable.
  struct activity {
    activity(connector_slot slot, connector stored)
        : shared{std::make_shared<const connector>(std::move(stored))}, window{slot} {}

    [[nodiscard]] const connector& config() const { return *shared; }

    std::shared_ptr<const connector> shared; ///< its supervisor's, where it has one: there is no other copy
    std::shared_ptr<const content_filter> filter; ///< of `shared`, once an event was judged by it
    std::string complaint;                        ///< why it can't be used; empty: it can
    /// `backlog_grew` and `reconfigure` that its supervisor was sent.
    std::uint32_t told = 0;
    window_budget::share window; ///< handed to the supervisor, or in a round to be, attempts not recorded yet
    std::size_t waiting_in_rounds = 0; ///< events of unfinished rounds that go to the due index
    std::size_t spills_in_rounds = 0;  ///< index entries in unfinished rounds of events that were held
    std::size_t changes_in_rounds = 0; ///< unfinished puts and deletes

    // While a round is released: what is for this one's supervisor.
    take_events to_take;
    attempts_recorded to_let_go;
    std::optional<due_position> grown;
  };

  /// A connector, as it will be once all rounds are durable. There may be a million that only wait, so what they don't
  /// need for that is in the store, and comes from there when they are `activate`d.
  struct place {
    connector_id id;
    std::unique_ptr<activity> active;   ///< null: it rests
    std::unique_ptr<std::string> state; ///< `connector_state`, encoded; null: nothing to remember
    std::uint32_t generation = 0;       ///< of the supervisor, counted up for each
    /// The longest that its retries may wait, in seconds: as it is configured, or longer since this process began.
    std::uint32_t longest_cap_s = 0;
    bool exists : 1 = false; ///< else the slot is free
    bool enabled : 1 = false;
    bool takes_all : 1 = false;  ///< whatever an event is called, and holds
    bool supervised : 1 = false; ///< there is a supervisor
    bool backlog : 1 = false;    ///< there may be due events in the index that the supervisor was not given
    bool removed : 1 = false;    ///< by a delete in an unfinished round

    // While there is no supervisor:
    bool indexed : 1 = false; ///< there may be something in the index
    bool closed : 1 =
        false; ///< nothing may start before it is woken: its endpoint is held, or its rate says later
    bool unjudged : 1 = false; ///< of what an earlier life left in the index, not all was looked at

    /// Of one that does not rest.
    [[nodiscard]] const connector& config() const { return active->config(); }
    [[nodiscard]] std::string_view complaint() const {
      return active ? std::string_view{active->complaint} : std::string_view{};
    }
    [[nodiscard]] std::string_view remembered() const {
      return state ? std::string_view{*state} : std::string_view{};
    }
    void remember(std::string_view encoded);
  };

  /// What happens because a round is durable, or was refused; in the order of the members.
  struct released {
    std::vector<std::unique_ptr<round_reply>> refused;
    std::vector<std::unique_ptr<round_reply>> replies;
    std::vector<std::pair<connector_slot, bool>>
        removed;                              ///< whether it had a supervisor; the slot is free now
    std::vector<connector_slot> reconfigured; ///< those with a supervisor
    std::uint64_t recorded_through = 0;       ///< see `took_records`; 0: no record was in it
    std::vector<std::pair<connector_slot, attempts_recorded>> let_go; ///< those who have to hear of it
    std::vector<std::pair<connector_slot, take_events>> taken;
    std::vector<std::pair<connector_slot, due_position>> grown;
    bool has_attempts = false;
  };

  partition_rounds(const partition_store& store, setup with);

  // -- connectors -----------------------------------------------------------------------------------------------------

  /// One that is in the store already; it rests.
  connector_slot load(const connector& config);

  /// Has it at hand, from the store if it rests. Null: the store is closed, or it can't be read.
  activity* activate(connector_slot slot);
  /// Forgets what a connector without anything to do needs only for that.
  void rest_if_idle(connector_slot slot);
  /// Without activating it. Absent: as `activate`.
  [[nodiscard]] std::optional<connector> config_of(connector_slot slot) const;

  [[nodiscard]] std::optional<connector_slot> find(const connector_id& id) const;
  [[nodiscard]] place& at(connector_slot slot) { return places_[slot]; }
  [[nodiscard]] const place& at(connector_slot slot) const { return places_[slot]; }
  /// The place that a message of a supervisor is about; null: its supervisor is another one by now, or none.
  [[nodiscard]] place* seat(const supervisor_seat& seat);
  [[nodiscard]] std::size_t connectors() const noexcept { return by_name_.size(); }
  [[nodiscard]] bool has_unfinished_changes() const noexcept;

  template <class Visitor>
  void for_each(Visitor visit) const {
    for (std::size_t slot = 0; slot < places_.size(); ++slot)
      if (places_[slot].exists && !places_[slot].removed)
        visit(static_cast<connector_slot>(slot), places_[slot]);
  }

  /// A supervisor was started for it, which does not rest, or has gone.
  supervisor_seat seat_supervisor(connector_slot slot);
  void vacate(connector_slot slot);

  // -- what a status shows, as of the rounds that are durable -----------------------------------------------------------

  /// How many events are pending for each.
  [[nodiscard]] const pending_counts& pending() const noexcept { return pending_; }
  /// Visits the connectors with something pending, and those that were to `show`, by id, from after this one on:
  /// `visit(slot, place)`. Those that it says have nothing to show may be dropped; they come back when they have.
  template <class Visit>
  void visit_busy(const connector_id& after, Visit visit) {
    busy_.visit_after(after, [&](connector_slot slot) {
      const auto& owner = at(slot);
      const auto what = owner.removed ? busy_connectors::verdict::keep : visit(slot, owner);
      if (what == busy_connectors::verdict::drop)
        --idle_;
      return what;
    });
  }
  /// It has something to show besides what is pending.
  void show(connector_slot slot);

  /// At the start, before any round: what the store holds of those that are loaded is counted from now on, of the due index
  /// as it stands. Each is told once, in any order; then that it was all.
  void await_counts();
  void counted(const connector_id& id, pending_times found);
  void all_counted() { pending_.all_counted(); }

  // -- filling --------------------------------------------------------------------------------------------------------

  struct acceptance {
    send_result result;
    bool waits =
        false; ///< the result holds once the round being filled is durable; refused with it: `storage_full`
  };
  [[nodiscard]] acceptance accept(composed_event& event, timestamp_ms now);

  /// One that is known must be at hand: see `activate`.
  connector_slot put(const connector& config);
  /// As it is on disk, for who sends its events: a put that is not there yet may be refused. At hand. Of one that was made since,
  /// as it is to be.
  [[nodiscard]] std::shared_ptr<const connector> durable_config(connector_slot slot) const;
  /// Not while something is pending for it: see `is_busy`; at hand.
  void remove(connector_slot slot);
  /// Something is pending for it, in the store or on its way there.
  [[nodiscard]] bool is_busy(connector_slot slot) const;

  /// What belongs to no connector. Of a put why it is refused; absent: it is in the round being filled, as what is deleted.
  [[nodiscard]] std::optional<refusal> put_setting(setting value);
  /// False: there is none, or will be none.
  [[nodiscard]] bool delete_setting(const setting_key& key);
  [[nodiscard]] bool has_unfinished_settings() const noexcept;

  /// Attempts that a supervisor has decided about. Those of one that is not there any more are passed over.
  void record(record_attempts message, timestamp_ms now);

  /// The records of attempts up to this number of the inbox are in the round being filled, or were before.
  void took_records(std::uint64_t through) { filling_.records_through = through; }
  /// From now on every supervisor is to hear when its attempts are durable.
  void tell_all_of_records() noexcept { all_hear_of_records_ = true; }

  /// A supervisor goes, and this is to be remembered of it.
  void remember(supervisor_seat seat, std::string state, timestamp_ms now);

  /// The supervisor is gone with what it held: all of that goes into the index, and a new one is told of it.
  void give_up_held(connector_slot slot);
  /// The supervisor gave some of it back: into the index, too, and it is told when it is there.
  void take_back(connector_slot slot, const std::vector<returned_event>& events);

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
  [[nodiscard]] window_budget& budget() noexcept { return *with_.budget; }
  [[nodiscard]] const std::shared_ptr<window_budget>& shared_budget() const noexcept { return with_.budget; }

  void check() const; ///< the invariants below; walks over everything

private:
  struct staged_event {
    connector_slot slot = 0;
    due_event event;
    bool waits = false;    ///< goes to the due index, not to the supervisor
    bool given_up = false; ///< its supervisor died meanwhile: it is among the spills, and found from there
  };

  struct staged_record {
    connector_slot slot = 0;
    std::uint32_t generation = 0;
    timestamp_ms at;
    record_attempts message;
  };

  /// What an attempt takes of its connector's history, to be counted when it is durable.
  struct staged_weight {
    std::uint64_t account = 0;
    log_sequence sequence = 0;
    history_weight weight;
  };

  /// How to undo a put or a delete.
  struct change {
    connector_slot slot = 0;
    bool created = false;
    bool removed = false;
    std::shared_ptr<const connector> before; ///< of a put that replaced
    std::uint32_t longest_cap_before_s = 0;
  };

  /// How many settings there are, and their bytes.
  struct settings_totals {
    std::map<setting_kind, std::ptrdiff_t> counts;
    std::ptrdiff_t bytes = 0;
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
    std::uint64_t records_through = 0;           ///< numbers of the inbox
    std::vector<unindexed_events::entry> spills; ///< index entries for events that are pending already
    std::vector<change> changes;
    std::vector<connector_slot> orphaned; ///< their supervisors died: the next ones start over from the index
    std::vector<std::pair<connector_slot, due_position>>
        returned; ///< the first of what was given back, by whom
    std::optional<log_sequence> edge;
    std::vector<staged_weight> history;
    std::vector<history_ledger::change> accounts;
    std::map<setting_key, std::optional<std::size_t>> settings; ///< their bytes; absent: deleted
    settings_totals settings_grew;
    std::unordered_set<staged_id, staged_id_hash> ids; ///< of senders, among `events`

    [[nodiscard]] bool writes() const { return !batch.empty() || edge.has_value(); }
    void clear();
  };

  [[nodiscard]] std::optional<refusal> refuse(const composed_event& event, const place* owner);
  [[nodiscard]] std::optional<refusal> refuse_by_filter(const composed_event& event, activity& active);
  [[nodiscard]] std::optional<std::size_t> setting_bytes(const setting_key& key) const;
  void stage_setting(const setting_key& key, std::optional<std::size_t> bytes);
  [[nodiscard]] bool is_staged(const event_id& id, connector_slot slot) const;
  [[nodiscard]] bool has_room(const place& owner, std::size_t bytes) const;
  [[nodiscard]] bool room_on_disk();
  void stage(connector_slot slot, composed_event& event, timestamp_ms now);
  void stage(staged_record record);
  void stage_decision(const connector_id& connector, attempt_decision& decision, timestamp_ms at);
  [[nodiscard]] write_batch::attempt_index index_for(log_sequence event) const;
  void stage_spills(std::vector<unindexed_events::entry> spills);
  void spill_laggards();
  void load_history();
  void stage_accounts();
  void forget_answers(const record_attempts& of);
  [[nodiscard]] connector_slot take_slot();
  void free_slot(connector_slot slot);
  void configure(place& owner, const connector& config);

  void count_accepted(connector_slot slot, timestamp_ms accepted_at);
  void count_settled(connector_slot slot, const attempt_decision& decision);
  void drop_idle();
  [[nodiscard]] bool is_orphaned_in_next(const round& done, connector_slot slot) const;

  void release(round& done, released& out);
  void release_changes(round& done, released& out);
  void release_records(round& done, released& out);
  [[nodiscard]] bool has_to_hear(const place& owner, const record_attempts& of) const;
  void release_events(round& done, released& out);
  void undo_events(round& undone);
  void undo_changes(round& undone);

  // Invariants:
  // - by_name_ has the places that are not removed and not free, each under its id;
  // - unindexed_ is what it will be once all rounds are durable; its lowest is at or above the settled mark of the last
  //   durable round;
  // - a place's window has its events in the rounds that do not wait, those its supervisor holds, and no other;
  // - pending_ counts what is durable: it changes when a round is released, and never when one is refused;
  // - busy_ has all that something is pending for; idle_ of those in it have nothing pending;
  // - flying_ is empty, or its round is on its way.
  const partition_store& store_;
  setup with_;
  std::deque<place> places_; ///< a place stays where it is
  std::vector<connector_slot> free_slots_;
  connector_names by_name_;
  unindexed_events unindexed_;
  pending_counts pending_;
  busy_connectors busy_;
  std::size_t idle_ = 0;
  std::size_t idle_kept_ = 0; ///< of them at the last look: they have something else to show
  compiled_filters filters_;
  history_ledger history_;         ///< of what is durable
  log_sequence counted_below_ = 0; ///< as stored, or to be: a restart counts from there on
  feed_drops drops_;               ///< likewise
  settings_totals settings_;       ///< as it will be once all rounds are durable
  log_sequence next_sequence_ = 1;
  log_sequence prepared_edge_ = 1; ///< attempts of events below are noted in `carried`
  round filling_;
  round flying_;
  std::optional<sealed_round> sealed_; ///< what flying_ wrote
  std::uint64_t filling_number_ = 1;
  std::uint32_t last_generation_ = 0;
  bool room_seen_ = false; ///< for the round being filled
  bool all_hear_of_records_ = false;
};

} // namespace vicket
