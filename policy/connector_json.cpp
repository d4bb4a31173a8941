#include "policy/json_check.hpp"
#include "policy/json_reader.hpp"
#include "policy/json_slices.hpp"
#include "policy/json_strings.hpp"
#include "policy/json_text.hpp"
#include "policy/json_writer.hpp"
#include "policy/text_form.hpp"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

namespace vicket {

namespace {

using rapidjson::Value;

std::string_view text_of(const Value& value) {
  return {value.GetString(), value.GetStringLength()};
}

std::string type_of(const Value& value) {
  constexpr std::array<const char*, 7> names{"null",     "false",    "true",    "an object",
                                             "an array", "a string", "a number"};
  return names.at(static_cast<std::size_t>(value.GetType()));
}

/// Reads fields of one object, keeps the first complaint, and knows which fields nobody has asked for.
class object_reader {
public:
  object_reader(const Value& object, std::string path, std::string& complaint)
      : object_{object}, path_{std::move(path)}, complaint_{complaint} {
    if (!object_.IsObject())
      complain("must be an object, not " + type_of(object_));
  }

  /// The field's value, or nullptr when it is absent or null.
  const Value* find(std::string_view name) {
    const auto* value = find_written(name);
    return value != nullptr && value->IsNull() ? nullptr : value;
  }

  void read(std::string_view name, std::string& target) {
    if (const auto* value = typed(name, &Value::IsString, "a string"))
      target = text_of(*value);
  }
  void read(std::string_view name, bool& target) {
    if (const auto* value = typed(name, &Value::IsBool, "true or false"))
      target = value->GetBool();
  }
  void read(std::string_view name, std::uint32_t& target) {
    if (const auto* value = typed(name, &Value::IsUint, "a whole number from 0 to 4294967295"))
      target = value->GetUint();
  }
  void read(std::string_view name, std::int64_t& target) {
    if (const auto* value = typed(name, &Value::IsInt64, "a whole number"))
      target = value->GetInt64();
  }
  void read(std::string_view name, double& target) {
    if (const auto* value = typed(name, &Value::IsNumber, "a number"))
      target = value->GetDouble();
  }

  void require(std::string_view name) {
    if (!object_.IsObject())
      return;
    const auto* value = find_written(name);
    if (value == nullptr || value->IsNull())
      complain(value == nullptr ? "is missing" : "is required, but it is null", name);
  }

  /// To be called last: no field twice, none that was not asked for.
  void finish() {
    if (!object_.IsObject())
      return;
    std::vector<std::string_view> seen;
    for (const auto& member : object_.GetObject()) {
      const auto name = text_of(member.name);
      if (std::find(known_.begin(), known_.end(), name) == known_.end())
        complain("is no field of a connector", name);
      else if (std::find(seen.begin(), seen.end(), name) != seen.end())
        complain("is there twice", name);
      seen.push_back(name);
    }
  }

  void complain(const std::string& what, std::string_view name = {}) {
    if (!complaint_.empty())
      return;
    complaint_ = path_of(name) + " " + what;
  }

  [[nodiscard]] std::string path_of(std::string_view name) const {
    if (path_.empty())
      return name.empty() ? "the connector" : with_replaced_invalid_utf8(name);
    return name.empty() ? path_ : path_ + "." + std::string{name};
  }

private:
  const Value* find_written(std::string_view name) {
    known_.push_back(name);
    if (!object_.IsObject())
      return nullptr;
    const Value* found = nullptr;
    for (const auto& member : object_.GetObject())
      if (found == nullptr && text_of(member.name) == name)
        found = &member.value;
    return found;
  }

  const Value* typed(std::string_view name, bool (Value::*is)() const, std::string_view expected) {
    const auto* value = find(name);
    if (value == nullptr || (value->*is)())
      return value;
    auto what = "must be " + std::string{expected} + ", not " + type_of(*value);
    if (value->IsNumber())
      what = "must be " + std::string{expected};
    complain(what, name);
    return nullptr;
  }

