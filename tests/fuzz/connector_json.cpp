// A file of `vicket connector put`: what was read, shown and read again is the same connector, and one that nothing is
// wrong with can be stored and used.

#include "tests/fuzz/fuzz_target.hpp"

#include "policy/connector_config.hpp"
#include "policy/connector_secrets.hpp"
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
  static const secret_box box{secret_bytes{std::string(secret_box::key_bytes, 'k')}};
  auto sealed = value;
  seal_secrets(sealed, box);
  if (keep_secrets(sealed, nullptr)) // it is to keep what there is not
    return;
  EXPECT_THAT_IT_HOLDS(secrets_are_sealed(sealed));
  const auto stored = codec::decode_connector(value.id, codec::encode(sealed));
  EXPECT_THAT_IT_HOLDS(stored && *stored == sealed);
  const auto opened = open_secrets(*stored, box);
  EXPECT_THAT_IT_HOLDS(opened && opened->headers.size() == value.secret_headers.size());
  EXPECT_THAT_IT_HOLDS(opened->secret.view() == value.secret.value);
  EXPECT_THAT_IT_HOLDS(std::holds_alternative<endpoint_url>(parse_stored_endpoint_url(value.url)));
}
