#include "policy/envelope.hpp"

#include "policy/json_reader.hpp"
#include "policy/json_strings.hpp"
#include "policy/rfc3339.hpp"
#include "policy/text_form.hpp"
#include "policy/utf8.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>

namespace vicket {

namespace {

constexpr std::size_t frame_bytes = 120; // the names, the id and the time, of an envelope
constexpr std::string_view before_id = R"({"id":")";
constexpr std::string_view message_name = R"("message":)";
constexpr std::string_view data_name = R"(","data":)"; // behind the time

/// Writes data compactly while it is read. Every event answers whether to go on; `stopped_for` says why not.
class data_writer {
public:
  enum class stop { none, not_an_object, too_long };

  data_writer(std::string& out, std::size_t max_bytes, const std::optional<std::string>& message)
      : out_{out}, max_bytes_{max_bytes}, message_{message} {}

  [[nodiscard]] stop stopped_for() const { return stopped_for_; }

  bool literal(std::string_view text) { return scalar(text); }
  bool number(std::string_view text) { return scalar(text); }

  bool string(const json_string& text) {
    if (depth_ == 0)
      return end(stop::not_an_object);
    if (skipping())
      return skipped_scalar();
    separate();
    return write_string(text);
  }

  bool key(const json_string& name) {
    if (skipping())
      return true;
    if (depth_ == 1 && message_ && (name.escaped ? name.text() == "message" : name.raw == "message")) {
      skip_from_ = depth_;
      return message_written_ || write_message();
    }
    separate();
    const bool good = write_string(name);
    out_ += ':';
    return good;
  }

  bool begin_object(std::size_t) { return start('{'); }
  bool end_object(std::size_t) {
    if (depth_ == 1 && message_ && !message_written_ && !write_message())
      return false;
    return finish('}');
  }
  bool begin_array(std::size_t) { return depth_ == 0 ? end(stop::not_an_object) : start('['); }
  bool end_array(std::size_t) { return finish(']'); }

private:
  bool end(stop reason) {
    stopped_for_ = reason;
    return false;
  }

  bool in_bounds() { return out_.size() <= max_bytes_ || end(stop::too_long); }

  /// The value of a `message` that the action's has replaced: read, checked, not written.
  [[nodiscard]] bool skipping() const { return skip_from_ != 0; }

  bool skipped_scalar() {
    if (depth_ == skip_from_)
      skip_from_ = 0;
    return true;
  }

  void separate() {
    const char last = out_.back();
    if (last != '{' && last != '[' && last != ':')
      out_ += ',';
  }

  /// With no more escapes than JSON asks for.
  bool write_string(const json_string& text) {
    append_json_string(out_, text);
    return in_bounds();
  }

  bool write_message() {
    message_written_ = true;
    separate();
    out_ += message_name;
    append_json_string(out_, *message_);
    return in_bounds();
  }

  bool scalar(std::string_view text) {
    if (depth_ == 0)
      return end(stop::not_an_object);
    if (skipping())
      return skipped_scalar();
    separate();
    out_ += text;
    return in_bounds();
  }

  bool start(char bracket) {
    ++depth_;
    if (skipping())
      return true;
    separate();
    out_ += bracket;
    return in_bounds();
  }

  bool finish(char bracket) {
    --depth_;
    if (skipping())
      return skipped_scalar();
    out_ += bracket;
    return in_bounds();
  }

  std::string& out_;
  std::size_t max_bytes_;
  const std::optional<std::string>& message_;
  std::size_t depth_ = 0;
  std::size_t skip_from_ = 0; ///< not 0: nothing is written until a value at this depth ends
  bool message_written_ = false;
  stop stopped_for_ = stop::none;
};

/// Finds the member `data` of an object.
class data_finder {
public:
  std::optional<std::size_t> begin;
  std::size_t end = 0;

  [[nodiscard]] bool literal(std::string_view) const { return depth_ > 0; }
  [[nodiscard]] bool number(std::string_view) const { return depth_ > 0; }
  [[nodiscard]] bool string(const json_string&) const { return depth_ > 0; }
  bool key(const json_string& name) {
    is_data_ = depth_ == 1 && name.raw == "data";
    return true;
  }
  bool begin_object(std::size_t at) {
    if (depth_++ == 1 && is_data_)
      begin = at;
    return true;
  }
  bool end_object(std::size_t at) {
    if (--depth_ == 1 && begin && end == 0)
      end = at + 1;
    return true;
  }
  bool begin_array(std::size_t) { return depth_++ > 0; }
  bool end_array(std::size_t) {
    --depth_;
    return true;
  }

private:
  std::size_t depth_ = 0;
  bool is_data_ = false;
};