  const Value& object_;
  std::string path_;
  std::string& complaint_;
  std::vector<std::string_view> known_;
};

template <class Text>
void read_headers(object_reader& fields, std::string_view name,
                  std::vector<std::pair<std::string, Text>>& target) {
  const auto* headers = fields.find(name);
  if (headers == nullptr)
    return;
  if (!headers->IsObject()) {
    fields.complain("must be an object, not " + type_of(*headers), name);
    return;
  }
  // A name that is there twice stays so: `connector_complaint` refuses it, whatever its case.
  for (const auto& member : headers->GetObject()) {
    if (member.value.IsNull())
      continue;
    if (!member.value.IsString()) {
      fields.complain("must be a string, not " + type_of(member.value),
                      std::string{name} + "." + std::string{text_of(member.name)});
      return;
    }
    target.emplace_back(text_of(member.name), std::string{text_of(member.value)});
  }
}

void read_events(object_reader& fields, connector& target) {
  const auto* events = fields.find("events");
  if (events == nullptr)
    return;
  if (!events->IsArray()) {
    fields.complain("must be an array of strings, not " + type_of(*events), "events");
    return;
  }
  for (const auto& pattern : events->GetArray()) {
    if (!pattern.IsString()) {
      fields.complain("must be a string, not " + type_of(pattern),
                      "events[" + std::to_string(target.events.size()) + "]");
      return;
    }
    target.events.emplace_back(text_of(pattern));
  }
}

void read_rate(object_reader& fields, connector& target, std::string& complaint) {
  const auto* rate = fields.find("rate");
  if (rate == nullptr)
    return;
  object_reader inner{*rate, "rate", complaint};
  auto& limit = target.rate.emplace();
  inner.require("limit");
  inner.read("limit", limit.limit);
  inner.read("per_ms", limit.per_ms);
  inner.read("burst", limit.burst);
  inner.finish();
}

void read_retry(object_reader& fields, connector& target, std::string& complaint) {
  const auto* retry = fields.find("retry");
  if (retry == nullptr)
    return;
  object_reader inner{*retry, "retry", complaint};
  inner.read("base_ms", target.retry.base_ms);
  inner.read("factor", target.retry.factor);
  inner.read("cap_ms", target.retry.cap_ms);
  inner.read("max_attempts", target.retry.max_attempts);
  inner.read("max_age_ms", target.retry.max_age_ms);
  inner.finish();
}

void read_secret(object_reader& fields, connector& target) {
  const auto* given = fields.find("secret");
  fields.read("secret", target.secret.value);
  if (given != nullptr && given->IsString() && given->GetStringLength() == 0)
    fields.complain("is empty; leave it out to keep the one that there is, or to have one made", "secret");
}

void read_connector(const Value& document, connector& target, std::string& complaint) {
  object_reader fields{document, "", complaint};
  fields.require("id");
  fields.require("url");
  fields.read("id", target.id.value);
  fields.read("name", target.name);
  fields.read("url", target.url);
  read_secret(fields, target);
  read_headers(fields, "headers", target.headers);
  read_headers(fields, "secret_headers", target.secret_headers);
  read_events(fields, target);
  static_cast<void>(fields.find("filter")); // it was read before, and taken out
  read_rate(fields, target, complaint);
  fields.read("max_in_flight", target.max_in_flight);
  fields.read("timeout_ms", target.timeout_ms);
  read_retry(fields, target, complaint);
  fields.read("standard_webhooks", target.standard_webhooks);
  fields.read("enabled", target.enabled);
  bool only_shown = false;
  fields.read("being_deleted", only_shown);
  fields.finish();
}

void put_number(json_writer& out, std::string_view key, std::int64_t number) {
  put_key(out, key);
  out.Int64(number);
}

void put_flag(json_writer& out, std::string_view key, bool flag) {
  put_key(out, key);
  out.Bool(flag);
}

void put_lists(json_writer& out, const connector& settings) {
  put_key(out, "headers");
  out.StartObject();
  for (const auto& [name, value] : settings.headers)
    put_text(out, name, value);
  out.EndObject();
  if (!settings.secret_headers.empty()) {
    put_key(out, "secret_headers");
    out.StartObject();
    for (const auto& [name, value] : settings.secret_headers)
      put_text(out, name, secret_text::hidden);
    out.EndObject();
  }
  put_key(out, "events");
  out.StartArray();
  for (const auto& pattern : settings.events)
    put_text(out, pattern);
  out.EndArray();
}

/// On one line, whatever it was put with.
void put_filter(json_writer& out, std::string_view filter_json) {
  std::string compact;
  static_cast<void>(append_compact_json(compact, filter_json, most_json_depth, 2 * filter_json.size()));
  put_key(out, "filter");
  out.RawValue(compact.data(), compact.size(), rapidjson::kObjectType);
}

void put_rate(json_writer& out, const rate_limit& rate) {
  put_key(out, "rate");
  out.StartObject();
  put_number(out, "limit", rate.limit);
  put_number(out, "per_ms", rate.per_ms);
  put_number(out, "burst", rate.burst);
  out.EndObject();
}

void put_retry(json_writer& out, const retry_policy& retry) {
  put_key(out, "retry");
  out.StartObject();
  put_number(out, "base_ms", retry.base_ms);
  put_key(out, "factor");
  out.Double(retry.factor);
  put_number(out, "cap_ms", retry.cap_ms);
  put_number(out, "max_attempts", retry.max_attempts);
  put_number(out, "max_age_ms", retry.max_age_ms);
  out.EndObject();
}

/// Of the number that the text begins with, as far as it looks like one.
std::size_t bytes_of_number(std::string_view text) {
  return std::min(text.find_first_not_of("0123456789.eE+-"), text.size());
}

/// Takes nothing but a number.
struct number_alone {
  static bool number(std::string_view) { return true; }
  static bool literal(std::string_view) { return false; }
  static bool string(json_string) { return false; }
  static bool key(json_string) { return false; }
  static bool begin_object(std::size_t) { return false; }
  static bool end_object(std::size_t) { return false; }
  static bool begin_array(std::size_t) { return false; }
  static bool end_array(std::size_t) { return false; }
};

/// The shortest text of the same number, still of no integer: of one that is too small "0.0", of one that is too large one
/// that is. Empty: it is no JSON number.
std::string shortest_number(std::string_view text) {
  number_alone handler;
  if (json_reader{text, 1, handler}.read().why != json_stop::reason::complete)
    return {};
  double value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) {
    const auto exponent = text.find_first_of("eE");
    const bool is_small =
        exponent == std::string_view::npos ? text.find("0.") < 2 : text[exponent + 1] == '-';
    return is_small ? "0.0" : "1e999";
  }
  std::array<char, 32> shortest{};
  const auto end = std::to_chars(shortest.data(), shortest.data() + shortest.size(), value).ptr;
  std::string result{shortest.data(), end};
  if (result.find_first_of(".e") == std::string::npos)
    result += ".0";
  return result;
}

/// The same text, each other byte where it was, with the shortest form of numbers that are long or have an exponent. In full
/// precision RapidJSON 1.1 counts the leading zero bits of a number's first digits, which is undefined for a zero
/// ("0e-30"), and lets their rounding overflow to one (18446744073709551615.8). What looks like a long number and is none
/// becomes what it does not read.
std::string with_short_numbers(std::string_view text) {
  constexpr std::size_t harmless_bytes = 19; // as many digits fit into 64 bits
  std::string result{text};
  bool in_string = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"')
      in_string = !in_string;
    else if (in_string && text[at] == '\\')
      ++at;
    else if (!in_string && (text[at] == '-' || (text[at] >= '0' && text[at] <= '9'))) {
      const auto number = text.substr(at, bytes_of_number(text.substr(at)));
      if (number.size() > harmless_bytes || number.find_first_of("eE") != std::string_view::npos) {
        const auto shorter = shortest_number(number);
        if (shorter.empty())
          result[at] = 'x';
        else if (shorter.size() <= number.size())
          result.replace(at, number.size(), number.size(), ' ').replace(at, shorter.size(), shorter);
      }
      at += number.size() - 1;
    }
  }
  return result;
}

