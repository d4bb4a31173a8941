#include "policy/json_check.hpp"
#include "policy/json_cursor.hpp"
#include "policy/json_pointer.hpp"
#include "policy/json_strings.hpp"
#include "policy/json_text.hpp"
#include "policy/text_form.hpp"
#include "policy/utf8.hpp"

#include <string>
#include <utility>
#include <variant>

namespace vicket {

namespace {

/// Reads a rule from a text that is known to be JSON without a name twice.
class rule_reader {
public:
  explicit rule_reader(std::size_t text_bytes) : text_bytes_{text_bytes} {}

  rule result;
  json_fault fault;

  bool read(json_cursor& at) {
    const bool good = each_member(at, "a rule", [&](const std::string& name) {
      if (name == "id")
        return read_text(at, result.id.value);
      if (name == "name")
        return is_null(at) || read_text(at, result.name);
      if (name == "enabled")
        return is_null(at) || read_flag(at, result.enabled);
      if (name == "events")
        return is_null(at) || read_events(at);
      if (name == "filter")
        return is_null(at) || read_json(at, result.filter_json);
      if (name == "actions")
        return each_element(at, "an array of actions", [&] { return read_action(at); });
      return complain("is no field of a rule");
    });
    return good && (!result.id.value.empty() || complain("is missing", "/id")) &&
           (!result.actions.empty() || complain("are missing", "/actions"));
  }

private:
  bool complain(std::string what, std::string_view below = {}) {
    fault = {place_ + std::string{below}, std::move(what)};
    return false;
  }

  static bool is_null(json_cursor& at) { return at.kind() == json_kind::null && !at.skip().empty(); }

  bool read_text(json_cursor& at, std::string& into) {
    if (at.kind() != json_kind::string)
      return complain("must be a string");
    into = at.string().text();
    return true;
  }

  bool read_flag(json_cursor& at, bool& into) {
    if (at.kind() != json_kind::boolean)
      return complain("must be true or false");
    into = at.skip() == "true";
    return true;
  }

  bool read_json(json_cursor& at, std::string& into) {
    static_cast<void>(append_compact_json(into, at.skip(), most_json_depth, text_bytes_));
    return true;
  }

  template <class Read>
  bool each_member(json_cursor& at, std::string_view what, Read read_member) {
    if (at.kind() != json_kind::object)
      return complain(std::string{what} + " must be an object");
    const auto before = place_.size();
    at.enter();
    for (json_string written; at.next_member(written);) {
      const auto name = written.text();
      append_pointer_token(place_, name);
      if (!read_member(name))
        return false;
      place_.resize(before);
    }
    return true;
  }

  template <class Read>
  bool each_element(json_cursor& at, std::string_view what, Read read_element) {
    if (at.kind() != json_kind::array)
      return complain("must be " + std::string{what});
    const auto before = place_.size();
    at.enter();
    for (std::size_t i = 0; at.next_element(); ++i) {
      append_pointer_token(place_, std::to_string(i));
      if (!read_element())
        return false;
      place_.resize(before);
    }
    return true;
  }

  bool read_events(json_cursor& at) {
    return each_element(at, "an array of strings",
                        [&] { return read_text(at, result.events.emplace_back()); });
  }

  bool read_action(json_cursor& at) {
    auto& action = result.actions.emplace_back();
    const bool good = each_member(at, "an action", [&](const std::string& name) {
      if (name == "send_to_connector")
        return read_text(at, action.connector.value);
      if (name == "message")
        return is_null(at) || read_text(at, action.message.emplace());
      if (name == "data")
        return is_null(at) || read_json(at, action.data_json);
      return complain("is no field of an action");
    });
    return good && (!action.connector.value.empty() || complain("is missing", "/send_to_connector"));
  }

  std::size_t text_bytes_;
  std::string place_;
};

void append_member(std::string& out, std::string_view name) {
  out += out.back() == '{' ? "\"" : ",\"";
  out += name;
  out += "\":";
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  append_member(out, name);
  append_json_string(out, first_invalid_utf8(text) ? with_replaced_invalid_utf8(text) : std::string{text});
}

/// On one line, whatever it was put with.
void append_json_member(std::string& out, std::string_view name, std::string_view json) {
  append_member(out, name);
  static_cast<void>(append_compact_json(out, json, most_json_depth, out.size() + json.size()));
}

void append_action(std::string& out, const rule_action& action) {
  out += '{';
  append_member(out, "send_to_connector", action.connector.value);
  if (action.message)
    append_member(out, "message", *action.message);
  if (!action.data_json.empty())
    append_json_member(out, "data", action.data_json);
  out += '}';
}

} // namespace

std::variant<rule, std::string> rule_from_json(std::string_view written) {
  if (written.size() > max_rule_json_bytes)
    return "the rule has " + std::to_string(written.size()) + " bytes; at most " +
           std::to_string(max_rule_json_bytes) + " are read";
  auto form = utf8_text(written);
  if (auto* other = std::get_if<std::string>(&form))
    return std::move(*other);
  const auto text = std::get<std::string_view>(form);
  if (const auto wrong = json_complaint(text, most_json_depth))
    return wrong->place.empty() ? "the rule " + wrong->what : wrong->sentence();
  rule_reader reader{text.size()};
  json_cursor at{text};
  if (!reader.read(at))
    return reader.fault.sentence();
  return std::move(reader.result);
}

std::string rule_to_json(const rule& value) {
  std::string out{"{"};
  append_member(out, "id", value.id.value);
  append_member(out, "name", value.name);
  append_member(out, "enabled");
  out += value.enabled ? "true" : "false";
  append_member(out, "events");
  out += '[';
  for (const auto& pattern : value.events) {
    out += out.back() == '[' ? "" : ",";
    out += text_to_json(pattern);
  }
  out += ']';
  if (!value.filter_json.empty())
    append_json_member(out, "filter", value.filter_json);
  append_member(out, "actions");
  out += '[';
  for (const auto& action : value.actions) {
    out += out.back() == '[' ? "" : ",";
    append_action(out, action);
  }
  return out + "]}";
}

} // namespace vicket
