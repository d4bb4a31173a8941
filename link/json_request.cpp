#include "link/json_request.hpp"

#include "policy/json_slices.hpp"
#include "policy/json_text.hpp"
#include "policy/trigger_json.hpp"
#include "policy/utf8.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace vicket::internal {

namespace {

/// So much of what the other side has written comes back in a sentence.
constexpr std::size_t most_quoted_bytes = 64;
/// And of a sentence about an event, which may quote as well. There are as many as events.
constexpr std::size_t most_complaint_bytes = 512;

refusal malformed(std::string what) {
  return {errc::invalid_event, std::move(what)};
}

/// Not more than that many bytes of a text, and an ellipsis where there are more.
std::string beginning_of(std::string_view text, std::size_t most_bytes) {
  const auto shown = text.substr(0, most_bytes);
  const auto whole = text.size() > most_bytes ? shown.substr(0, whole_utf8_bytes(shown)) : text;
  return std::string{whole} + (whole.size() < text.size() ? "…" : "");
}

/// A field's name as a sentence says it; it may be anything.
std::string in_quotes(std::string_view name) {
  return '"' + beginning_of(name, most_quoted_bytes) + '"';
}

/// The values of an object's fields, as they are written.
template <std::size_t Count>
class field_slices {
public:
  using name_list = std::array<std::string_view, Count>;

  /// `of`: what has these fields, for the sentence.
  field_slices(std::string_view text, const name_list& names, std::string_view of) {
    json_slices slices{text, json_slices::kind::object};
    while (const auto one = slices.next())
      take(*one, names, of);
    broken = slices.fault();
  }

  std::array<std::string_view, Count> values = {}; ///< empty: it is not there
  std::array<bool, Count> twice = {};
  std::string complaint; ///< about names; the first one. Empty: none
  std::string broken;    ///< why it is no object at all

private:
  void take(const json_slices::slice& one, const name_list& names, std::string_view of) {
    const auto name = text_of_json(one.key);
    if (!name) {
      complain(std::string{of} + " has a name that is no JSON string");
      return;
    }
    const auto at = static_cast<std::size_t>(std::find(names.begin(), names.end(), *name) - names.begin());
    if (at == Count) {
      complain(in_quotes(*name) + " is no field of " + std::string{of});
      return;
    }
    if (!values[at].empty()) {
      twice[at] = true;
      complain(*name + " is there twice");
      return;
    }
    values[at] = one.value;
  }

