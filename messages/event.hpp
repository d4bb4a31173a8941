#pragma once

#include "messages/errors.hpp"
#include "messages/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace vicket {

/// What a workflow's `send_to_connector` action sends: one event for one connector.
struct send_to_connector {
  connector_id connector;
  std::string event;        ///< the trigger that fired, e.g. `ticket.status_changed`; 1–256 bytes
  timestamp_ms occurred_at; ///< when the source event happened, not when it is sent
  std::string data_json;    ///< a JSON object: the event's payload
  std::optional<std::string>
      message;                ///< configured on the action; delivered as the payload's field `message`
  std::string workflow;       ///< for the run history; at most 256 bytes
  std::string run;            ///< for the run history; at most 256 bytes
  std::optional<event_id> id; ///< makes the send idempotent; absent: the node makes a UUIDv7

  template <class Inspector>
  friend bool inspect(Inspector& f, send_to_connector& x) {
    return f.object(x).fields(f.field("connector", x.connector), f.field("event", x.event),
                              f.field("occurred_at", x.occurred_at), f.field("data_json", x.data_json),
                              f.field("message", x.message), f.field("workflow", x.workflow),
                              f.field("run", x.run), f.field("id", x.id));
  }
};

/// The event is on disk and will be delivered. `duplicate`: it was accepted before, nothing new is delivered.
struct accepted {
  event_id id;
  bool duplicate = false;

  friend bool operator==(const accepted&, const accepted&) = default;

  template <class Inspector>
  friend bool inspect(Inspector& f, accepted& x) {
    return f.object(x).fields(f.field("id", x.id), f.field("duplicate", x.duplicate));
  }
};

/// One item's answer.
using send_result = std::variant<accepted, refusal>;

/// Several events in one message: the way to be fast. Items are independent: one refused item says nothing about
/// the others.
struct send_batch {
  static constexpr std::size_t max_items = 1'000; ///< a longer batch is refused whole with `invalid_event`

  std::vector<send_to_connector> items;

  template <class Inspector>
  friend bool inspect(Inspector& f, send_batch& x) {
    return f.object(x).fields(f.field("items", x.items));
  }
};

/// `results[i]` answers `items[i]`.
struct batch_result {
  std::vector<send_result> results;

  template <class Inspector>
  friend bool inspect(Inspector& f, batch_result& x) {
    return f.object(x).fields(f.field("results", x.results));
  }
};

} // namespace vicket
