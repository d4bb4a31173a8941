#include "policy/base64.hpp"
#include "policy/json_text.hpp"
#include "policy/json_writer.hpp"

#include <cstdint>
#include <utility>

namespace vicket {

namespace {

/// Microseconds as milliseconds, exactly: 12400 is 12.4. A double would write 0.1 + 0.2 its own way.
void put_ms(json_writer& out, std::string_view key, std::int64_t us) {
  const bool negative = us < 0;
  const auto magnitude = negative ? 0 - static_cast<std::uint64_t>(us) : static_cast<std::uint64_t>(us);
  auto text = (negative ? "-" : "") + std::to_string(magnitude / 1'000);
  if (const auto rest = magnitude % 1'000; rest != 0) {
    const auto digits = std::to_string(1'000 + rest); // its last three keep their zeros
    text += "." + digits.substr(1, digits.find_last_not_of('0'));
  }
  put_key(out, key);
  out.RawValue(text.data(), text.size(), rapidjson::kNumberType);
}

void put_phases(json_writer& out, const phase_timings& phases) {
  put_key(out, "phases_ms");
  out.StartObject();
  if (phases.dns_us)
    put_ms(out, "dns", *phases.dns_us);
  if (phases.connect_us)
    put_ms(out, "connect", *phases.connect_us);
  if (phases.tls_us)
    put_ms(out, "tls", *phases.tls_us);
  if (phases.first_byte_us)
    put_ms(out, "first_byte", *phases.first_byte_us);
  out.EndObject();
}

void put_body(json_writer& out, const attempt& value) {
  put_key(out, "response_body");
  if (first_invalid_utf8(value.response_body)) {
    out.Null();
    put_text(out, "response_body_base64", base64_encode(value.response_body));
  } else {
    put_text(out, value.response_body);
  }
  put_key(out, "response_body_bytes");
  out.Uint64(value.response_body_bytes);
  put_key(out, "response_truncated");
  out.Bool(value.response_truncated);
}

void put_headers(json_writer& out, const attempt& value) {
  if (value.response_headers.empty())
    return;
  put_key(out, "response_headers");
  out.StartArray();
  for (const auto& field : value.response_headers) {
    out.StartArray();
    put_text(out, field.name);
    put_text(out, field.value);
    out.EndArray();
  }
  out.EndArray();
  if (value.response_headers_truncated) {
    put_key(out, "response_headers_truncated");
    out.Bool(true);
  }
}

void put_hint(json_writer& out, const retry_hint& hint) {
  put_key(out, "retry_after");
  out.StartObject();
  put_text(out, "heard", hint.heard);
  put_time(out, "not_before", hint.not_before);
  put_time(out, "held_until", hint.held_until);
  out.EndObject();
}

void put_attempt(json_writer& out, const attempt& value) {
  out.StartObject();
  put_key(out, "number");
  out.Uint(value.number);
  put_time(out, "started_at", value.started_at);
  put_ms(out, "duration_ms", value.duration_us);
  put_phases(out, value.phases);
  put_text(out, "outcome", to_string(value.result));
  put_key(out, "status");
  if (value.status)
    out.Uint(*value.status);
  else
    out.Null();
  put_key(out, "error");
  if (value.error.empty())
    out.Null();
  else
    put_text(out, value.error);
  put_headers(out, value);
  put_body(out, value);
  if (value.retry_after)
    put_hint(out, *value.retry_after);
  put_time(out, "next_attempt_at", value.next_attempt_at);
  out.EndObject();
}

void put_summary(json_writer& out, const event_summary& summary) {
  put_text(out, "id", summary.id.to_string());
  put_text(out, "connector", summary.connector.value);
  put_text(out, "event", summary.event);
  put_text(out, "workflow", summary.workflow);
  put_text(out, "run", summary.run);
  put_text(out, "state", to_string(summary.state));
  put_time(out, "accepted_at", summary.accepted_at);
  put_time(out, "next_attempt_at", summary.next_attempt_at);
}

} // namespace

std::string event_history_to_json(const event_history& history) {
  event_history_pieces pieces;
  auto text = pieces.begin(history.summary);
  for (const auto& value : history.attempts)
    text += pieces.attempt(value);
  text += pieces.end(history.attempts_dropped);
  if (history.continues)
    text.replace(text.size() - 1, 1, R"(,"continues":true})");
  if (history.goes_on)
    text.replace(text.size() - 1, 1, R"(,"goes_on":true})");
  return text;
}

std::string event_history_pieces::begin(const event_summary& summary) {
  first_ = true;
  rapidjson::StringBuffer buffer;
  json_writer out{buffer};
  out.StartObject();
  put_summary(out, summary);
  put_key(out, "attempts");
  out.StartArray();
  return {buffer.GetString(), buffer.GetSize()};
}

std::string event_history_pieces::attempt(const vicket::attempt& value) {
  rapidjson::StringBuffer buffer;
  json_writer out{buffer};
  put_attempt(out, value);
  return (std::exchange(first_, false) ? "" : ",") + std::string{buffer.GetString(), buffer.GetSize()};
}

std::string event_history_pieces::end(std::uint32_t attempts_dropped) const {
  return attempts_dropped == 0 ? "]}" : R"(],"attempts_dropped":)" + std::to_string(attempts_dropped) + "}";
}

std::string event_history_pieces::break_off() const {
  return R"(],"incomplete":true})";
}

std::string outcome_entry_to_json(const outcome_entry& entry) {
  rapidjson::StringBuffer buffer;
  json_writer out{buffer};
  out.StartObject();
  put_text(out, "cursor", entry.cursor);
  put_summary(out, entry.summary);
  put_key(out, "attempt");
  put_attempt(out, entry.value);
  out.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

std::string feed_gap_to_json(const std::string& cursor) {
  rapidjson::StringBuffer buffer;
  json_writer out{buffer};
  out.StartObject();
  put_key(out, "gap");
  out.Bool(true);
  put_text(out, "cursor", cursor);
  out.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

} // namespace vicket
