#pragma once

#include "actors/local_messages.hpp"
#include "policy/circuit_breaker.hpp"
#include "policy/rate_shaper.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace vicket {

/// What a supervisor decides, without an actor around it: which of a connector's events goes next and when, and
/// what an attempt's answer means for the event. Given the time, never asks for it.
///
/// An event is, in turn: waiting → in flight → unrecorded (its attempt is over, the commit is not) → let go.
class connector_queue {
public:
  connector_queue(const connector& config, std::optional<std::int64_t> shaper_state);

  void reconfigure(const connector& config);

  /// An event that is due. One that is held already is left alone.
  void add(waiting_event event);

  /// The next event to deliver now, moved to in flight; null when nothing waits, the in-flight places are taken,
  /// the connector is disabled, or its rate says later. Stays valid until its attempt is decided.
  [[nodiscard]] const waiting_event* start_next(std::int64_t now_us);

  /// When `start_next` is worth asking again without anything else happening: the rate limit's next place; absent
  /// when it is not the rate that holds things up.
  [[nodiscard]] std::optional<timestamp_ms> rate_opens_at(std::int64_t now_us) const;

  /// The attempt of an event in flight is over: delivered, to be tried again at some time, or given up.
  /// Absent if no such event is in flight.
  [[nodiscard]] std::optional<attempt_decision> decide(const finished_delivery& finished, timestamp_ms now,
                                                       std::uint64_t random);

  /// The decision is on disk: let go.
  void recorded(log_sequence sequence);

  [[nodiscard]] bool enabled() const noexcept { return config_.enabled; }
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }
  [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_.size(); }
  [[nodiscard]] std::size_t unrecorded() const noexcept { return unrecorded_.size(); }
  [[nodiscard]] bool holds_nothing() const noexcept {
    return waiting_.empty() && in_flight_.empty() && unrecorded_.empty();
  }
  [[nodiscard]] std::vector<log_sequence> held() const; ///< rising

  /// To be stored with the attempts, so that a restart does not give a new burst; absent without a rate limit.
  [[nodiscard]] std::optional<std::int64_t> shaper_state() const;

private:
  [[nodiscard]] bool has_place() const noexcept;

  // Invariant: a sequence is in at most one of the three.
  connector config_;
  const std::int64_t grid_offset_ms_;
  rate_shaper shaper_;
  circuit_breaker breaker_;
  std::map<due_position, waiting_event> waiting_;
  std::unordered_map<log_sequence, waiting_event> in_flight_;
  std::unordered_set<log_sequence> unrecorded_;
};

} // namespace vicket
