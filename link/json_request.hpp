#pragma once

#include "messages/event.hpp"
#include "messages/history.hpp"
#include "messages/trigger.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vicket::internal {

// A message of `vicket.json.1`, as an engine sends it:
//   {"request":n,"send":[event,…]}                                        at most send_batch::max_items
//   {"request":n,"trigger":[event,…]}                                     events without `connector`, trigger_batch::max_items
//   {"request":n,"outcomes":{"from":"cursor"|null,"limit":1…1000,"wait_ms":0…30000}}
//   {"request":n,"run":"run-42","from":"cursor"|null}
//   {"request":n,"event":"id","from":"cursor"|null}
// `from` absent is null, from the beginning; the other two of `outcomes` are 1,000 and 0 when they are absent. No other
// fields.

struct json_bounds {
  static constexpr std::uint64_t most_request =
      (std::uint64_t{1} << 53) - 1; ///< what any language's number holds
  static constexpr std::size_t run_bytes = 256;
  static constexpr std::size_t cursor_bytes = 16 * 1'024; ///< a node's own are far shorter
};

/// The events of a `send` that can be read, and what is wrong with the others.
struct json_send {
  send_batch events;
  std::vector<std::optional<refusal>>
      items; ///< one for each of the send, in order; nothing: the next of `events`
};

/// Likewise of a `trigger`.
struct json_trigger {
  trigger_batch triggers;
  std::vector<std::optional<refusal>> items;
};

struct json_request {
  std::uint64_t number = 0;
  /// A refusal: it can't be done, with what and where.
  std::variant<json_send, json_trigger, read_outcomes, get_run, get_event, refusal> what;
};

/// What a message asks for; or a sentence why no answer can be addressed: it is no JSON object, or has not one number that
/// is a request's. The sentence is ASCII. What is wrong with one event of a `send` or a `trigger` is that item's refusal alone, even where it
/// is no JSON. Pure.
[[nodiscard]] std::variant<json_request, std::string> read_json_request(std::string_view text);

} // namespace vicket::internal
