// A file of `vicket connector put`: what was read, shown and read again is the same connector, and one that nothing is
// wrong with can be stored and used.

#include "tests/fuzz/fuzz_target.hpp"

#include "policy/connector_config.hpp"
#include "policy/endpoint_url.hpp"
#include "policy/json_text.hpp"
#include "storage/key_codec.hpp"

using namespace vicket;

VICKET_FUZZ_TARGET(connector_json) {
  auto read = connector_from_json(input);
  if (const auto* complaint = std::get_if<std::string>(&read)) {
    EXPECT_THAT_IT_HOLDS(!complaint->empty());
    return;
  }
  auto& value = std::get<connector>(read);
  if (connector_complaint(value, connector_rules{}))
    return;
  const auto shown = connector_to_json(value, true);
  const auto again = connector_from_json(shown);
  EXPECT_THAT_IT_HOLDS(std::holds_alternative<connector>(again));
  EXPECT_THAT_IT_HOLDS(std::get<connector>(again) == value);
  const auto stored = codec::decode_connector(value.id, codec::encode(value));
  EXPECT_THAT_IT_HOLDS(stored && *stored == value);
  EXPECT_THAT_IT_HOLDS(std::holds_alternative<endpoint_url>(parse_stored_endpoint_url(value.url)));
}