refusal invalid(std::string detail) {
  return {errc::invalid_event, std::move(detail)};
}

refusal too_large(const send_to_connector& event, std::size_t max_envelope_bytes) {
  return {errc::too_large,
          "the event is too long: its envelope may have " + std::to_string(max_envelope_bytes) +
              " bytes, its data as it is written " + std::to_string(max_data_expansion) +
              " times that (data as it was sent: " + std::to_string(event.data_json.size()) +
              " bytes, message: " + std::to_string(event.message ? event.message->size() : 0) + " bytes)"};
}

std::optional<refusal> text_complaint(std::string_view field, std::string_view text, std::size_t max_bytes) {
  if (text.size() > max_bytes)
    return invalid(std::string{field} + " has " + std::to_string(text.size()) + " bytes; at most " +
                   std::to_string(max_bytes) + " are allowed");
  if (const auto at = first_invalid_utf8(text))
    return invalid(std::string{field} + " is not UTF-8 at byte " + std::to_string(*at));
  return std::nullopt;
}

std::optional<refusal> event_name_complaint(std::string_view name) {
  if (name.empty())
    return invalid("event is empty; 1 to 256 bytes are needed");
  if (auto wrong = text_complaint("event", name, max_event_name_bytes))
    return wrong;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto byte = static_cast<unsigned char>(name[i]);
    const bool c1 = byte == 0xc2 && static_cast<unsigned char>(name[i + 1]) < 0xa0; // U+0080 to U+009F
    if (byte < 0x20 || byte == 0x7f || c1)
      return invalid("event has a control character at byte " + std::to_string(i));
  }
  return std::nullopt;
}

std::optional<refusal> field_complaint(const send_to_connector& event) {
  if (auto wrong = event_name_complaint(event.event))
    return wrong;
  if (auto wrong = text_complaint("workflow", event.workflow, max_workflow_bytes))
    return wrong;
  if (auto wrong = text_complaint("run", event.run, max_workflow_bytes))
    return wrong;
  if (event.occurred_at < min_rfc3339 || event.occurred_at > max_rfc3339)
    return invalid("occurred_at is outside the years 0001 to 9999: " +
                   std::to_string(event.occurred_at.value) + " ms since 1970");
  if (const auto at = event.message ? first_invalid_utf8(*event.message) : std::nullopt)
    return invalid("message is not UTF-8 at byte " + std::to_string(*at));
  return std::nullopt;
}

/// Why reading data stopped at byte `at`.
refusal data_refusal(const send_to_connector& event, std::size_t max_envelope_bytes, data_writer::stop reason,
                     const json_stop& stopped, std::size_t at) {
  const auto where = " at byte " + std::to_string(at);
  if (stopped.why == json_stop::reason::too_deep)
    return invalid(too_deep_complaint() + where);
  if (stopped.why == json_stop::reason::syntax)
    return invalid("data is not valid JSON" + where + ": " + std::string{stopped.what});
  return reason == data_writer::stop::too_long ? too_large(event, max_envelope_bytes)
                                               : invalid("data is not a JSON object");
}

std::optional<refusal> append_data(std::string& out, const send_to_connector& event,
                                   std::size_t max_envelope_bytes) {
  const auto form = utf8_text(event.data_json);
  if (const auto* other = std::get_if<std::string>(&form))
    return invalid("data is not valid JSON: " + *other);
  const auto text = std::get<std::string_view>(form);
  const auto skipped = event.data_json.size() - text.size();
  if (const auto at = first_invalid_utf8(text))
    return invalid("data is not valid JSON at byte " + std::to_string(skipped + *at) +
                   ": it is not UTF-8 there");
  data_writer writer{out, max_envelope_bytes, event.message};
  const auto stopped = json_reader{text, max_data_depth, writer}.read();
  if (stopped.why != json_stop::reason::complete)
    return data_refusal(event, max_envelope_bytes, writer.stopped_for(), stopped, skipped + stopped.at);
  return std::nullopt;
}

std::optional<refusal> size_or_field_complaint(const send_to_connector& event,
                                               std::size_t max_envelope_bytes) {
  if (auto wrong = field_complaint(event))
    return wrong;
  const auto message_bytes = event.message ? event.message->size() : 0;
  if (event.data_json.size() > max_data_expansion * max_envelope_bytes || message_bytes > max_envelope_bytes)
    return too_large(event, max_envelope_bytes);
  return std::nullopt;
}