/// A filter that is there once, as it is written; empty: none, or the text is no JSON.
std::string_view filter_in(std::string_view text) {
  json_slices members{text, json_slices::kind::object};
  while (const auto member = members.next())
    if (text_of_json(member->key) == "filter")
      return member->value;
  return {};
}

/// Reads a connector's filter as it is written, whose numbers are not to become others, and takes it out of `readable`.
/// Answers what is wrong with it: of one that is no JSON, whoever reads the whole text says it better.
std::optional<json_fault> take_filter(std::string_view text, std::string& readable,
                                      std::string& filter_json) {
  const auto written = filter_in(text);
  if (written.empty() || written == "null")
    return std::nullopt;
  auto wrong = json_complaint(written, most_json_depth);
  if (!wrong)
    static_cast<void>(append_compact_json(filter_json, written, most_json_depth, text.size()));
  if (!wrong || !wrong->place.empty()) {
    const auto begin = static_cast<std::size_t>(written.data() - text.data());
    readable.replace(begin, written.size(), written.size(), ' ').replace(begin, 1, "0");
  }
  return wrong;
}

} // namespace

std::variant<connector, std::string> connector_from_json(std::string_view written) {
  // Iterative: a nesting bomb must not exhaust the stack; its memory is bounded by the text's length.
  constexpr unsigned flags = rapidjson::kParseValidateEncodingFlag | rapidjson::kParseIterativeFlag |
                             rapidjson::kParseFullPrecisionFlag;
  if (written.size() > max_connector_json_bytes)
    return "the connector has " + std::to_string(written.size()) + " bytes; at most " +
           std::to_string(max_connector_json_bytes) + " are read";
  auto form = utf8_text(written);
  if (auto* other = std::get_if<std::string>(&form))
    return std::move(*other);
  const auto text = std::get<std::string_view>(form);
  if (const auto zero = text.find('\0');
      zero != std::string_view::npos) // the reader would take it for the end
    return "not valid JSON at " + line_and_column(text, zero) + ": a zero byte";
  rapidjson::Document document;
  auto readable = with_short_numbers(text);
  connector result;
  const auto wrong_filter = take_filter(text, readable, result.filter_json);
  document.Parse<flags>(readable.data(), readable.size());
  if (document.HasParseError() && document.GetParseError() == rapidjson::kParseErrorNumberTooBig)
    return "the number at " + line_and_column(text, document.GetErrorOffset()) +
           " is larger than any field of a connector may be";
  if (document.HasParseError())
    return "not valid JSON at " + line_and_column(text, document.GetErrorOffset()) + ": " +
           rapidjson::GetParseError_En(document.GetParseError());
  if (wrong_filter)
    return wrong_filter->sentence("/filter");
  std::string complaint;
  read_connector(document, result, complaint);
  if (!complaint.empty())
    return complaint;
  return result;
}

std::string connector_to_json(const connector& settings, bool show_secret, bool being_deleted) {
  rapidjson::StringBuffer buffer;
  json_writer out{buffer};
  out.StartObject();
  put_text(out, "id", settings.id.value);
  put_text(out, "name", settings.name);
  put_text(out, "url", settings.url);
  if (!show_secret)
    put_text(out, "secret", secret_text::hidden);
  else if (!settings.secret.value.empty())
    put_text(out, "secret", settings.secret.value);
  put_lists(out, settings);
  if (!settings.filter_json.empty())
    put_filter(out, settings.filter_json);
  if (settings.rate)
    put_rate(out, *settings.rate);
  put_number(out, "max_in_flight", settings.max_in_flight);
  put_number(out, "timeout_ms", settings.timeout_ms);
  put_retry(out, settings.retry);
  put_flag(out, "standard_webhooks", settings.standard_webhooks);
  put_flag(out, "enabled", settings.enabled);
  if (being_deleted)
    put_flag(out, "being_deleted", true);
  out.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

} // namespace vicket
