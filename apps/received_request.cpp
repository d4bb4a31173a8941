#include "apps/received_request.hpp"

#include "policy/json_reader.hpp"
#include "policy/utf8.hpp"

#include <cstddef>

namespace vicket {

namespace {

using check = received_request::check;

constexpr std::size_t max_depth = 200; // more than an envelope has

check check_of(bool there, bool valid) {
  if (!there)
    return check::missing;
  return valid ? check::valid : check::invalid;
}

/// Takes the envelope's id and event. RapidJSON would not do: it refuses numbers that no double holds.
class envelope_reader {
public:
  explicit envelope_reader(received_request& request) : request_{request} {}

  bool literal(std::string_view) { return true; }
  bool number(std::string_view) { return true; }
  bool string(const json_string& text) {
    if (depth_ == 1 && key_ == "id")
      request_.id = text.text();
    else if (depth_ == 1 && key_ == "event")
      request_.event = text.text();
    return true;
  }
  bool key(const json_string& name) {
    if (depth_ == 1)
      key_ = name.text();
    return true;
  }
  bool begin_object(std::size_t) {
    ++depth_;
    return true;
  }
  bool end_object(std::size_t) { return --depth_, true; }
  bool begin_array(std::size_t at) {
    if (depth_ == 0)
      return false; // no envelope
    return begin_object(at);
  }
  bool end_array(std::size_t at) { return end_object(at); }

private:
  received_request& request_;
  std::size_t depth_ = 0;
  std::string key_;
};

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
  envelope_reader reader{request};
  if (first_invalid_utf8(body) ||
      json_reader{std::string_view{body}, max_depth, reader}.read().why != json_stop::reason::complete)
    request.id = request.event = {};
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