/// As far as data.
std::string begun_envelope(const send_to_connector& event, const event_id& id,
                           std::size_t max_envelope_bytes) {
  const auto message_bytes = event.message ? event.message->size() : 0;
  std::string out;
  out.reserve(std::min(frame_bytes + event.event.size() + event.data_json.size() + message_bytes,
                       max_envelope_bytes + frame_bytes));
  out += before_id;
  const auto id_text = id.to_chars();
  out.append(id_text.data(), id_text.size());
  out += R"(","event":")";
  append_json_characters(out, event.event);
  out += R"(","occurred_at":")";
  append_rfc3339(out, event.occurred_at);
  out += data_name;
  return out;
}

} // namespace

std::string too_deep_complaint() {
  return "data is nested more than " + std::to_string(max_data_depth) + " deep";
}

std::variant<std::string, refusal> compose_envelope(const send_to_connector& event, const event_id& id,
                                                    std::size_t max_envelope_bytes) {
  if (auto wrong = size_or_field_complaint(event, max_envelope_bytes))
    return *std::move(wrong);
  auto out = begun_envelope(event, id, max_envelope_bytes);
  if (auto wrong = append_data(out, event, max_envelope_bytes))
    return *std::move(wrong);
  out += '}';
  if (out.size() > max_envelope_bytes)
    return too_large(event, max_envelope_bytes);
  return out;
}

std::optional<std::string> envelope_under_id(std::string_view own_envelope, const event_id& id,
                                             const std::string* message, std::size_t max_envelope_bytes) {
  std::string out;
  if (message == nullptr) {
    out = own_envelope;
  } else {
    if (message->size() > max_envelope_bytes || first_invalid_utf8(*message) ||
        ::memmem(own_envelope.data(), own_envelope.size(), message_name.data(), message_name.size()) !=
            nullptr)
      return std::nullopt;
    constexpr std::string_view end = "}}"; // of data, and of all of it
    out.reserve(own_envelope.size() + message_name.size() + message->size() + 8);
    out = own_envelope.substr(0, own_envelope.size() - end.size());
    if (out.back() != '{')
      out += ',';
    out += message_name;
    append_json_string(out, *message);
    out += end;
  }
  if (out.size() > max_envelope_bytes)
    return std::nullopt;
  const auto id_text = id.to_chars();
  out.replace(before_id.size(), id_text.size(), id_text.data(), id_text.size());
  return out;
}

std::string_view data_in_own_envelope(std::string_view envelope) {
  // The first of its kind: in the name of the event a quote has a backslash before it.
  const auto before = envelope.find(data_name);
  return envelope.substr(before + data_name.size(), envelope.size() - before - data_name.size() - 1);
}

std::optional<std::string_view> data_in_envelope(std::string_view envelope) {
  data_finder found;
  const auto stopped = json_reader{envelope, max_data_depth + 1, found}.read();
  if (stopped.why != json_stop::reason::complete || !found.begin)
    return std::nullopt;
  return envelope.substr(*found.begin, found.end - *found.begin);
}

std::size_t most_envelope_bytes(const send_to_connector& event, std::size_t max_envelope_bytes) {
  auto most =
      frame_bytes + 2 * event.event.size() + event.data_json.size(); // quotes and backslashes in its name
  if (event.message)
    most += most_message_bytes(*event.message);
  return std::min(most, max_envelope_bytes);
}

std::size_t most_message_bytes(std::string_view message) {
  constexpr std::size_t frame = 13;        // ,"message":""
  constexpr std::size_t most_per_byte = 6; // a control character as \u00XX
  return frame + most_per_byte * message.size();
}

bool looks_like_envelope(std::string_view text, const event_id& id) {
  constexpr std::string_view after_id = "\",\"event\":\"";
  constexpr std::string_view end = "}}";
  if (!text.starts_with(before_id) || !text.ends_with(end))
    return false;
  auto rest = text.substr(before_id.size());
  const auto named = id.to_string();
  if (!rest.starts_with(named) || !rest.substr(named.size()).starts_with(after_id))
    return false;
  std::uint8_t least = 0xff; // of bytes, so that a compiler takes the least of many of them at once
  for (const auto c : text)
    least = std::min(least, static_cast<std::uint8_t>(c));
  return least >= 0x20;
}

} // namespace vicket
