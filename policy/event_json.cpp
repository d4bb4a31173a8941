#include "policy/json_text.hpp"
#include "policy/rfc3339.hpp"
#include "policy/utf8.hpp"

#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <optional>

namespace vicket {

namespace {

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

/// Fills an event while RapidJSON reads it; of data it only keeps where it stands in the text.
class event_reader : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, event_reader> {
public:
  event_reader(const rapidjson::MemoryStream& in, std::string_view text) : in_{in}, text_{text} {}

  send_to_connector event;
  std::string complaint;

  /// A scalar that is no string.
  bool Default() { return depth_ > 1 || unfit("a scalar"); }

  bool RawNumber(const char*, rapidjson::SizeType, bool) { return Default(); }

  bool String(const char* text, rapidjson::SizeType length, bool) {
    if (depth_ > 1)
      return true;
    if (depth_ == 0 || field_ == data_field)
      return unfit("a string");
    return take({text, length});
  }

  bool Key(const char* text, rapidjson::SizeType length, bool) {
    if (depth_ > 1)
      return true;
    const std::string_view name{text, length};
    field_ = static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
    if (field_ == field_count)
      return complain("\"" + with_replaced_invalid_utf8(name) + "\" is no field of an event");
    if (seen_.test(field_))
      return complain(std::string{name} + " is there twice");
    seen_.set(field_);
    return true;
  }

  bool StartObject() {
    if (depth_ == 1) {
      if (field_ != data_field)
        return unfit("an object");
      data_begin_ = in_.Tell() - 1;
    }
    return ++depth_ <= max_json_depth ||
           complain("nested more than " + std::to_string(max_json_depth) + " deep");
  }

  bool EndObject(rapidjson::SizeType) {
    if (--depth_ == 1)
      event.data_json = text_.substr(data_begin_, in_.Tell() - data_begin_);
    return true;
  }

  bool StartArray() {
    if (depth_ < 2)
      return unfit("an array");
    return ++depth_ <= max_json_depth ||
           complain("nested more than " + std::to_string(max_json_depth) + " deep");
  }

  bool EndArray(rapidjson::SizeType) {
    --depth_;
    return true;
  }

  /// After the end: the first required field that is absent.
  [[nodiscard]] std::optional<std::string> missing() const {
    for (const auto required : {connector_field, event_field, occurred_at_field, data_field})
      if (!seen_.test(required))
        return std::string{names.at(required)} + " is missing";
    return std::nullopt;
  }

private:
  bool complain(std::string what) {
    complaint = std::move(what);
    return false;
  }

  bool unfit(const std::string& given) {
    if (depth_ == 0)
      return complain("an event must be a JSON object, not " + given);
    return complain(std::string{names.at(field_)} + " must be " +
                    (field_ == data_field ? "an object" : "a string") + ", not " + given);
  }

  bool take(std::string_view text) {
    switch (field_) {
    case connector_field:
      event.connector.value = text;
      return true;
    case event_field:
      event.event = text;
      return true;
    case occurred_at_field:
      return take_time(text);
    case message_field:
      event.message = text;
      return true;
    case workflow_field:
      event.workflow = text;
      return true;
    case run_field:
      event.run = text;
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

  const rapidjson::MemoryStream& in_;
  std::string_view text_;
  std::size_t depth_ = 0;
  std::size_t field_ = field_count;
  std::size_t data_begin_ = 0;
  std::bitset<field_count> seen_;
};

} // namespace

std::variant<send_to_connector, std::string> event_from_json(std::string_view line) {
  constexpr unsigned flags = rapidjson::kParseValidateEncodingFlag | rapidjson::kParseNumbersAsStringsFlag;
  rapidjson::MemoryStream in{line.data(), line.size()};
  event_reader reader{in, line};
  rapidjson::Reader json;
  const auto parsed = json.Parse<flags>(in, reader);
  if (!reader.complaint.empty())
    return reader.complaint + " (at byte " + std::to_string(parsed.Offset()) + ")";
  if (parsed.IsError())
    return "not valid JSON at byte " + std::to_string(parsed.Offset()) + ": " +
           rapidjson::GetParseError_En(parsed.Code());
  if (in.Tell() != line.size())
    return "not valid JSON at byte " + std::to_string(in.Tell()) + ": a zero byte follows the object";
  if (auto missing = reader.missing())
    return *std::move(missing);
  return std::move(reader.event);
}

} // namespace vicket
