#include "policy/event_template.hpp"

#include "policy/envelope.hpp"
#include "policy/json_cursor.hpp"
#include "policy/json_strings.hpp"
#include "policy/rfc3339.hpp"
#include "policy/utf8.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace vicket {

namespace {

constexpr std::string_view opening = "{{";
constexpr std::string_view closing = "}}";

std::string_view without_blanks(std::string_view text) {
  const auto first = std::min(text.find_first_not_of(' '), text.size());
  text.remove_prefix(first);
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

/// Takes a text apart into `literal(text)` and `placeholder(name)`, which answers what is wrong with it. Of several braces in a
/// row an odd one stands for itself, four for two, and the two that are left begin a placeholder.
template <class Literal, class Placeholder>
std::optional<std::string> take_apart(std::string_view text, Literal literal, Placeholder placeholder) {
  for (std::size_t at = 0; at < text.size();) {
    const auto first = std::min(text.find('{', at), text.size());
    if (first > at)
      literal(text.substr(at, first - at));
    at = std::min(text.find_first_not_of('{', first), text.size());
    const auto braces = at - first;
    if (braces % 2 == 1)
      literal(opening.substr(1));
    for (std::size_t i = 0; i < braces / 4; ++i)
      literal(opening);
    if (braces % 4 < 2)
      continue;
    const auto end = text.find(closing, at);
    if (end == std::string_view::npos)
      return "has a placeholder without an end: \"{{" + shown_text(text.substr(at)) +
             "\"; two braces that are none are written {{{{";
    if (auto wrong = placeholder(without_blanks(text.substr(at, end - at))))
      return wrong;
    at = end + closing.size();
  }
  return std::nullopt;
}

} // namespace

class event_template::compiler {
public:
  std::optional<json_fault> fault;

  [[nodiscard]] event_template take() && {
    made_.after_ = std::move(literal_);
    return std::move(made_);
  }

  bool read_text(std::string_view text) {
    const auto wrong = take_apart(
        text, [this](std::string_view literal) { literal_ += literal; },
        [this](std::string_view name) { return add(name, form::text); });
    return !wrong || complain(*wrong);
  }

  bool read_value(json_cursor& at) {
    switch (at.kind()) {
    case json_kind::object:
      return read_object(at);
    case json_kind::array:
      return read_array(at);
    case json_kind::string:
      return read_string(at.string().text());
    default:
      literal_ += at.skip();
      return true;
    }
  }

  /// Whether there is nothing but one placeholder so far, for a value that may be an object.
  [[nodiscard]] bool is_one_value() const {
    return made_.placeholders_.size() == 1 && made_.placeholders_[0].as == form::value &&
           made_.placeholders_[0].to == reference::place && made_.placeholders_[0].depth == 0;
  }

private:
  bool complain(std::string what) {
    fault = json_fault{place_, std::move(what)};
    return false;
  }

  bool read_object(json_cursor& at) {
    const auto before = place_.size();
    bool first = true;
    literal_ += '{';
    ++depth_;
    at.enter();
    for (json_string written; at.next_member(written); first = false) {
      const auto name = written.text();
      append_pointer_token(place_, name);
      if (name.find(opening) != std::string::npos)
        return complain("is a name, and those are not filled in");
      if (!first)
        literal_ += ',';
      append_json_string(literal_, name);
      literal_ += ':';
      if (!read_value(at))
        return false;
      place_.resize(before);
    }
    --depth_;
    literal_ += '}';
    return true;
  }

  bool read_array(json_cursor& at) {
    const auto before = place_.size();
    std::size_t count = 0;
    literal_ += '[';
    ++depth_;
    at.enter();
    while (at.next_element()) {
      append_pointer_token(place_, std::to_string(count));
      if (count++ > 0)
        literal_ += ',';
      if (!read_value(at))
        return false;
      place_.resize(before);
    }
    --depth_;
    literal_ += ']';
    return true;
  }

  bool read_string(const std::string& text) {
    std::size_t literals = 0;
    std::size_t placeholders = 0;
    auto wrong = take_apart(
        text, [&](std::string_view) { ++literals; },
        [&](std::string_view) {
          ++placeholders;
          return std::optional<std::string>{};
        });
    const bool whole = literals == 0 && placeholders == 1;
    if (!whole)
      literal_ += '"';
    if (!wrong)
      wrong = take_apart(
          text, [this](std::string_view literal) { append_json_characters(literal_, literal); },
          [&](std::string_view name) { return add(name, whole ? form::value : form::characters); });
    if (!whole)
      literal_ += '"';
    return !wrong || complain(*wrong);
  }

