// A line of `vicket send`, and the envelope that is made of it: what is accepted is JSON that means the same.

#include "tests/fuzz/fuzz_target.hpp"

#include "policy/envelope.hpp"
#include "policy/json_text.hpp"
#include "policy/utf8.hpp"

#include <rapidjson/document.h>

namespace {

using namespace vicket;

constexpr std::size_t max_envelope_bytes = 64 * 1024;

} // namespace

VICKET_FUZZ_TARGET(event_json) {
  const auto read = event_from_json(input);
  if (const auto* complaint = std::get_if<std::string>(&read)) {
    EXPECT_THAT_IT_HOLDS(!complaint->empty());
    return;
  }
  const auto& event = std::get<send_to_connector>(read);
  const auto id = event_id{};
  const auto composed = compose_envelope(event, id, max_envelope_bytes);
  if (const auto* reason = std::get_if<refusal>(&composed)) {
    EXPECT_THAT_IT_HOLDS(!reason->detail.empty());
    return;
  }
  const auto& envelope = std::get<std::string>(composed);
  EXPECT_THAT_IT_HOLDS(envelope.size() <= max_envelope_bytes);
  EXPECT_THAT_IT_HOLDS(envelope.size() <= most_envelope_bytes(event, max_envelope_bytes));
  EXPECT_THAT_IT_HOLDS(with_replaced_invalid_utf8(envelope) == envelope);
  rapidjson::Document parsed;
  parsed.Parse<rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseValidateEncodingFlag |
               rapidjson::kParseIterativeFlag>(envelope.data(), envelope.size());
  if (parsed.GetParseError() == rapidjson::kParseErrorNumberTooBig)
    return; // a number beyond a double's range is one all the same (RFC 8259 section 6), but not to this parser
  EXPECT_THAT_IT_HOLDS(!parsed.HasParseError());
  EXPECT_THAT_IT_HOLDS(parsed.IsObject() && parsed.MemberCount() == 4);
  EXPECT_THAT_IT_HOLDS(parsed["event"].GetString() == event.event ||
                       event.event.find('\0') != std::string::npos);
  EXPECT_THAT_IT_HOLDS(parsed["data"].IsObject());
  if (event.message) {
    const auto message = parsed["data"].FindMember("message");
    EXPECT_THAT_IT_HOLDS(message != parsed["data"].MemberEnd() && message->value.IsString());
    EXPECT_THAT_IT_HOLDS(std::string(message->value.GetString(), message->value.GetStringLength()) ==
                         *event.message);
  }
  // its own data, given again, makes the same bytes
  auto again = event;
  again.message.reset();
  const auto data = envelope.find("\"data\":");
  again.data_json = envelope.substr(data + 7, envelope.size() - data - 8);
  const auto twice = compose_envelope(again, id, max_envelope_bytes);
  EXPECT_THAT_IT_HOLDS(std::holds_alternative<std::string>(twice));
  EXPECT_THAT_IT_HOLDS(std::get<std::string>(twice) == envelope);
}
