// What the receivers saw: bodies, connectors and signatures.
#include "tests/crash/event_trace.hpp"

#include <rapidjson/document.h>

#include <array>
#include <cstdio>
#include <ctime>

namespace vicket::crash {

namespace {

/// The signature's time is that of the attempt; a request may be read late by a receiver that was stopped.
constexpr std::int64_t signed_before_arrival_s = 15;

std::string rfc3339_of(timestamp_ms time) {
  const auto seconds = static_cast<std::time_t>(time.value / 1'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                static_cast<int>(time.value % 1'000));
  return text.data();
}

bool is_text(const rapidjson::Value& value, const std::string& expected) {
  return value.IsString() && std::string{value.GetString(), value.GetStringLength()} == expected;
}

bool data_matches(const rapidjson::Value& data, const send_to_connector& sent) {
  rapidjson::Document expected;
  expected.Parse(sent.data_json.data(), sent.data_json.size());
  if (expected.HasParseError() || !expected.IsObject())
    return false;
  if (sent.message)
    expected.AddMember("message", rapidjson::Value{*sent.message, expected.GetAllocator()},
                       expected.GetAllocator());
  return data == expected;
}

/// What is wrong with a body; empty: nothing.
std::string body_complaint(const event_trace& trace, const std::string& body) {
  constexpr std::array<const char*, 4> fields{"id", "event", "occurred_at", "data"};
  rapidjson::Document document;
  document.Parse<rapidjson::kParseValidateEncodingFlag>(body.data(), body.size());
  if (document.HasParseError() || !document.IsObject())
    return "it is not a JSON object";
  if (document.MemberCount() != fields.size())
    return "it has another number of fields";
  std::size_t at = 0;
  for (const auto& member : document.GetObject())
    if (std::string{member.name.GetString()} != fields[at++])
      return std::string{"field "} + std::to_string(at) + " is not '" + fields[at - 1] + "'";
  if (!is_text(document["id"], trace.id))
    return "the id is another one than the header's";
  if (!is_text(document["event"], trace.sent.event))
    return "the event is another one";
  if (!is_text(document["occurred_at"], rfc3339_of(trace.sent.occurred_at)))
    return "occurred_at is another one than " + rfc3339_of(trace.sent.occurred_at);
  if (!data_matches(document["data"], trace.sent))
    return "the data is not what was sent";
  return {};
}

void check_head(const event_trace& trace, const request_record& one, const run_facts& facts) {
  if (one.connector != trace.sent.connector.value)
    facts.complain(trace, "the connector matches",
                   "sent to '" + trace.sent.connector.value + "', arrived at '" + one.connector + "'");
  if (!one.vicket_signature_good)
    facts.complain(trace, "every request carries a good X-Vicket-Signature", "it is wrong or missing");
  if (!one.standard_signature_good)
    facts.complain(trace, "every request carries a good webhook-signature", "it is wrong or missing");
  if (!one.head_good)
    facts.complain(trace, "every request carries the documented headers", "one is wrong or missing");
  const auto age_s = one.arrived_at.value / 1'000 - one.signed_at_s;
  if (age_s < 0 || age_s > signed_before_arrival_s)
    facts.complain(trace, "t is the time of the attempt",
                   "it is " + std::to_string(age_s) + " s before the arrival");
}

} // namespace

void check_request_contents(const event_trace& trace, const run_facts& facts) {
  facts.counted->requests += trace.requests.size();
  if (!trace.requests.empty() && !trace.history && trace.history_asked)
    facts.complain(trace, "nothing is delivered that is not kept",
                   "delivered, but the node does not know it");
  if (!trace.requests.empty())
    if (const auto complaint = body_complaint(trace, trace.body); !complaint.empty())
      facts.complain(trace, "the body is what was sent", complaint);
  for (const auto& one : trace.requests) {
    check_head(trace, one, facts);
    if (one.body_sha256 != trace.requests.front().body_sha256)
      facts.complain(trace, "the same bytes on every attempt", "the body changed between two requests");
  }
}

} // namespace vicket::crash
