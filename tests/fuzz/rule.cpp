// A rule and an event's data: what compiles is written as it was, and what its templates make is JSON, in bounds.

#include "tests/fuzz/fuzz_target.hpp"

#include "policy/envelope.hpp"
#include "policy/json_check.hpp"
#include "policy/json_text.hpp"
#include "policy/trigger_plan.hpp"
#include "policy/utf8.hpp"

#include <string>
#include <utility>
#include <variant>

namespace {

using namespace vicket;

constexpr std::size_t max_envelope_bytes = 16 * 1024;

} // namespace

VICKET_FUZZ_TARGET(rule) {
  // The rule on a line, then data.
  const auto line = input.substr(0, input.find('\n'));
  auto read = rule_from_json(line);
  if (const auto* complaint = std::get_if<std::string>(&read)) {
    EXPECT_THAT_IT_HOLDS(!complaint->empty());
    return;
  }
  auto made = compiled_rule::compile(std::get<vicket::rule>(std::move(read)));
  if (const auto* fault = std::get_if<json_fault>(&made)) {
    EXPECT_THAT_IT_HOLDS(!fault->what.empty());
    return;
  }
  const auto& one = *std::get<0>(made);
  const auto written = rule_to_json(one.source());
  EXPECT_THAT_IT_HOLDS(!json_complaint(written, most_json_depth));
  const auto again = rule_from_json(written);
  EXPECT_THAT_IT_HOLDS(std::holds_alternative<vicket::rule>(again) &&
                       std::get<vicket::rule>(again) == one.source());

  trigger from;
  from.event = "ticket.created";
  from.data_json = line.size() < input.size() ? input.substr(line.size() + 1) : std::string_view{"{}"};
  from.message = "m";
  const auto checked = checked_trigger::check(std::move(from), event_id{{7}}, max_envelope_bytes);
  if (!std::holds_alternative<checked_trigger>(checked))
    return;
  const auto& of = std::get<checked_trigger>(checked);
  const auto trial = try_rule(one, of, max_envelope_bytes);
  EXPECT_THAT_IT_HOLDS(trial.matches == one.takes(of.source().event, of.data()));
  EXPECT_THAT_IT_HOLDS(trial.matches == !trial.actions.empty());
  rule_set rules;
  rules.put(std::get<0>(made));
  trigger_plan plan{rules, of};
  while (!plan.is_complete())
    EXPECT_THAT_IT_HOLDS(!plan.go_on(of, {max_envelope_bytes, 16, 16 * 2 * max_envelope_bytes}, 0));
  EXPECT_THAT_IT_HOLDS(plan.events().size() == trial.actions.size());
  for (std::uint32_t action = 0; action < one.source().actions.size(); ++action) {
    const auto planned = plan_action(one, action, of, max_envelope_bytes);
    EXPECT_THAT_IT_HOLDS(planned.envelope == plan_action(one, action, of, max_envelope_bytes).envelope);
    // By itself, from what the templates came to.
    const auto filled =
        one.fill(action, {of.source().event, of.source().occurred_at, of.data()}, max_envelope_bytes);
    if (const auto* why = std::get_if<refusal>(&filled)) {
      EXPECT_THAT_IT_HOLDS(!why->detail.empty());
      EXPECT_THAT_IT_HOLDS(std::get<refusal>(planned.envelope) == *why);
      continue;
    }
    const auto& come = std::get<compiled_rule::filled>(filled);
    send_to_connector event;
    event.event = of.source().event;
    event.occurred_at = of.source().occurred_at;
    event.message = come.message ? come.message : of.source().message;
    event.data_json = come.data_json ? *come.data_json : std::string{of.data()};
    EXPECT_THAT_IT_HOLDS(!first_invalid_utf8(event.message.value_or("")));
    EXPECT_THAT_IT_HOLDS(event.data_json.size() <= max_envelope_bytes);
    EXPECT_THAT_IT_HOLDS(event.message.value_or("").size() <= max_envelope_bytes);
    const auto composed = compose_envelope(event, planned.id, max_envelope_bytes);
    EXPECT_THAT_IT_HOLDS(planned.envelope == composed);
    if (const auto* why = std::get_if<refusal>(&composed))
      EXPECT_THAT_IT_HOLDS(why->code == errc::too_large);
    else
      EXPECT_THAT_IT_HOLDS(data_in_envelope(std::get<std::string>(composed)).has_value());
  }
}