  std::optional<std::string> add(std::string_view name, form as) {
    placeholder one;
    if (name == "event") {
      one.to = reference::event;
    } else if (name == "occurred_at") {
      one.to = reference::occurred_at;
    } else if (name == "data" || name.starts_with('/')) {
      const auto pointer = json_pointer::parse(name == "data" ? std::string_view{} : name);
      if (const auto* wrong = std::get_if<std::string>(&pointer))
        return "has \"{{" + shown_text(name) + "}}\": " + *wrong;
      one.place = made_.places_.add(std::get<json_pointer>(pointer));
    } else {
      return "has \"{{" + shown_text(name) +
             "}}\", but there are {{event}}, {{occurred_at}}, {{data}} and pointers into data, which begin "
             "with a "
             "slash; two braces that are no placeholder are written {{{{";
    }
    one.before = std::exchange(literal_, {});
    one.as = as;
    one.depth = depth_;
    one.name = name;
    made_.placeholders_.push_back(std::move(one));
    return std::nullopt;
  }

  event_template made_;
  std::string literal_; ///< since the last placeholder
  std::string place_;
  std::size_t depth_ = 0;
};

/// One event before a template.
class event_template::filling {
public:
  filling(const event_template& of, const template_source& from, std::size_t max_bytes)
      : of_{of}, from_{from}, max_bytes_{max_bytes} {
    if (of.places_.size() > 0)
      of.places_.find(from.data, found_);
  }

  [[nodiscard]] std::variant<std::string, refusal> result() {
    for (const auto& one : of_.placeholders_) {
      out_ += one.before;
      if (auto wrong = fill(one))
        return *std::move(wrong);
      if (out_.size() > max_bytes_)
        return too_long();
    }
    out_ += of_.after_;
    if (out_.size() > max_bytes_)
      return too_long();
    return std::move(out_);
  }

private:
  [[nodiscard]] refusal too_long() const {
    return {errc::too_large,
            "what comes of the template is longer than " + std::to_string(max_bytes_) + " bytes"};
  }

  std::optional<refusal> fill(const placeholder& one) {
    switch (one.to) {
    case reference::event:
      append_text(one, from_.event);
      return std::nullopt;
    case reference::occurred_at:
      append_text(one, format_rfc3339(from_.occurred_at));
      return std::nullopt;
    case reference::place:
      break;
    }
    const auto value = found_[one.place];
    if (one.as == form::value)
      return append_value(one, value);
    append_characters(one, value);
    return std::nullopt;
  }

  void append_text(const placeholder& one, std::string_view text) {
    if (one.as == form::text)
      out_ += text;
    else if (one.as == form::characters)
      append_json_characters(out_, text);
    else
      append_json_string(out_, text);
  }

  std::optional<refusal> append_value(const placeholder& one, std::string_view value) {
    if (one.depth == 0 && (value.empty() || value.front() != '{'))
      return refusal{errc::invalid_event, "data has to be an object, but {{" + shown_text(one.name) +
                                              "}} is " + (value.empty() ? "missing" : shown_text(value))};
    switch (
        append_compact_json(out_, value.empty() ? "null" : value, max_data_depth - one.depth, max_bytes_)) {
    case json_stop::reason::too_deep:
      return refusal{errc::invalid_event,
                     too_deep_complaint() + " with what {{" + shown_text(one.name) + "}} is filled in by"};
    case json_stop::reason::complete:
      return std::nullopt;
    default:
      return too_long();
    }
  }

  void append_characters(const placeholder& one, std::string_view value) {
    if (value.empty())
      return;
    const bool in_json = one.as == form::characters;
    json_cursor at{value};
    switch (at.kind()) {
    case json_kind::string:
      if (in_json)
        append_fewest_escapes(out_, at.string().raw);
      else
        append_unescaped_json(out_, at.string().raw);
      return;
    case json_kind::object:
    case json_kind::array: {
      std::string compact;
      static_cast<void>(append_compact_json(compact, value, most_json_depth, max_bytes_));
      append_text(one, compact);
      return;
    }
    default:
      out_ += value;
    }
  }

  const event_template& of_;
  const template_source& from_;
  std::size_t max_bytes_;
  std::vector<std::string_view> found_; ///< by the number of the place
  std::string out_;
};

std::variant<event_template, json_fault> event_template::of_text(std::string_view text) {
  if (const auto at = first_invalid_utf8(text))
    return json_fault{"", "is not UTF-8 at byte " + std::to_string(*at)};
  compiler reading;
  if (!reading.read_text(text))
    return *std::move(reading.fault);
  return std::move(reading).take();
}

std::variant<event_template, json_fault> event_template::of_json(std::string_view json) {
  if (auto wrong = json_complaint(json, max_data_depth))
    return *std::move(wrong);
  compiler reading;
  json_cursor at{json};
  const bool is_object = at.kind() == json_kind::object;
  if (!reading.read_value(at))
    return *std::move(reading.fault);
  if (!is_object && !reading.is_one_value())
    return json_fault{"", "must be an object, or a string that is one placeholder for a value in data"};
  return std::move(reading).take();
}

std::variant<std::string, refusal> event_template::fill(const template_source& from,
                                                        std::size_t max_bytes) const {
  return filling{*this, from, max_bytes}.result();
}

} // namespace vicket
