#pragma once

#include "actors/local_messages.hpp"
#include "policy/circuit_breaker.hpp"
#include "policy/clock_jumps.hpp"
#include "policy/connector_state.hpp"
#include "policy/endpoint_hold.hpp"
#include "policy/rate_shaper.hpp"
#include "policy/shortage_pause.hpp"
#include "policy/start_kind.hpp"

#include <boost/container/small_vector.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace vicket {

/// What a supervisor decides, without an actor around it: which of a connector's events goes next and when, and
/// what an attempt's answer means for the event. Given the time, never asks for it.
///
/// An event is, in turn: waiting → in flight → unrecorded (its attempt is over, the commit is not) → let go; or in flight
/// → waiting, where it could not start after all.
class connector_queue {
public:
  struct queued_event : due_event {
    start_kind what = start_kind::fresh;
  };

  connector_queue(std::shared_ptr<const connector> config, const connector_state& remembered);

  void reconfigure(std::shared_ptr<const connector> config);

  /// An event that is due. False: it is held already, and left alone.
  bool add(due_event event, start_kind what = start_kind::fresh);

  /// The next event to deliver now, which is in flight from then on; absent when nothing waits, the in-flight places are
  /// taken, the connector is disabled, its endpoint is held, the node is short of something, or its rate says later.
  [[nodiscard]] std::optional<queued_event> start_next(std::int64_t now_us);

  /// What `start_next` gave could not be sent: it waits again, and its place and its rate's are as if it had not gone.
  void put_back(delivery_job job);

  /// How many `start_next` would give now, one after the other; of a connector with a rate 1 where it is more.
  [[nodiscard]] std::size_t startable(std::int64_t now_us);
  /// Of the first one that waits. One must.
  [[nodiscard]] start_kind next_kind() const { return waiting_[first_waiting_].what; }

  /// When `start_next`, which has just said no, is worth asking again without anything else happening: the end of the hold
  /// or of the wait for what is short, or the rate limit's next place; absent when it is something else that stands in the
  /// way.
  [[nodiscard]] std::optional<timestamp_ms> opens_at(std::int64_t now_us) const;

  /// Nothing starts before, whatever else happens: the end of a hold, or the rate limit's next place. Now, if something may.
  [[nodiscard]] timestamp_ms closed_until(std::int64_t now_us) const;

  /// Takes out of what waits, from its end, about as much as this (events weigh as in `window_budget`); with `keep_one`
  /// all but the first at most, unless others are under way.
  [[nodiscard]] std::vector<returned_event> give_back(std::size_t bytes, bool keep_one);

  /// The attempt of an event in flight is over: delivered, to be tried again at some time, or given up. It does not age by
  /// `jumps` of the clock. Absent if no such event is in flight.
  [[nodiscard]] std::optional<attempt_decision> decide(finished_delivery finished, timestamp_ms now,
                                                       const clock_jumps& jumps, std::uint64_t random);

  /// What waits is failed without being sent, all of it. Each of them has an attempt that says why, and is unrecorded.
  [[nodiscard]] std::vector<attempt_decision> give_up_waiting(std::string_view why, timestamp_ms now);

  /// An event in flight could not be sent, since the node is short of what that takes: it waits again in its place, as if
  /// it had never been started.
  void take_back(delivery_job job);
  /// Nothing starts before `start_again`.
  void wait_for_word() noexcept { waits_for_word_ = true; }
  void start_again() noexcept { waits_for_word_ = false; }
  /// The node is short of what it takes to reach this endpoint: nothing starts for a while, the longer the oftener that is
  /// said of tries in a row, or until an attempt is over.
  void wait_for_moment(timestamp_ms now);

  /// It was decided to try the event again, and then not to.
  void not_tried_again(log_sequence sequence);
  /// What was decided since the last time is in the record of this number.
  void left_for_record(std::uint64_t number);
  /// Decisions that settled their events are on disk up to this record: let go.
  void recorded_through(std::uint64_t number);
  /// The decision is on disk: let go.
  void recorded(log_sequence sequence);

  [[nodiscard]] bool enabled() const noexcept { return enabled_; }
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size() - first_waiting_; }
  [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_.size(); }
  [[nodiscard]] std::size_t unrecorded() const noexcept { return unrecorded_.size(); }
  /// Of these, so many events are to be tried again: that they are recorded has to be heard.
  [[nodiscard]] std::size_t unrecorded_retries() const noexcept { return unrecorded_retries_; }
  [[nodiscard]] bool holds_nothing() const noexcept {
    return waiting() == 0 && in_flight_.empty() && unrecorded_.empty();
  }
  [[nodiscard]] std::vector<log_sequence> held() const; ///< rising

  /// To be stored with the attempts.
  [[nodiscard]] connector_state state() const;

private:
  /// What is remembered of an event in flight.
  struct flight {
    due_position position;
    timestamp_ms accepted_at;
    std::size_t envelope_bytes = 0;
  };

  /// A decided event that is not on disk yet.
  struct decided {
    log_sequence sequence = 0;
    std::uint64_t record = not_left; ///< its number

    static constexpr std::uint64_t not_left = std::numeric_limits<std::uint64_t>::max(); ///< yet
    static constexpr std::uint64_t retry = not_left - 1; ///< whatever its number
  };

  using waiting_events = boost::container::small_vector<queued_event, 1>;
  using flights = boost::container::small_vector<flight, 1>;
  using decisions = boost::container::small_vector<decided, 1>;

  [[nodiscard]] std::size_t in_flight_limit() const noexcept;
  [[nodiscard]] bool has_place() const noexcept { return in_flight_.size() < in_flight_limit(); }
  [[nodiscard]] bool is_short(std::int64_t now_us) const noexcept;
  [[nodiscard]] flights::iterator flight_of(log_sequence sequence);
  [[nodiscard]] decisions::iterator decided_of(log_sequence sequence);
  [[nodiscard]] std::int64_t rate_wait_us(std::int64_t now_us) const {
    return has_rate_ ? shaper_.wait_us(now_us) : 0;
  }
  void end_hold(std::int64_t now_us);
  [[nodiscard]] bool is_under_way(log_sequence sequence) const;
  bool insert(queued_event event);

  // Invariants: a sequence is in at most one of the three; what waits is in the order of its positions;
  // unrecorded_retries_ counts the retries of unrecorded_.
  // Vectors, since an allocation for each event and each of its three stays was a good part of what it cost. Those under
  // way are searched one by one: 16 at most of an ordinary connector, 1,024 of one that takes all it can.
  // Where there are many connectors none of this is in the processor's caches, and each has one event: so one has its
  // place here, and what each delivery needs stands together, before what some need.
  waiting_events waiting_; ///< those before `first_waiting_` have gone
  std::size_t first_waiting_ = 0;
  flights in_flight_;    ///< in no order
  decisions unrecorded_; ///< in no order
  std::size_t unrecorded_retries_ = 0;
  circuit_breaker breaker_;
  std::uint32_t max_in_flight_; ///< like the next two, of config_
  bool enabled_;
  bool has_rate_;
  bool waits_for_word_ = false;
  endpoint_hold hold_;
  std::optional<timestamp_ms> short_until_; ///< of what it takes to reach the endpoint; may have passed
  retry_moment moment_;
  std::shared_ptr<const connector> config_;
  rate_shaper shaper_; ///< asked only where there is a rate
  const std::int64_t grid_offset_ms_;
};

} // namespace vicket
