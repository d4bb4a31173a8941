// Keys and records of a partition, as a disk may have changed them: each is read or refused, and what is read is written
// again and read as the same. The first byte says of what kind it is.

#include "tests/fuzz/fuzz_target.hpp"

#include "policy/connector_state.hpp"
#include "policy/feed_lineage.hpp"
#include "storage/key_codec.hpp"

using namespace vicket;

namespace {

void read_event(std::string_view bytes) {
  for (const auto with_envelope : {false, true})
    static_cast<void>(codec::decode_event(7, bytes, with_envelope));
  const auto value = codec::decode_event(7, bytes, true);
  const auto at = codec::decode_accepted_at(bytes);
  if (!value)
    return;
  EXPECT_THAT_IT_HOLDS(at && *at == value->accepted_at);
  const auto again = codec::decode_event(7, codec::encode_head(*value) + *value->envelope, true);
  EXPECT_THAT_IT_HOLDS(again && again->id == value->id && again->connector == value->connector &&
                       again->event == value->event && again->workflow == value->workflow &&
                       again->run == value->run && again->accepted_at == value->accepted_at &&
                       *again->envelope == *value->envelope);
}

void read_attempt(std::string_view bytes) {
  static_cast<void>(codec::decode_ended_at(bytes));
  const auto value = codec::decode_attempt(8, bytes);
  if (!value)
    return;
  const auto again = codec::decode_attempt(8, codec::encode_head(*value) + value->value.response_body);
  EXPECT_THAT_IT_HOLDS(
      again && again->value == value->value && again->event_sequence == value->event_sequence &&
      again->state_after == value->state_after && again->same_body_as == value->same_body_as);
}

template <class Decode>
void read_small(std::string_view bytes, Decode decode) {
  if (const auto value = decode(bytes)) {
    const auto again = decode(codec::encode(*value));
    EXPECT_THAT_IT_HOLDS(again && *again == *value);
  }
}

void read_keys(std::string_view bytes) {
  static_cast<void>(codec::parse_u64(bytes));
  static_cast<void>(codec::parse_i64(bytes));
  if (const auto key = codec::parse_due_key(bytes))
    EXPECT_THAT_IT_HOLDS(codec::encode_due_key(key->connector, key->position) == bytes);
  static_cast<void>(codec::decode_id_entry(bytes));
  static_cast<void>(codec::parse_event_attempt_key(bytes));
  if (const auto key = codec::parse_late_key(bytes))
    EXPECT_THAT_IT_HOLDS(codec::encode_late_key(*key) == bytes);
  static_cast<void>(codec::decode_format(bytes));
  if (const auto piece = codec::decode_carried(bytes))
    EXPECT_THAT_IT_HOLDS(codec::encode_carried(*piece) == bytes);
}

} // namespace

VICKET_FUZZ_TARGET(stored_records) {
  if (input.empty())
    return;
  const auto bytes = input.substr(1);
  switch (static_cast<unsigned char>(input[0]) % 6) {
  case 0:
    return read_event(bytes);
  case 1:
    return read_attempt(bytes);
  case 2:
    return read_small(bytes, [](std::string_view of) { return codec::decode_connector({"c"}, of); });
  case 3:
    return read_small(bytes, [](std::string_view of) { return codec::decode_lineage(of); });
  case 4:
    return read_small(bytes, [](std::string_view of) { return codec::decode_due_entry(of); });
  default:
    static_cast<void>(codec::decode_commit(bytes));
    return read_keys(bytes);
  }
}
