#pragma once

#include "messages/errors.hpp"
#include "messages/rule.hpp"
#include "policy/rule_set.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vicket {

struct trigger_limits {
  std::size_t max_envelope_bytes = 256 * 1024; ///< the node's
  std::size_t max_events = 1'000;              ///< of one trigger
  std::size_t max_bytes = 64u << 20;           ///< of their envelopes
};

/// A trigger that can be sent: its fields are what an event's have to be (policy/envelope.hpp).
class checked_trigger {
public:
  /// `id`: the trigger's own, or the one that the node has made for it.
  [[nodiscard]] static std::variant<checked_trigger, refusal> check(trigger from, const event_id& id,
                                                                    std::size_t max_envelope_bytes);

  /// But for its data.
  [[nodiscard]] const trigger& source() const noexcept { return source_; }
  [[nodiscard]] const event_id& id() const noexcept { return id_; }
  /// Without blanks.
  [[nodiscard]] std::string_view data() const;
  /// That an event with its id and without its message would have.
  [[nodiscard]] const std::string& envelope() const noexcept { return envelope_; }

private:
  checked_trigger() = default;

  trigger source_;
  event_id id_;
  std::string envelope_;
};

/// What one action of a rule makes of a trigger.
struct planned_event {
  std::shared_ptr<const compiled_rule> by;
  std::uint32_t action = 0;
  event_id id;                                 ///< follows from the trigger's, the rule's and the action
  std::variant<std::string, refusal> envelope; ///< the bytes of the POST, or why there are none

  [[nodiscard]] const connector_id& connector() const { return by->source().actions[action].connector; }
};

/// The id of the event that an action makes of a trigger: a UUID of version 5 within the trigger's own, of the name
/// `RULE/ACTION`. The same each time, so that sending a trigger again adds nothing that is there.
[[nodiscard]] event_id planned_id(const event_id& trigger, const rule_id& rule, std::size_t action);

/// The event of one action of a rule that matches: the same each time.
[[nodiscard]] planned_event plan_action(const compiled_rule& by, std::uint32_t action,
                                        const checked_trigger& of, std::size_t max_envelope_bytes);

/// What the rules that have a pattern for its name make of a trigger, by rule and action; nothing is a plan, too. In steps, since
/// many rules with large filters take seconds for an event that is large.
class trigger_plan {
public:
  trigger_plan(const rule_set& rules, const checked_trigger& of);

  /// Goes on, until all rules are judged or about so much work is done: bytes of data, once for each condition that they
  /// are judged by. Or says why the trigger can't be sent as a whole: `too_large`.
  [[nodiscard]] std::optional<refusal> go_on(const checked_trigger& of, const trigger_limits& limits,
                                             std::size_t most_work);

  [[nodiscard]] bool is_complete() const noexcept { return next_ == rules_.size(); }
  [[nodiscard]] std::size_t judged() const noexcept { return next_; } ///< rules
  [[nodiscard]] std::size_t rules() const noexcept { return rules_.size(); }
  [[nodiscard]] std::vector<planned_event>& events() noexcept { return events_; }

private:
  std::vector<std::shared_ptr<const compiled_rule>> rules_;
  std::size_t next_ = 0;
  std::vector<planned_event> events_;
  std::size_t bytes_ = 0; ///< of their envelopes
};

/// What it takes to judge a trigger by a rule, in the unit of `trigger_plan`.
[[nodiscard]] std::size_t work_of(const compiled_rule& by, const checked_trigger& of);

/// What a rule makes of a trigger, for who tries it out.
struct rule_trial {
  bool matches = false;
  std::vector<json_fault> why_not;    ///< the place in the rule and a sentence; empty where it matches
  std::vector<planned_event> actions; ///< empty where it does not match
};
[[nodiscard]] rule_trial try_rule(const compiled_rule& one, const checked_trigger& of,
                                  std::size_t max_envelope_bytes);

} // namespace vicket
