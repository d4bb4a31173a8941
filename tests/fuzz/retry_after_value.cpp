// A `Retry-After`, whatever it says: a wait within the bounds, or none; and a time, a name of the network's settings.

#include "tests/fuzz/fuzz_target.hpp"

#include "policy/retry_after.hpp"
#include "policy/rfc3339.hpp"

using namespace vicket;

VICKET_FUZZ_TARGET(retry_after_value) {
  for (const auto now :
       {std::int64_t{0}, std::int64_t{1'779'546'071'411}, std::int64_t{253'402'300'799'999}}) {
    const auto wait = parse_retry_after(input, {now});
    EXPECT_THAT_IT_HOLDS(!wait || (*wait >= 0 && *wait <= retry_after_limit_ms));
    const retry_policy policy;
    const auto hint = heed_retry_after(input, std::uint16_t{429}, policy, {now});
    EXPECT_THAT_IT_HOLDS(hint.heard.size() <= retry_hint::max_heard_bytes);
    EXPECT_THAT_IT_HOLDS(!hint.not_before ||
                         (hint.not_before->value >= now && hint.not_before->value <= now + policy.cap_ms));
    EXPECT_THAT_IT_HOLDS(!hint.held_until ||
                         (hint.held_until->value >= now && hint.held_until->value <= now + longest_hold_ms));
  }
  if (const auto time = parse_rfc3339(input)) {
    const auto again = parse_rfc3339(format_rfc3339(*time));
    EXPECT_THAT_IT_HOLDS(again && *again == *time);
  }
}
