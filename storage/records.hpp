#pragma once

#include "messages/attempt.hpp"
#include "messages/history.hpp"
#include "messages/ids.hpp"

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vicket {

/// An event as accepted.
struct stored_event {
  log_sequence sequence = 0;
  event_id id;
  connector_id connector;
  std::string event;
  std::string workflow;
  std::string run;
  timestamp_ms accepted_at;
  std::shared_ptr<const std::string>
      envelope; ///< the bytes of every POST of it; null where only the rest was read
};

/// Where an event stands in its connector's queue: by due time, then by acceptance.
struct due_position {
  timestamp_ms due;
  log_sequence sequence = 0;

  friend auto operator<=>(const due_position&, const due_position&) = default;
};

/// An event that waits, with what its supervisor needs to go on with it.
struct waiting_event {
  due_position position;
  std::uint32_t attempts_made = 0;
  stored_event event;
};

/// What an attempt takes of its connector's history.
struct history_weight {
  std::size_t answer_bytes = 0;
  /// Where it settled its event: of all the event's attempts without their answers, as if they were all as large. Those
  /// of pending events stay, so they do not count.
  std::size_t attempt_bytes = 0;

  friend bool operator==(const history_weight&, const history_weight&) = default;
};

/// An attempt as it stands in the log.
struct stored_attempt {
  log_sequence sequence = 0; ///< the outcome feed's order
  log_sequence event_sequence = 0;
  event_state state_after = event_state::pending;
  attempt value;             ///< `next_attempt_at` is set exactly when `state_after` is pending
  std::uint64_t account = 0; ///< of the connector, in the history's ledger; 0: written before there was one
  /// Its connector's history was beyond its bound: of it is left that it was, when, and what became of the event.
  bool dropped = false;
  /// The body is stored with this attempt of the same event, since it was the same bytes; `value.response_body` is then
  /// empty in the record, and whole again in whatever the store's reads return.
  std::optional<std::uint32_t> same_body_as;

  /// A smaller answer is part of its record: it neither counts nor is dropped by itself.
  static constexpr std::size_t min_answer_bytes = 64;
  [[nodiscard]] history_weight weight(std::size_t record_bytes) const;
  /// What the record holds of the answer.
  [[nodiscard]] std::size_t answer_bytes() const;
  /// Body and header fields go, as far as they are not part of the record; that there was a body, and its length, stay.
  void drop_answer();
  /// All goes but what `dropped` says.
  void drop();
};

/// An event that is kept below the retention's edge, with what has to go into the family `carried` for that.
struct carried_event {
  struct piece {
    std::uint32_t number = 0;  ///< of the attempt
    log_sequence sequence = 0; ///< of the attempt
    std::string record;        ///< as stored; empty: only where it is, since it lies above the edge
  };

  log_sequence sequence = 0;
  /// The event's own record, and what its entries in the indexes are found by; empty when it is carried already.
  std::string record;
  event_id id;
  connector_id connector;
  std::string run;
  std::vector<piece> attempts;

  [[nodiscard]] std::size_t bytes() const;
};

/// A carried event whose time is over: what has to be removed.
struct expired_event {
  log_sequence sequence = 0;
  event_id id;
  connector_id connector;
  std::string run;
  std::vector<std::uint32_t> attempts; ///< the numbers that are carried
};

/// When an event was settled that had been accepted long before.
struct late_event {
  timestamp_ms settled_at;
  log_sequence sequence = 0;

  friend bool operator==(const late_event&, const late_event&) = default;
};

/// A connector that has something in the due index.
struct waiting_connector {
  connector_id connector;
  timestamp_ms first_due;
  timestamp_ms last_due;
  /// Of its first entries the latest due time of one that was never attempted; absent: none of them.
  std::optional<timestamp_ms> unattempted_due;
};

} // namespace vicket
