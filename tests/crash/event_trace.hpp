#pragma once

#include "tests/crash/records.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace vicket::crash {

/// A sentence of the requirement that does not hold, and for which event.
struct violation {
  std::string rule;
  std::string detail;
  std::string id; ///< empty: of no single event
};

/// All that is known of one event, from the three sides.
struct event_trace {
  std::uint64_t serial = 0;
  send_to_connector sent;
  std::string id; ///< empty: sent without one, and never seen again
  std::vector<timestamp_ms> sends;
  std::vector<answer_record> answers;
  std::vector<request_record> requests; ///< in the order of their arrival, without their bodies
  std::string body;                     ///< of one of the requests
  bool history_asked = false;
  std::optional<event_history> history; ///< absent: the node says `not_found`
  std::vector<outcome_entry> feed;      ///< of the feed that was read at the end, in its order
  std::vector<outcome_entry> followed;  ///< of the feed that was followed across the kills

  [[nodiscard]] bool accepted_answered() const;
};

/// How many of what; filled while checking.
struct totals {
  std::uint64_t events_sent = 0;
  std::uint64_t events_accepted = 0;
  std::uint64_t duplicate_answers = 0;
  std::uint64_t requests = 0;
  std::uint64_t attempts = 0;
  std::uint64_t retries = 0;
  std::uint64_t in_flight_duplicates = 0; ///< requests without a recorded attempt, in flight at a kill
  std::int64_t longest_unrecorded_ms = 0; ///< of those that were answered: from the answer to the kill
  std::uint64_t replaced_requests = 0; ///< sent again in the same attempt: their pooled connection was closed
  std::uint64_t delivered = 0;
  std::uint64_t failed = 0;
  std::uint64_t pending = 0;
  std::uint64_t refused = 0; ///< as their connectors were configured
  std::uint64_t puts = 0;    ///< of connectors, while events streamed in
  std::uint64_t deletes = 0;
  std::uint64_t unanswered_changes = 0;  ///< their node was killed
  std::uint64_t busy_deletes = 0;        ///< refused, since events waited
  std::uint64_t unanswered_but_kept = 0; ///< no `accepted` reached the sender, but the node has it
};

class connector_timeline;

/// What the rules about one event need besides its trace.
struct run_facts {
  const plan* promises = nullptr;
  const std::vector<node_life>* lives = nullptr; ///< in order, not overlapping
  totals* counted = nullptr;
  std::vector<violation>* found = nullptr;
  const std::map<std::string, connector_timeline>* timelines =
      nullptr;                   ///< of connectors whose changes are known
  std::int64_t slow_sync_ms = 0; ///< what a sync takes longer than on the disk

  /// The timeline of an event's connector; null: nothing is known of its changes.
  [[nodiscard]] const connector_timeline* timeline_of(const event_trace& trace) const;
  void complain(const event_trace& trace, std::string rule, std::string detail) const;
  /// The life during which something happened that only a living node can do; absent: between two lives.
  [[nodiscard]] std::optional<std::size_t> life_at(timestamp_ms time) const;
};

void check_answers(const event_trace& trace, const run_facts& facts);
void check_history(const event_trace& trace, const run_facts& facts);
void check_request_contents(const event_trace& trace, const run_facts& facts);
/// Which request belongs to which recorded attempt, and whether the ones that are left over were in flight at
/// a kill.
void check_duplicates(const event_trace& trace, const run_facts& facts);
void check_feed(const event_trace& trace, const run_facts& facts);
/// What its connector may have been when it was answered and sent.
void check_configuration(const event_trace& trace, const run_facts& facts);
/// Whether an answer is one that a connector may give as it may have been then.
[[nodiscard]] bool answer_explained(const event_trace& trace, const answer_record& answer,
                                    const run_facts& facts);
/// When the send began that an answer of this time belongs to: the last one before it.
[[nodiscard]] timestamp_ms send_of(const event_trace& trace, timestamp_ms answered_at);
/// `events` are all of the timeline's connector.
void check_busy_answers(const connector_timeline& timeline, const std::vector<const event_trace*>& events,
                        const run_facts& facts);

/// Everything that is known of an event, in the order of time, for people.
[[nodiscard]] std::string story_of(const event_trace& trace, const std::vector<node_life>& lives);

} // namespace vicket::crash
