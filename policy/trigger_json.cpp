#include "policy/trigger_json.hpp"

#include "policy/json_text.hpp"
#include "policy/json_writer.hpp"

namespace vicket {

namespace {

void put_refusal(json_writer& out, const refusal& why) {
  put_text(out, "error", to_string(why.code));
  put_text(out, "detail", why.detail);
}

std::string text_of(const rapidjson::StringBuffer& buffer) {
  return {buffer.GetString(), buffer.GetSize()};
}

} // namespace

std::string trigger_answer_to_json(const trigger_answer& value) {
  rapidjson::StringBuffer buffer;
  json_writer out{buffer};
  out.StartObject();
  if (const auto* why = std::get_if<refusal>(&value)) {
    put_refusal(out, *why);
    out.EndObject();
    return text_of(buffer);
  }
  const auto& result = std::get<trigger_result>(value);
  put_text(out, "id", result.id.to_string());
  put_key(out, "events");
  out.StartArray();
  for (const auto& one : result.events) {
    out.StartObject();
    put_text(out, "connector", one.connector.value);
    put_text(out, "rule", one.rule.value);
    put_key(out, "action");
    out.Uint(one.action);
    if (const auto* good = std::get_if<accepted>(&one.result)) {
      put_text(out, "id", good->id.to_string());
      put_key(out, "duplicate");
      out.Bool(good->duplicate);
    } else {
      put_refusal(out, std::get<refusal>(one.result));
    }
    out.EndObject();
  }
  out.EndArray();
  out.EndObject();
  return text_of(buffer);
}

std::string tried_rule_to_json(const tried_rule& value) {
  rapidjson::StringBuffer buffer;
  json_writer out{buffer};
  out.StartObject();
  put_text(out, "rule", value.rule.value);
  put_key(out, "matches");
  out.Bool(value.matches);
  if (value.matches) {
    put_key(out, "actions");
    out.StartArray();
    for (const auto& one : value.actions) {
      out.StartObject();
      put_text(out, "connector", one.connector.value);
      put_text(out, "id", one.id.to_string());
      if (const auto* envelope = std::get_if<std::string>(&one.envelope)) {
        put_key(out, "envelope");
        out.RawValue(envelope->data(), envelope->size(), rapidjson::kObjectType);
        put_text(out, "body",
                 *envelope); // whoever shows this may write the object's characters in another way
      } else {
        put_refusal(out, std::get<refusal>(one.envelope));
      }
      out.EndObject();
    }
    out.EndArray();
  } else {
    put_key(out, "why_not");
    out.StartArray();
    for (const auto& one : value.why_not)
      put_text(out, one);
    out.EndArray();
  }
  out.EndObject();
  return text_of(buffer);
}

} // namespace vicket
