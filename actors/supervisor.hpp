#pragma once

#include "actors/connector_queue.hpp"
#include "actors/interfaces.hpp"
#include "actors/order_inbox.hpp"
#include "actors/record_inbox.hpp"
#include "actors/window_limits.hpp"
#include "policy/schedule_clock.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace vicket {

/// One connector's endpoint: owns its queue, retry schedule, rate shaping, in-flight cap and breaker. Spawned by
/// its partition's persistence when there is work, gone again when there is none for a while: when nothing is due, the
/// endpoint is held, the rate says later, or the connector is disabled. What waits is then in the due index, and
/// persistence knows when to spawn the next one. What that one has to know is in `connector_state`; the breaker is not,
/// so an endpoint that is down is tried with all its places again after a rest.
class supervisor {
public:
  using handle = supervisor_actor;

  static constexpr auto name = "supervisor";

  /// How long a supervisor without work stays, in case more comes.
  static constexpr std::int64_t default_idle_ms = 30'000;
  /// Events are read this long before a hold or the rate lets the next one go, and not earlier.
  static constexpr std::int64_t look_ahead_ms = 1'000;

  struct setup {
    // First what each delivery needs, as in the supervisor itself.
    std::shared_ptr<const delivery_profile> profile;
    std::shared_ptr<record_inbox> records; ///< of `persistence`
    std::shared_ptr<order_inbox> orders;   ///< of its delivery actor
    std::shared_ptr<const schedule_clock> clock;
    random_source* random = nullptr; ///< outlives the actor; safe from any thread
    supervisor_seat seat;
    persistence_actor persistence;
    alarm_actor alarm;
    std::string state; ///< `connector_state` of an earlier life; empty: none
    window_limits window;
    std::int64_t idle_ms = default_idle_ms;
    std::int64_t longest_cap_ms =
        0; ///< that the connector has had since this process began; 0: as it is configured
  };

  supervisor(handle::pointer self, setup with);

  handle::behavior_type make_behavior();

private:
  void take(take_events& given);
  void note_backlog(const backlog_grew& more);
  void take_refill(refilled& given);
  void use_room();
  void give_back_some(const give_back& asked);
  void decide(deliveries_done& done);
  void take_back(deliveries_returned& returned);
  void hear_of_records();
  void leave(record_attempts record);
  void let_go(const attempts_recorded& recorded);
  void use_profile(const reconfigure& replaced);
  void give_up(const give_up_all& order);
  caf::result<void> start_draining();

  /// What delivery said of places.
  struct places_news {
    std::uint32_t offered = 0;   ///< so many places are there to be used now, and have to be answered
    bool some_came_back = false; ///< of what was sent without being asked: there was no place
  };

  /// After every handler: start what can start, ask for more when there is room, set the alarm.
  void go_on();
  void go_on(std::int64_t now_us, places_news news);
  void start_deliveries(std::int64_t now_us, places_news news);
  void give_up_waiting(timestamp_ms now, places_news news);
  [[nodiscard]] bool opens_soon(std::int64_t now_us) const;
  [[nodiscard]] bool is_closed(std::int64_t now_us) const;
  [[nodiscard]] bool is_idle(timestamp_ms now, std::int64_t now_us) const;
  void give_back_some(std::size_t bytes, bool keep_one);
  void ask_for_more(timestamp_ms now, std::int64_t now_us);
  void set_alarm(timestamp_ms now, std::int64_t now_us);
  void ask_to_retire(std::int64_t now_us);
  void answer_drain_when_done();

  handle::pointer self_;
  setup with_;
  connector_state stored_state_; ///< as it is stored, or on its way there
  connector_queue queue_;
  /// Delivery had no place for what was sent to it last: nothing is sent but answers to its offers, until one says that
  /// there is nothing more to start.
  bool in_line_ = false;

  // The due index as far as it is known here. Invariants, while no refill is under way: nothing that is not held has
  // a place before scan_from_; next_due_ is at or before the due time of everything in the store that is not held,
  // absent when there is none. While one is under way they tell only what was learned since it was asked for; the
  // answer is put together with them, since the two overtake each other.
  due_position scan_from_;
  std::optional<timestamp_ms> next_due_;
  due_position refill_from_;  ///< where the refill under way began
  timestamp_ms refill_until_; ///< and where it ends
  bool refilling_ = false;
  /// There may be events in the store whose due times make no sense by today's clock: later than the longest backoff from
  /// now on, or in the future without an attempt. They were stored under a clock that was ahead, in an earlier life (this
  /// one's goes on from where it is), and would wait for as long as it was ahead. Refills take them as due now, until one
  /// was answered with all of them. A due time that is possible is kept.
  bool judging_ = false;
  bool refill_judges_ = false; ///< the one under way does
  /// The longest that this connector's retries may wait, as far as is known: as it was configured when this process
  /// began, or longer since. Of one that was longer before that nothing is known.
  std::int64_t longest_cap_ms_;
  /// The last one brought nothing, although more is due: we hold as much as we may, or the partition's windows are full.
  bool window_full_ = false;

  std::optional<timestamp_ms> alarm_at_;   ///< the alarm is set for then
  std::optional<timestamp_ms> idle_since_; ///< nothing to do since then
  bool retiring_ = false;                  ///< persistence was asked
  std::uint32_t heard_ = 0;                ///< `backlog_grew`, `reconfigure` and `give_up_all`
  std::string gives_up_;                   ///< why nothing is sent any more, see `give_up_all`; empty: it is
  bool draining_ = false;
  caf::typed_response_promise<void> drained_;
};

} // namespace vicket