  void complain(std::string what) {
    if (complaint.empty())
      complaint = std::move(what);
  }
};

/// `from`, absent or null: an empty one. Or what is wrong with it.
std::variant<std::string, refusal> read_cursor(std::string_view written, std::string_view name) {
  if (written.empty() || written == "null")
    return std::string{};
  auto text = written.front() == '"' && written.size() <= json_bounds::cursor_bytes ? text_of_json(written)
                                                                                    : std::nullopt;
  if (!text || text->empty())
    return malformed(std::string{name} + " must be a cursor of this node, or null");
  return *std::move(text);
}

/// A number from `least` to `most`; absent: what it was. Or what is wrong with it.
std::optional<refusal> read_count(std::string_view written, std::string_view name, std::uint32_t least,
                                  std::uint32_t most, std::uint32_t& value) {
  if (written.empty())
    return std::nullopt;
  const auto count = count_of_json(written, most);
  if (!count || *count < least)
    return malformed(std::string{name} + " must be a whole number from " + std::to_string(least) + " to " +
                     std::to_string(most));
  value = static_cast<std::uint32_t>(*count);
  return std::nullopt;
}

using asked = decltype(json_request::what);

/// Reads each element with `read(text)`, which answers what is wrong with it, if anything is. `most`: of them.
template <class Read>
std::optional<refusal> read_items(std::string_view written, const std::string& name, std::size_t most,
                                  std::vector<std::optional<refusal>>& items, Read read) {
  if (written.front() != '[')
    return malformed(name + " must be an array of events");
  json_slices slices{written, json_slices::kind::array};
  while (const auto one = slices.next()) {
    if (items.size() == most)
      return malformed(name + " holds at most " + std::to_string(most) + " events");
    if (const std::optional<std::string> complaint = read(one->value))
      items.emplace_back(malformed(name + "[" + std::to_string(items.size()) +
                                   "]: " + beginning_of(*complaint, most_complaint_bytes)));
    else
      items.emplace_back(std::nullopt);
  }
  if (const auto fault = slices.fault(); !fault.empty())
    return malformed(name + " is no JSON array: " + fault);
  return std::nullopt;
}

asked read_send(std::string_view written) {
  json_send result;
  auto wrong = read_items(written, "send", send_batch::max_items, result.items,
                          [&](std::string_view text) -> std::optional<std::string> {
                            auto event = event_from_json(text);
                            if (auto* complaint = std::get_if<std::string>(&event))
                              return std::move(*complaint);
                            result.events.items.push_back(std::get<send_to_connector>(std::move(event)));
                            return std::nullopt;
                          });
  if (wrong)
    return *std::move(wrong);
  return result;
}

asked read_trigger(std::string_view written) {
  json_trigger result;
  auto wrong = read_items(written, "trigger", trigger_batch::max_items, result.items,
                          [&](std::string_view text) -> std::optional<std::string> {
                            auto event = event_or_trigger_from_json(text);
                            if (auto* complaint = std::get_if<std::string>(&event))
                              return std::move(*complaint);
                            if (std::holds_alternative<send_to_connector>(event))
                              return "connector: a trigger goes where the rules say, and names none";
                            result.triggers.items.push_back(std::get<trigger>(std::move(event)));
                            return std::nullopt;
                          });
  if (wrong)
    return *std::move(wrong);
  return result;
}

asked read_outcomes_of(std::string_view written) {
  enum field : std::size_t { from, limit, wait };
  if (written.front() != '{')
    return malformed("outcomes must be an object");
  const field_slices<3> fields{written, {"from", "limit", "wait_ms"}, "outcomes"};
  if (!fields.broken.empty())
    return malformed("outcomes is no JSON object: " + fields.broken);
  if (!fields.complaint.empty())
    return malformed(fields.complaint);
  read_outcomes request;
  auto cursor = read_cursor(fields.values[from], "outcomes.from");
  if (auto* wrong = std::get_if<refusal>(&cursor))
    return std::move(*wrong);
  request.cursor = std::get<std::string>(std::move(cursor));
  if (auto wrong =
          read_count(fields.values[limit], "outcomes.limit", 1, read_outcomes::max_limit, request.limit))
    return *std::move(wrong);
  if (auto wrong =
          read_count(fields.values[wait], "outcomes.wait_ms", 0, read_outcomes::max_wait_ms, request.wait_ms))
    return *std::move(wrong);
  return request;
}

asked read_run(std::string_view written, std::string cursor) {
  // A character is at most six bytes of JSON.
  auto run = written.front() == '"' && written.size() <= 6 * json_bounds::run_bytes + 2
                 ? text_of_json(written)
                 : std::nullopt;
  if (!run || run->size() > json_bounds::run_bytes)
    return malformed("run must be a string of at most " + std::to_string(json_bounds::run_bytes) + " bytes");
  get_run request;
  request.run = *std::move(run);
  request.cursor = std::move(cursor);
  return request;
}

asked read_event(std::string_view written, std::string cursor) {
  constexpr std::size_t most_bytes = 256;
  const auto text =
      written.front() == '"' && written.size() <= most_bytes ? text_of_json(written) : std::nullopt;
  const auto id = text ? event_id::parse(*text) : std::nullopt;
  if (!id)
    return malformed("event must be a UUID in its 36-character form");
  return get_event{*id, std::move(cursor)};
}

enum field : std::size_t {
  request_field,
  from_field,
  send_field,
  trigger_field,
  outcomes_field,
  run_field,
  event_field,
  count
};

asked read_asked(const field_slices<count>& fields) {
  if (!fields.complaint.empty())
    return malformed(fields.complaint);
  const auto& values = fields.values;
  const auto of = std::count_if(values.begin() + send_field, values.end(),
                                [](std::string_view one) { return !one.empty(); });
  if (of != 1)
    return malformed("a request has one of send, trigger, outcomes, run and event, not " +
                     std::string{of == 0 ? "none" : "several"} + " of them");
  const bool of_history = !values[run_field].empty() || !values[event_field].empty();
  if (!of_history && !values[from_field].empty())
    return malformed("from belongs to run and event; that of outcomes stands within it");
  if (!values[send_field].empty())
    return read_send(values[send_field]);
  if (!values[trigger_field].empty())
    return read_trigger(values[trigger_field]);
  if (!values[outcomes_field].empty())
    return read_outcomes_of(values[outcomes_field]);
  auto cursor = read_cursor(values[from_field], "from");
  if (auto* wrong = std::get_if<refusal>(&cursor))
    return std::move(*wrong);
  if (!values[run_field].empty())
    return read_run(values[run_field], std::get<std::string>(std::move(cursor)));
  return read_event(values[event_field], std::get<std::string>(std::move(cursor)));
}

} // namespace

std::variant<json_request, std::string> read_json_request(std::string_view text) {
  const field_slices<count> fields{
      text, {"request", "from", "send", "trigger", "outcomes", "run", "event"}, "a request"};
  if (!fields.broken.empty())
    return "a message is no JSON object: " + fields.broken;
  if (fields.values[request_field].empty())
    return "a message has no number in \"request\"";
  const auto number = count_of_json(fields.values[request_field], json_bounds::most_request);
  if (!number || fields.twice[request_field])
    return "\"request\" must be one whole number from 0 to " + std::to_string(json_bounds::most_request);
  return json_request{*number, read_asked(fields)};
}

} // namespace vicket::internal
