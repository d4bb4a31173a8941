#include "policy/compiled_rule.hpp"

#include "policy/connector_config.hpp"
#include "policy/event_filter.hpp"
#include "policy/json_text.hpp"
#include "policy/utf8.hpp"

#include <utility>

namespace vicket {

namespace {

namespace bounds = rule_bounds;

using fault = std::optional<json_fault>;

fault id_fault(const std::string& place, std::string_view id, bool valid) {
  if (valid)
    return std::nullopt;
  return json_fault{place, "is \"" + shown_text(with_replaced_invalid_utf8(id)) +
                               "\"; 1 to 64 characters of A-Z a-z 0-9 . _ - are allowed"};
}

fault text_fault(const std::string& place, std::string_view text, std::size_t most) {
  if (text.size() > most)
    return json_fault{place, "has " + std::to_string(text.size()) + " bytes; at most " +
                                 std::to_string(most) + " are allowed"};
  if (const auto at = first_invalid_utf8(text))
    return json_fault{place, "is not UTF-8 at byte " + std::to_string(*at)};
  return std::nullopt;
}

fault events_fault(const std::vector<std::string>& patterns) {
  if (patterns.size() > connector_bounds::patterns)
    return json_fault{"/events", "has " + std::to_string(patterns.size()) + " patterns; at most " +
                                     std::to_string(connector_bounds::patterns) + " are allowed"};
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    const auto place = "/events/" + std::to_string(i);
    if (patterns[i].empty())
      return json_fault{place, "is empty"};
    if (auto wrong = text_fault(place, patterns[i], connector_bounds::pattern_bytes))
      return wrong;
  }
  return std::nullopt;
}

/// Of what is within a part of the rule.
json_fault within(std::string place, json_fault inner) {
  return {std::move(place) + inner.place, std::move(inner.what)};
}

fault read_template(const std::string& place, std::variant<event_template, json_fault> made,
                    std::optional<event_template>& into) {
  if (auto* wrong = std::get_if<json_fault>(&made))
    return within(place, std::move(*wrong));
  into = std::get<event_template>(std::move(made));
  return std::nullopt;
}

refusal in_action(std::size_t action, std::string_view part, refusal why) {
  why.detail = "/actions/" + std::to_string(action) + std::string{part} + ": " + why.detail;
  return why;
}

} // namespace

std::variant<std::shared_ptr<const compiled_rule>, json_fault> compiled_rule::compile(rule from) {
  const std::shared_ptr<compiled_rule> result{new compiled_rule};
  if (auto wrong = id_fault("/id", from.id.value, from.id.valid()))
    return *std::move(wrong);
  if (auto wrong = text_fault("/name", from.name, bounds::name_bytes))
    return *std::move(wrong);
  if (auto wrong = events_fault(from.events))
    return *std::move(wrong);
  if (!from.filter_json.empty()) {
    auto filter = content_filter::compile(from.filter_json);
    if (auto* wrong = std::get_if<json_fault>(&filter))
      return within("/filter", std::move(*wrong));
    result->filter_ = std::get<content_filter>(std::move(filter));
  }
  if (from.actions.empty() || from.actions.size() > bounds::actions)
    return json_fault{"/actions", "has " + std::to_string(from.actions.size()) + " actions; 1 to " +
                                      std::to_string(bounds::actions) + " are allowed"};
  for (std::size_t i = 0; i < from.actions.size(); ++i) {
    const auto& action = from.actions[i];
    const auto place = "/actions/" + std::to_string(i);
    auto& made = result->actions_.emplace_back();
    if (auto wrong = id_fault(place + "/send_to_connector", action.connector.value, action.connector.valid()))
      return *std::move(wrong);
    if (action.message) {
      if (auto wrong = text_fault(place + "/message", *action.message, bounds::message_bytes))
        return *std::move(wrong);
      if (auto wrong =
              read_template(place + "/message", event_template::of_text(*action.message), made.message))
        return *std::move(wrong);
    }
    if (!action.data_json.empty()) {
      if (auto wrong = text_fault(place + "/data", action.data_json, bounds::data_bytes))
        return *std::move(wrong);
      if (auto wrong = read_template(place + "/data", event_template::of_json(action.data_json), made.data))
        return *std::move(wrong);
    }
  }
  if (const auto bytes = rule_to_json(from).size(); bytes > bounds::json_bytes)
    return json_fault{"", "the rule has " + std::to_string(bytes) + " bytes; at most " +
                              std::to_string(bounds::json_bytes) + " are allowed"};
  result->source_ = std::move(from);
  return result;
}

bool compiled_rule::takes_name(std::string_view event) const {
  return source_.enabled && event_matches(source_.events, event);
}

bool compiled_rule::takes(std::string_view event, std::string_view data) const {
  return takes_name(event) && (!filter_ || filter_->matches(event, data));
}

std::variant<compiled_rule::filled, refusal>
compiled_rule::fill(std::size_t action, const template_source& from, std::size_t max_bytes) const {
  const auto& with = actions_.at(action);
  filled result;
  if (with.message) {
    auto made = with.message->fill(from, max_bytes);
    if (auto* why = std::get_if<refusal>(&made))
      return in_action(action, "/message", std::move(*why));
    result.message = std::get<std::string>(std::move(made));
  }
  if (with.data) {
    auto made = with.data->fill(from, max_bytes);
    if (auto* why = std::get_if<refusal>(&made))
      return in_action(action, "/data", std::move(*why));
    result.data_json = std::get<std::string>(std::move(made));
  }
  return result;
}

} // namespace vicket
