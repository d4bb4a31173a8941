#pragma once

#include "messages/history.hpp"
#include "messages/trigger.hpp"
#include "tests/sim/facts.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace vicket::sim {

/// Follows every event from its send to its end, and complains where the node does not keep a promise about it.
/// Copies are independent: one is kept with each copy of the data folder.
class event_book {
public:
  event_book(const world_shape& shape, std::vector<complaint>& complaints)
      : shape_{&shape}, complaints_{&complaints} {}

  // -- what was sent and answered ---------------------------------------------------------------------------

  void sent(const planned_event& event, std::uint32_t action, const moment& now);
  void answered(std::uint64_t serial, const send_result& answer, const moment& now);
  /// The node went before it answered.
  void answers_are_lost();

  // -- triggers: which events rules make of one is known when the node speaks of them ------------------------

  void trigger_sent(const planned_trigger& sent, std::uint32_t action, const moment& now);
  /// It is decided: what the answer does not name as taken is not there.
  void trigger_answered(std::uint64_t serial, const trigger_result& answer, const moment& now);
  /// It was refused as a whole. `taken_in_part`: some of it may be there.
  void trigger_refused(std::uint64_t serial, bool taken_in_part, const moment& now);
  /// Of the event with this name: that of an event is its own, and events of a trigger have one each.
  [[nodiscard]] std::uint64_t serial_of(const std::string& name, const connector_id& connector,
                                        const event_id& id);
  [[nodiscard]] std::uint64_t serial_of(const event_summary& summary) {
    return serial_of(summary.event, summary.connector, summary.id);
  }

  // -- what the endpoints saw -------------------------------------------------------------------------------

  void requested(std::uint64_t number, std::uint64_t serial, const std::string& id, const std::string& body,
                 std::uint32_t life, const moment& now, const std::string& host = {});
  void responded(std::uint64_t number, bool ok, std::int64_t retry_after_ms, std::size_t answer_bytes,
                 const moment& now);
  /// That response was a 429 or 503 with `Retry-After`.
  void peace_was_asked(std::uint64_t number, std::int64_t for_ms, const moment& now);
  /// A change is on its way after which the connector sends to this host; empty: to none. What another one asked for
  /// counts no more.
  void connector_changes(std::uint32_t connector, const std::string& host);
  /// A delete by force is on its way: what is pending for the connector may be failed without being sent.
  void forced_delete_sent(std::uint32_t connector, const moment& now);
  /// It was answered; where the connector is `gone`, all that was accepted before it was asked for is settled.
  void forced_delete_answered(std::uint32_t connector, bool gone, const moment& now);
  /// A supervisor died of a defect: what it had in flight, or on its way there, may be sent twice. Nobody knows which
  /// one it was, so this goes for all connectors until nothing moves.
  void supervisor_died();
  /// The wall clock was set back: in this life of the node due times can't be told from outside.
  /// Since then nobody knows until when what was told before holds.
  [[nodiscard]] std::int64_t clock_went_back_ms() const noexcept { return went_back_ms_; }
  void clock_went_back(const moment& now) {
    clock_is_straight_ = false;
    went_back_at_ = now.order;
    went_back_ms_ = now.steady_ms;
    holds_.clear(); // when they end by the new clock nobody knows
  }
  /// This is what was known when a copy of the folder was made, which is put back now: the clock may have been set back since.
  void put_back_after(const event_book& later) {
    if (later.went_back_at_ <= went_back_at_)
      return;
    went_back_at_ = later.went_back_at_;
    went_back_ms_ = later.went_back_ms_;
    holds_.clear();
  }
  void life_began(const moment& now) {
    clock_is_straight_ = true;
    life_began_ms_ = now.wall_ms;
    for (auto& [connector, deletes] : forced_)
      for (auto& one : deletes) // the new life knows nothing of it
        one.until = std::min(one.until, now.order);
  }

  // -- what the node tells ----------------------------------------------------------------------------------

  /// Nothing moves, the disk is well: what was answered `settle_ms` ago has been recorded.
  void quiet(const moment& now);
  void everything_is_recorded();
  /// `asked`: what was known before that must be in it.
  void told(const event_history& history, const moment& asked, const moment& now);
  void told(const outcome_entry& entry, const moment& now);
  /// It was looked for, and is not there.
  void not_found(std::uint64_t serial, const moment& now);

  // -- judgements -------------------------------------------------------------------------------------------

  /// After an audit has looked for every one.
  void check_ids();
  /// Endpoints were well for longer than any retry takes.
  void check_drained();
  /// After an audit: how many are pending, by connector.
  [[nodiscard]] std::map<std::uint32_t, std::uint64_t> pending() const;
  [[nodiscard]] bool anything_pending() const;
  /// Accepted before `order`, and not even possibly settled.
  [[nodiscard]] bool certainly_pending(std::uint32_t connector, std::uint64_t order) const;
  /// An event that was settled and whose retention has passed twice is forgotten; what was settled before this is.
  void retention_has_passed_for(std::int64_t settled_before_ms) { forgotten_before_ms_ = settled_before_ms; }

  /// Connectors with events that were accepted before then, by both clocks, and were never sent anywhere.
  [[nodiscard]] std::set<std::uint32_t> with_events_never_sent(std::int64_t steady_ms,
                                                               std::int64_t wall_ms) const;
  /// In this life of the node nobody has set the wall clock back.
  [[nodiscard]] bool clock_is_straight() const noexcept { return clock_is_straight_; }

