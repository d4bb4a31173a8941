#pragma once

#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "messages/rule.hpp"
#include "policy/rule_set.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vicket {

struct trigger_limits {
  std::size_t max_envelope_bytes = 256 * 1024; ///< the node's
  std::size_t max_events = 1'000;              ///< of one trigger
  std::size_t max_bytes = 64u << 20;           ///< of them all, messages and data
};

/// A trigger that can be sent: its fields are what an event's have to be (policy/envelope.hpp).
class checked_trigger {
public:
  /// `id`: the trigger's own, or the one that the node has made for it.
  [[nodiscard]] static std::variant<checked_trigger, refusal> check(trigger from, const event_id& id,
                                                                    std::size_t max_envelope_bytes);

  [[nodiscard]] const trigger& source() const noexcept { return source_; }
  [[nodiscard]] const event_id& id() const noexcept { return id_; }
  /// Without blanks.
  [[nodiscard]] const std::string& data() const noexcept { return source_.data_json; }

private:
  checked_trigger() = default;

  trigger source_;
  event_id id_;
};

/// What one action of a rule makes of a trigger.
struct planned_event {
  rule_id rule;
  std::uint32_t action = 0;
  connector_id connector;
  event_id id; ///< follows from the trigger's, the rule's and the action
  /// To be accepted, or why not: the event has `connector` and `id`.
  std::variant<send_to_connector, refusal> event;
  bool has_data_of_trigger = false; ///< as `checked_trigger` has it
};

/// The bytes of the POST, or why there are none.
[[nodiscard]] std::variant<std::string, refusal> envelope_of(const planned_event& one,
                                                             std::size_t max_envelope_bytes);

/// The id of the event that an action makes of a trigger: a UUID of version 5 within the trigger's own, of the name
/// `RULE/ACTION`. The same each time, so that sending a trigger again adds nothing that is there.
[[nodiscard]] event_id planned_id(const event_id& trigger, const rule_id& rule, std::size_t action);

/// The events of one rule that matches, one for each action.
[[nodiscard]] std::vector<planned_event> plan_rule(const compiled_rule& by, const checked_trigger& of,
                                                   std::size_t max_envelope_bytes);

/// The events of all rules that match, by rule and action; none is a plan, too. Or why the trigger can't be sent as a whole:
/// `too_large`.
[[nodiscard]] std::variant<std::vector<planned_event>, refusal>
plan_trigger(const rule_set& rules, const checked_trigger& of, const trigger_limits& limits);

/// What a rule makes of a trigger, for who tries it out.
struct rule_trial {
  bool matches = false;
  std::vector<json_fault> why_not; ///< the place in the rule and a sentence; empty where it matches
  struct action {
    connector_id connector;
    event_id id;
    std::variant<std::string, refusal> envelope; ///< the bytes of the POST, or why there are none
  };
  std::vector<action> actions; ///< empty where it does not match
};
[[nodiscard]] rule_trial try_rule(const compiled_rule& one, const checked_trigger& of,
                                  std::size_t max_envelope_bytes);

} // namespace vicket
