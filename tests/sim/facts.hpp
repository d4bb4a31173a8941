#pragma once

#include "messages/connector.hpp"
#include "messages/event.hpp"
#include "messages/history.hpp"
#include "tests/sim/plan.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace vicket::sim {

/// When something happened, by the wall, by a clock that nobody sets, and as a place in the order of all that the
/// oracle was told.
struct moment {
  std::int64_t wall_ms = 0;
  std::int64_t steady_ms = 0;
  std::uint64_t order = 0;
};

inline constexpr auto never = std::numeric_limits<std::uint64_t>::max();

/// A sentence of the requirement that does not hold.
struct complaint {
  std::string rule;
  std::string detail;
};

/// One POST as an endpoint saw it.
struct request_fact {
  std::uint64_t number =
      0; ///< of all requests; it comes back in the answer, so that an attempt tells its request
  std::uint32_t life = 0; ///< of the node
  std::string host;
  moment at;
  bool answered = false;
  bool ok = false; ///< 2xx
  moment answered_at;
  std::int64_t retry_after_ms = 0;
  bool must_be_recorded = false; ///< the node had all the time for it
  std::optional<std::uint32_t> recorded_as;
  bool excused = false; ///< its supervisor died: it may be sent again, and may not be recorded
  /// Made after the clock was set back: a next start may find its retry's time impossible, and take it as due.
  bool by_bent_clock = false;
  std::int64_t life_began_ms = 0; ///< the node's, by the wall clock
};

/// An endpoint answered 429 or 503 with `Retry-After`: nothing new goes there before.
struct hold_fact {
  std::uint32_t connector = 0;
  std::uint64_t serial = 0; ///< of the event
  std::size_t request = 0;  ///< of those of the event
  std::int64_t until_ms = 0;
  bool at_rest = false; ///< nothing moved since: the node has heard it
};

/// One attempt as a history or the feed told it.
struct attempt_fact {
  std::uint64_t request = 0;
  outcome result = outcome::delivered;
  std::int64_t started_at = 0;
  std::int64_t ended_at = 0;
  std::optional<std::int64_t> next_at;
  moment told_at; ///< for the first time
};

enum class answer_kind : std::uint8_t {
  waiting,
  accepted,
  duplicate,
  refused, ///< for certain: it was not stored
  lost,    ///< no answer, or one that leaves it open: it may be stored
  there,   ///< of what a rule made: it is stored, by this or by an earlier trigger with its id
};

/// One send of one event: what was answered, and what became of it.
struct event_fact {
  planned_event sent;
  std::uint32_t action = 0;
  moment sent_at;
  answer_kind answer = answer_kind::waiting;
  moment answered_at;
  std::optional<event_id> id;
  bool proven = false; ///< it was stored: answered, delivered or shown
  bool absent = false; ///< it was not: an audit did not find it
  bool gone = false;   ///< it was, and its retention has passed
  std::vector<request_fact> requests;
  std::optional<std::size_t> body_digest;         ///< of the first request
  std::map<std::uint32_t, attempt_fact> attempts; ///< by number
  std::optional<event_state> settled;
  std::uint64_t settled_by =
      never; ///< its connector was deleted by force: what was asked after that tells it as settled
};

} // namespace vicket::sim
