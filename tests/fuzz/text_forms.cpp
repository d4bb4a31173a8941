// Smaller forms of text from outside: base64, UUIDs, addresses, ranges, names of charsets.

#include "tests/fuzz/fuzz_target.hpp"

#include "policy/address_guard.hpp"
#include "policy/base64.hpp"
#include "policy/charset.hpp"
#include "policy/secret.hpp"
#include "policy/utf8.hpp"
#include "policy/uuid.hpp"

using namespace vicket;

VICKET_FUZZ_TARGET(text_forms) {
  if (const auto id = event_id::parse(input)) {
    const auto again = event_id::parse(id->to_string());
    EXPECT_THAT_IT_HOLDS(again && *again == *id);
  }
  if (const auto address = ip_address::parse(input)) {
    const auto again = ip_address::parse(address->to_string());
    EXPECT_THAT_IT_HOLDS(again && *again == *address);
    static_cast<void>(address_guard{}.denied(*address));
  }
  if (const auto range = ip_range::parse(input)) {
    EXPECT_THAT_IT_HOLDS(range->contains(range->network));
    const auto again = ip_range::parse(range->to_string());
    EXPECT_THAT_IT_HOLDS(again && again->network == range->network &&
                         again->prefix_bits == range->prefix_bits);
  }
  const auto valid = with_replaced_invalid_utf8(input);
  EXPECT_THAT_IT_HOLDS(with_replaced_invalid_utf8(valid) == valid);
  static_cast<void>(charset_of(input));
  static_cast<void>(find_charset(input));
  static_cast<void>(secret_complaint(input));
}