  [[nodiscard]] const std::map<std::uint64_t, event_fact>& events() const noexcept { return events_; }
  /// Some event with this id, or a delete by force may have taken it.
  [[nodiscard]] bool is_there(std::uint32_t connector, const event_id& id) const;
  /// The serial numbers of what came of an action.
  [[nodiscard]] std::vector<std::uint64_t> of_action(std::uint32_t action) const;
  [[nodiscard]] bool may_be_forgotten(const event_fact& event) const;
  [[nodiscard]] bool outcome_may_be_forgotten(const request_fact& request) const {
    return request.answered && latest_ms_ >= request.answered_at.wall_ms + shape_->retention_ms;
  }
  /// The attempts that a delete by force has made, which are of no request.
  [[nodiscard]] bool what_was_given_up_may_be_gone() const;
  /// The history of its connector may have been beyond its bound.
  [[nodiscard]] bool may_be_dropped(const event_fact& event) const;
  [[nodiscard]] std::int64_t latest_ms() const noexcept { return latest_ms_; }
  void time_is(const moment& now) {
    latest_ms_ =
        std::max(latest_ms_ + std::max<std::int64_t>(0, now.steady_ms - latest_steady_ms_), now.wall_ms);
    latest_steady_ms_ = now.steady_ms;
  }

  /// For people: everything that is known of one.
  [[nodiscard]] std::string story(std::uint64_t serial) const;

private:
  using key = std::pair<std::uint32_t, event_id>; ///< connector and id
  struct trigger_fact {
    std::uint32_t action = 0;
    moment sent_at;
    answer_kind answer = answer_kind::waiting;
    moment answered_at;
    std::map<key, std::uint64_t> serials;
  };

  void complain(std::string rule, std::string detail) const {
    complaints_->push_back({std::move(rule), std::move(detail)});
  }
  [[nodiscard]] event_fact* find(std::uint64_t serial);
  [[nodiscard]] const connector& connector_of(const event_fact& event) const {
    return shape_->connectors[event.sent.connector];
  }
  template <class Visitor>
  void for_twins(const event_fact& event, Visitor visit) const;
  void learn_id(event_fact& event, const event_id& id);
  void prove(event_fact& event, const char* how);
  void check_duplicates_of(const event_fact& refused) const;
  [[nodiscard]] bool sent_elsewhere(const event_fact& event) const;
  [[nodiscard]] bool has_candidate(const event_fact& duplicate) const;
  void check_repetition(const event_fact& event, std::uint32_t life, const moment& now) const;
  [[nodiscard]] std::int64_t least_wait_ms(const event_fact& event, std::size_t request) const;
  void check_holds(const event_fact& event, std::uint32_t life, const moment& now,
                   const std::string& host) const;
  void check_attempt(event_fact& event, std::uint32_t number, const attempt& value, const moment& now);
  void told_dropped(event_fact& event, const event_history& history, const moment& asked);
  void check_dropped(const event_fact& event, const attempt& value) const;
  [[nodiscard]] bool may_be_given_up(const event_fact& event) const;
  void check_giving_up(const event_fact& event, const attempt& value, std::uint32_t number) const;
  [[nodiscard]] bool is_possible(const event_fact& event, std::int64_t due_ms,
                                 std::int64_t life_began_ms) const;
  [[nodiscard]] bool was_judged_anew(const event_fact& event, const attempt_fact& before,
                                     const attempt_fact& after) const;
  void check_order_of_attempts(const event_fact& event) const;
  void settle(event_fact& event, event_state state);
  [[nodiscard]] static std::string name(const event_fact& event);

  const world_shape* shape_;
  std::vector<complaint>* complaints_;
  std::map<std::uint64_t, event_fact> events_;
  std::map<std::uint64_t, trigger_fact> triggers_;
  std::map<key, std::vector<std::uint64_t>> by_key_;
  std::unordered_map<std::uint64_t, std::pair<std::uint64_t, std::size_t>> request_places_; ///< serial, index
  struct unrecorded {
    std::uint64_t request = 0;
    std::optional<std::int64_t>
        at_rest_ms; ///< by the steady clock: since then nothing has to move for its record but time
  };
  /// By connector, what its history takes at most: of all that its endpoints answered.
  std::map<std::uint32_t, std::uint64_t> history_bytes_;
  std::vector<hold_fact> holds_;
  struct forced_delete {
    moment sent;
    std::uint64_t until = never; ///< a place in the order
  };
  std::map<std::uint32_t, std::vector<forced_delete>> forced_; ///< by connector
  std::vector<unrecorded> unrecorded_; ///< answered requests that need not be recorded yet
  /// The latest time that a node can think it is: the latest that the wall has shown, and a node does not follow a
  /// wall clock that is set back.
  std::int64_t latest_ms_ = 0;
  std::int64_t latest_steady_ms_ = 0;
  std::int64_t forgotten_before_ms_ = 0;
  bool clock_is_straight_ = true;
  std::int64_t life_began_ms_ = 0;         ///< by the wall clock
  std::uint64_t went_back_at_ = 0;         ///< a place in the order
  std::int64_t went_back_ms_ = -1'000'000; ///< by the steady clock
  bool supervisor_is_dying_ = false;
};

/// The node kept only the length of the answer.
[[nodiscard]] bool is_cut_off(const attempt& value);
/// It was not sent: its connector was being deleted by force.
[[nodiscard]] bool is_given_up(const attempt& value);
/// The request that an attempt's body, its length, or error speaks of.
[[nodiscard]] std::optional<std::uint64_t> request_of(const attempt& value);
/// What an endpoint writes at the beginning of its answer, or its failure's sentence.
[[nodiscard]] std::string mark_of(std::uint64_t request);

} // namespace vicket::sim
