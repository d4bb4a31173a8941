#include "policy/trigger_plan.hpp"

#include "policy/envelope.hpp"
#include "policy/utf8.hpp"
#include "policy/uuid.hpp"

#include <utility>

namespace vicket {

namespace {

/// All that an event has of its trigger.
send_to_connector event_of(const checked_trigger& of) {
  const auto& from = of.source();
  send_to_connector event;
  event.event = from.event;
  event.occurred_at = from.occurred_at;
  event.workflow = from.workflow;
  event.run = from.run;
  return event;
}

std::size_t bytes_of(const planned_event& one) {
  const auto* event = std::get_if<send_to_connector>(&one.event);
  return event == nullptr ? 0 : event->data_json.size() + (event->message ? event->message->size() : 0);
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
  result.source_.data_json = data_in_own_envelope(*composed);
  result.id_ = id;
  return result;
}

event_id planned_id(const event_id& trigger, const rule_id& rule, std::size_t action) {
  return uuid5(trigger, rule.value + "/" + std::to_string(action));
}

std::vector<planned_event> plan_rule(const compiled_rule& by, const checked_trigger& of,
                                     std::size_t max_envelope_bytes) {
  const template_source source{of.source().event, of.source().occurred_at, of.data()};
  std::vector<planned_event> plan;
  for (std::size_t i = 0; i < by.source().actions.size(); ++i) {
    planned_event one{by.source().id,
                      static_cast<std::uint32_t>(i),
                      by.source().actions[i].connector,
                      planned_id(of.id(), by.source().id, i),
                      {},
                      false};
    auto filled = by.fill(i, source, of.source().message, max_envelope_bytes);
    if (auto* why = std::get_if<refusal>(&filled)) {
      one.event = std::move(*why);
    } else {
      auto& with = std::get<compiled_rule::filled>(filled);
      auto event = event_of(of);
      event.connector = one.connector;
      event.id = one.id;
      event.message = std::move(with.message);
      event.data_json = std::move(with.data_json);
      one.event = std::move(event);
      one.has_data_of_trigger = by.source().actions[i].data_json.empty();
    }
    plan.push_back(std::move(one));
  }
  return plan;
}

std::variant<std::string, refusal> envelope_of(const planned_event& one, std::size_t max_envelope_bytes) {
  if (const auto* why = std::get_if<refusal>(&one.event))
    return *why;
  const auto& event = std::get<send_to_connector>(one.event);
  return one.has_data_of_trigger ? compose_envelope_again(event, one.id, max_envelope_bytes)
                                 : compose_envelope(event, one.id, max_envelope_bytes);
}

std::variant<std::vector<planned_event>, refusal>
plan_trigger(const rule_set& rules, const checked_trigger& of, const trigger_limits& limits) {
  std::vector<planned_event> plan;
  std::size_t bytes = 0;
  for (const auto* rule : rules.with_name(of.source().event)) {
    if (rule->filter() != nullptr && !rule->filter()->matches(of.source().event, of.data()))
      continue;
    if (plan.size() + rule->source().actions.size() > limits.max_events)
      return refusal{errc::too_large, "the rules that match would make more than " +
                                          std::to_string(limits.max_events) + " events of one trigger"};
    for (auto& one : plan_rule(*rule, of, limits.max_envelope_bytes)) {
      bytes += bytes_of(one);
      plan.push_back(std::move(one));
    }
    if (bytes > limits.max_bytes)
      return refusal{errc::too_large, "the events that the rules make of this trigger would have more than " +
                                          std::to_string(limits.max_bytes) + " bytes together"};
  }
  return plan;
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
  for (auto& planned : plan_rule(one, of, max_envelope_bytes)) {
    auto& action = result.actions.emplace_back();
    action.connector = std::move(planned.connector);
    action.id = planned.id;
    action.envelope = envelope_of(planned, max_envelope_bytes);
  }
  return result;
}

} // namespace vicket
