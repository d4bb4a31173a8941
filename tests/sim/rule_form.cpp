#include "tests/sim/rule_form.hpp"

#include "tests/sim/dice.hpp"

#include <algorithm>
#include <charconv>

namespace vicket::sim {

namespace {

constexpr std::string_view rule_prefix = "rule-";
constexpr std::size_t large_bytes = 30'000;

/// The number behind this text; takes the text up to behind it off.
std::optional<std::uint64_t> number_behind(std::string_view& text, std::string_view before) {
  const auto at = text.find(before);
  if (at == text.npos)
    return std::nullopt;
  text.remove_prefix(at + before.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{})
    return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

} // namespace

event_look look_of(std::uint64_t serial) {
  return {serial, static_cast<std::uint32_t>(mixed(serial, 0x6b) % kind_count)};
}

std::string text_of(filter_form form) {
  switch (form) {
  case filter_form::by_kind:
    return R"({"/kind":{"lt":3}})";
  case filter_form::by_name:
    return R"({"not":{"event":{"suffix":"4"}}})";
  case filter_form::none:
    break;
  }
  return {};
}

filter_form filter_form_of(const std::string& text) {
  for (const auto form : {filter_form::by_kind, filter_form::by_name})
    if (text == text_of(form))
      return form;
  return filter_form::none;
}

bool passes(filter_form form, const event_look& event) {
  return form == filter_form::none ||
         (form == filter_form::by_kind ? event.kind < 3 : event.serial % 10 != 4);
}

bool rule_form::matches(const event_look& trigger) const {
  return enabled && events != names::others && passes(filter, trigger);
}

bool rule_form::names_connector(std::uint32_t which) const {
  return std::any_of(actions.begin(), actions.end(),
                     [&](const action& one) { return one.connector == which; });
}

event_look rule_form::made(std::size_t number, const event_look& trigger) const {
  return {trigger.serial, actions.at(number).own_kind ? own_kind : trigger.kind};
}

rule_form draw_rule(std::uint64_t seed, std::uint64_t number, const std::vector<std::uint32_t>& targets) {
  dice chance{mixed(mixed(seed, 0x52), number)};
  rule_form made;
  made.enabled = !chance.percent(10);
  made.large = !made.enabled && chance.percent(60);
  if (chance.percent(60))
    made.events = chance.percent(80) ? rule_form::names::ours : rule_form::names::others;
  if (chance.percent(40))
    made.filter = chance.percent(50) ? filter_form::by_kind : filter_form::by_name;
  for (auto left = chance.between(1, rule_form::most_actions); left > 0; --left) {
    const bool own_data = chance.percent(50);
    made.actions.push_back({chance.pick(targets), own_data, own_data && chance.percent(50)});
  }
  return made;
}

rule to_rule(std::size_t which, std::uint64_t number, const rule_form& form,
             const std::vector<connector_id>& connectors) {
  rule made;
  made.id = {rule_name(which)};
  made.name = "v" + std::to_string(number);
  made.enabled = form.enabled;
  if (form.events != rule_form::names::all)
    made.events = {form.events == rule_form::names::ours ? "e.*" : "other.*"};
  made.filter_json = text_of(form.filter);
  for (std::size_t i = 0; i < form.actions.size(); ++i) {
    const auto& from = form.actions[i];
    rule_action action;
    action.connector = connectors[from.connector];
    action.message = made.id.value + "/" + std::to_string(i) + " " + made.name + " of {{event}}";
    if (from.own_data || form.large)
      action.data_json =
          R"({"kind":)" + (from.own_kind ? std::to_string(rule_form::own_kind) : R"("{{/kind}}")") +
          R"(,"filling":"{{/filling}})" + std::string(form.large ? large_bytes : 0, '.') + R"("})";
    made.actions.push_back(std::move(action));
  }
  return made;
}

std::string rule_name(std::size_t which) {
  return std::string{rule_prefix} + std::to_string(which);
}

std::optional<std::size_t> rule_of_name(const std::string& id) {
  std::string_view text = id;
  const auto number = number_behind(text, rule_prefix);
  return number && rule_name(*number) == id ? std::optional{static_cast<std::size_t>(*number)} : std::nullopt;
}

std::optional<std::uint64_t> change_in(std::string_view stored) {
  return number_behind(stored, R"("name":"v)");
}

std::optional<rule_mark> mark_in(std::string_view envelope) {
  const auto kind = kind_in(envelope);
  auto text = envelope;
  const auto rule = number_behind(text, R"("message":"rule-)");
  const auto action = rule ? number_behind(text, "/") : std::nullopt;
  const auto number = action ? number_behind(text, " v") : std::nullopt;
  const auto serial = number ? number_behind(text, " of e.") : std::nullopt;
  if (!serial || !kind)
    return std::nullopt;
  return rule_mark{static_cast<std::size_t>(*rule), static_cast<std::size_t>(*action), *number, *serial,
                   *kind};
}

std::string data_of(std::uint32_t kind, std::size_t filling) {
  return R"({"kind":)" + std::to_string(kind) + R"(,"filling":")" + std::string(filling, 'x') + R"("})";
}

std::optional<std::uint32_t> kind_in(std::string_view envelope) {
  const auto number = number_behind(envelope, R"("kind":)");
  return number ? std::optional{static_cast<std::uint32_t>(*number)} : std::nullopt;
}

} // namespace vicket::sim
