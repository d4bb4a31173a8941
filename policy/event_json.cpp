#include "policy/envelope.hpp"
#include "policy/json_reader.hpp"
#include "policy/json_text.hpp"
#include "policy/rfc3339.hpp"
#include "policy/text_form.hpp"
#include "policy/trigger_json.hpp"
#include "policy/utf8.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <optional>
#include <utility>

namespace vicket {

namespace {

/// The event around its data, of which alone something can be nested.
constexpr std::size_t max_event_depth = max_data_depth + 1;

enum field : std::size_t {
  connector_field,
  event_field,
  occurred_at_field,
  data_field,
  message_field,
  workflow_field,
  run_field,
  id_field,
  field_count
};

constexpr std::array<std::string_view, field_count> names{"connector", "event",    "occurred_at", "data",
                                                          "message",   "workflow", "run",         "id"};

/// Beside the connector, which a trigger has not.
constexpr std::array required_fields{event_field, occurred_at_field, data_field};

bool is_required(std::size_t one) {
  return one == connector_field ||
         std::find(required_fields.begin(), required_fields.end(), one) != required_fields.end();
}

/// Fills an event while it is read; of data it only keeps where it stands in the text.
class event_reader {
public:
  explicit event_reader(std::string_view text) : text_{text} {}

  send_to_connector event;
  std::string complaint;

  bool literal(std::string_view word) {
    if (depth_ > 1)
      return true;
    if (depth_ == 1 && word == "null" && !is_required(field_))
      return true; // as if it were absent
    return unfit(word);
  }

  bool number(std::string_view) { return depth_ > 1 || unfit("a number"); }

  bool string(const json_string& value) {
    if (depth_ > 1)
      return true;
    if (depth_ == 0 || field_ == data_field)
      return unfit("a string");
    return take(value.text());
  }

  bool key(const json_string& written) {
    if (depth_ > 1)
      return true;
    const auto name = written.text();
    field_ = static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
    if (field_ == field_count)
      return complain("\"" + name + "\" is no field of an event");
    if (seen_.test(field_))
      return complain(name + " is there twice");
    seen_.set(field_);
    return true;
  }

  bool begin_object(std::size_t at) {
    if (depth_ == 1) {
      if (field_ != data_field)
        return unfit("an object");
      data_begin_ = at;
    }
    ++depth_;
    return true;
  }

  bool end_object(std::size_t at) {
    if (--depth_ == 1)
      event.data_json = text_.substr(data_begin_, at + 1 - data_begin_);
    return true;
  }

  bool begin_array(std::size_t) {
    if (depth_ < 2)
      return unfit("an array");
    ++depth_;
    return true;
  }

  bool end_array(std::size_t) {
    --depth_;
    return true;
  }

  [[nodiscard]] bool names_connector() const { return seen_.test(connector_field); }
  /// After the end: the first required field that is absent.
  [[nodiscard]] std::optional<std::string> missing() const {
    for (const auto required : required_fields)
      if (!seen_.test(required))
        return std::string{names.at(required)} + " is missing";
    return std::nullopt;
  }

private:
  bool complain(std::string what) {
    complaint = std::move(what);
    return false;
  }

  bool unfit(std::string_view given) {
    const std::string what{given};
    if (depth_ == 0)
      return complain("an event must be a JSON object, not " + what);
    return complain(std::string{names.at(field_)} + " must be " +
                    (field_ == data_field ? "an object" : "a string") + ", not " + what);
  }

  bool take(std::string text) {
    switch (field_) {
    case connector_field:
      event.connector.value = std::move(text);
      return true;
    case event_field:
      event.event = std::move(text);
      return true;
    case occurred_at_field:
      return take_time(text);
    case message_field:
      event.message = std::move(text);
      return true;
    case workflow_field:
      event.workflow = std::move(text);
      return true;
    case run_field:
      event.run = std::move(text);
      return true;
    default:
      event.id = event_id::parse(text);
      return event.id.has_value() || complain("id must be a UUID in its 36-character form");
    }
  }

  bool take_time(std::string_view text) {
    const auto time = parse_rfc3339(text);
    if (!time)
      return complain("occurred_at must be an RFC 3339 time such as 2026-05-23T14:21:11.412Z");
    event.occurred_at = *time;
    return true;
  }

  std::string_view text_;
  std::size_t depth_ = 0;
  std::size_t field_ = field_count;
  std::size_t data_begin_ = 0;
  std::bitset<field_count> seen_;
};

} // namespace

namespace {

/// `named`: whether a connector has to be there, then whether there is one.
std::variant<send_to_connector, std::string> read_event(std::string_view line, bool& named) {
  auto form = utf8_text(line);
  if (auto* other = std::get_if<std::string>(&form))
    return std::move(*other);
  const auto text = std::get<std::string_view>(form);
  const auto skipped = line.size() - text.size();
  const auto place = [&](std::size_t at) { return "at byte " + std::to_string(skipped + at); };
  if (const auto at = first_invalid_utf8(text))
    return "not valid JSON " + place(*at) + ": it is not UTF-8 there";
  event_reader event{text};
  const auto stopped = json_reader{text, max_event_depth, event}.read();
  switch (stopped.why) {
  case json_stop::reason::complete:
    break;
  case json_stop::reason::handler:
    return event.complaint + " (" + place(stopped.at) + ")";
  case json_stop::reason::too_deep:
    return too_deep_complaint() + " (" + place(stopped.at) + ")";
  case json_stop::reason::syntax: {
    const bool cr_before = stopped.at > 0 && text[stopped.at - 1] == '\r';
    return "not valid JSON " + place(stopped.at) + ": " + std::string{stopped.what} +
           (cr_before ? " (a carriage return alone ends no line)" : "");
  }
  }
  if (named && !event.names_connector())
    return std::string{names.at(connector_field)} + " is missing";
  named = event.names_connector();
  if (auto missing = event.missing())
    return *std::move(missing);
  return std::move(event.event);
}

} // namespace

std::variant<send_to_connector, std::string> event_from_json(std::string_view line) {
  bool named = true;
  return read_event(line, named);
}

std::variant<send_to_connector, trigger, std::string> event_or_trigger_from_json(std::string_view line) {
  bool named = false;
  auto read = read_event(line, named);
  if (auto* complaint = std::get_if<std::string>(&read))
    return std::move(*complaint);
  auto& event = std::get<send_to_connector>(read);
  if (named)
    return std::move(event);
  return trigger{std::move(event.event),
                 event.occurred_at,
                 std::move(event.data_json),
                 std::move(event.message),
                 std::move(event.workflow),
                 std::move(event.run),
                 event.id};
}

} // namespace vicket
