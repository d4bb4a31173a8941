#include "policy/trigger_plan.hpp"

#include "policy/envelope.hpp"
#include "policy/utf8.hpp"
#include "policy/uuid.hpp"

#include <utility>

namespace vicket {

namespace {

/// The event that an action with templates for data makes, or one whose message may be in the way of another.
std::variant<std::string, refusal> compose(const checked_trigger& of, const event_id& id,
                                           compiled_rule::filled made, std::size_t max_envelope_bytes) {
  const auto& from = of.source();
  send_to_connector event;
  event.event = from.event;
  event.occurred_at = from.occurred_at;
  event.data_json = made.data_json ? *std::move(made.data_json) : std::string{of.data()};
  event.message = made.message ? std::move(made.message) : from.message;
  return compose_envelope(event, id, max_envelope_bytes);
}

std::variant<std::string, refusal> envelope_of(const compiled_rule& by, std::uint32_t action,
                                               const checked_trigger& of, const event_id& id,
                                               std::size_t max_envelope_bytes) {
  auto filled = by.fill(action, {of.source().event, of.source().occurred_at, of.data()}, max_envelope_bytes);
  if (auto* why = std::get_if<refusal>(&filled))
    return std::move(*why);
  auto& made = std::get<compiled_rule::filled>(filled);
  const auto& message = made.message ? made.message : of.source().message;
  if (!made.data_json)
    if (auto same = envelope_under_id(of.envelope(), id, message ? &*message : nullptr, max_envelope_bytes))
      return *std::move(same);
  return compose(of, id, std::move(made), max_envelope_bytes);
}

/// Whether a message can be in the envelope, as far as that shows without composing it once more.
bool certainly_fits(const std::string& envelope, const std::string& message, std::size_t max_envelope_bytes) {
  return message.size() <= max_envelope_bytes &&
         envelope.size() + most_message_bytes(message) <= max_envelope_bytes && !first_invalid_utf8(message);
}

} // namespace

std::variant<checked_trigger, refusal> checked_trigger::check(trigger from, const event_id& id,
                                                              std::size_t max_envelope_bytes) {
  send_to_connector event;
  event.event = std::move(from.event); // and back
  event.occurred_at = from.occurred_at;
  event.data_json = std::move(from.data_json);
  event.workflow = std::move(from.workflow);
  event.run = std::move(from.run);
  // Without its message, which is not among the data that rules look at.
  auto envelope = compose_envelope(event, id, max_envelope_bytes);
  const auto* composed = std::get_if<std::string>(&envelope);
  if (from.message &&
      (composed == nullptr || !certainly_fits(*composed, *from.message, max_envelope_bytes))) {
    event.message = from.message;
    auto with_message = compose_envelope(event, id, max_envelope_bytes);
    if (auto* why = std::get_if<refusal>(&with_message))
      return std::move(*why);
  }
  if (auto* why = std::get_if<refusal>(&envelope))
    return std::move(*why);
  from.event = std::move(event.event);
  from.workflow = std::move(event.workflow);
  from.run = std::move(event.run);
  checked_trigger result;
  result.source_ = std::move(from);
  result.source_.data_json.clear();
  result.id_ = id;
  result.envelope_ = std::get<std::string>(std::move(envelope));
  return result;
}

std::string_view checked_trigger::data() const {
  return data_in_own_envelope(envelope_);
}

event_id planned_id(const event_id& trigger, const rule_id& rule, std::size_t action) {
  return uuid5(trigger, rule.value + "/" + std::to_string(action));
}

planned_event plan_action(const compiled_rule& by, std::uint32_t action, const checked_trigger& of,
                          std::size_t max_envelope_bytes) {
  planned_event one;
  one.by = by.shared_from_this();
  one.action = action;
  one.id = planned_id(of.id(), by.source().id, action);
  one.envelope = envelope_of(by, action, of, one.id, max_envelope_bytes);
  return one;
}

trigger_plan::trigger_plan(const rule_set& rules, const checked_trigger& of) {
  const auto found = rules.with_name(of.source().event);
  rules_.reserve(found.size());
  for (const auto* each : found)
    rules_.push_back(each->shared_from_this());
}

std::size_t work_of(const compiled_rule& by, const checked_trigger& of) {
  return by.filter() == nullptr ? 0 : (1 + by.filter()->conditions()) * of.data().size();
}

std::optional<refusal> trigger_plan::go_on(const checked_trigger& of, const trigger_limits& limits,
                                           std::size_t most_work) {
  for (std::size_t work = 0; !is_complete() && work <= most_work; ++next_) {
    const auto& rule = *rules_[next_];
    work += work_of(rule, of);
    if (rule.filter() != nullptr && !rule.filter()->matches(of.source().event, of.data()))
      continue;
    if (events_.size() + rule.source().actions.size() > limits.max_events)
      return refusal{errc::too_large, "the rules that match would make more than " +
                                          std::to_string(limits.max_events) + " events of one trigger"};
    for (std::uint32_t action = 0; action < rule.source().actions.size(); ++action) {
      events_.push_back(plan_action(rule, action, of, limits.max_envelope_bytes));
      if (const auto* envelope = std::get_if<std::string>(&events_.back().envelope)) {
        bytes_ += envelope->size();
        work += envelope->size();
      }
    }
    if (bytes_ > limits.max_bytes)
      return refusal{errc::too_large, "the events that the rules make of this trigger would have more than " +
                                          std::to_string(limits.max_bytes) + " bytes together"};
  }
  return std::nullopt;
}

rule_trial try_rule(const compiled_rule& one, const checked_trigger& of, std::size_t max_envelope_bytes) {
  rule_trial result;
  const auto& event = of.source().event;
  if (!one.source().enabled) {
    result.why_not.push_back({"/enabled", "the rule is disabled"});
  } else if (!one.takes_name(event)) {
    result.why_not.push_back({"/events", "none of the patterns matches \"" + shown_text(event) + "\""});
  } else if (one.filter() != nullptr) {
    for (auto& mismatch : one.filter()->mismatches(event, of.data()))
      result.why_not.push_back({"/filter" + mismatch.place, std::move(mismatch.what)});
  }
  result.matches = result.why_not.empty();
  if (!result.matches)
    return result;
  for (std::uint32_t action = 0; action < one.source().actions.size(); ++action)
    result.actions.push_back(plan_action(one, action, of, max_envelope_bytes));
  return result;
}

} // namespace vicket
