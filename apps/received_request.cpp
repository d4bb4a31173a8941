#include "apps/received_request.hpp"

#include <rapidjson/document.h>

namespace vicket {

namespace {

using check = received_request::check;

check check_of(bool there, bool valid) {
  if (!there)
    return check::missing;
  return valid ? check::valid : check::invalid;
}

std::string text_field(const rapidjson::Document& document, const char* name) {
  const auto field = document.FindMember(name);
  if (field == document.MemberEnd() || !field->value.IsString())
    return {};
  return {field->value.GetString(), field->value.GetStringLength()};
}

} // namespace

received_request examine_request(const signing_key& key, std::string path, std::string body,
                                 const header_lookup& header, timestamp_ms now) {
  received_request request;
  const auto now_seconds = now.value / 1'000;
  const auto ours = header("X-Vicket-Signature");
  request.signature = check_of(!ours.empty(), verify_vicket_signature(key, ours, body, now_seconds));
  const auto theirs = header("webhook-signature");
  request.standard_webhooks =
      check_of(!theirs.empty(),
               verify_standard_webhooks_signature(key, header("webhook-id"), header("webhook-timestamp"),
                                                  theirs, body, now_seconds));
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(body.data(),
                                                                                         body.size());
  if (!document.HasParseError() && document.IsObject()) {
    request.id = text_field(document, "id");
    request.event = text_field(document, "event");
  }
  request.path = std::move(path);
  request.body = std::move(body);
  return request;
}

std::string_view to_string(check value) {
  switch (value) {
  case check::valid:
    return "valid";
  case check::invalid:
    return "invalid";
  case check::missing:
    break;
  }
  return "missing";
}

} // namespace vicket
