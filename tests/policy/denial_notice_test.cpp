#include "policy/denial_notice.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

namespace vicket {

TEST_CASE("a name that may not be reached is told once, then after an hour, and when it resolves to others") {
  denial_notice notice;
  timestamp_ms now{1'000'000};
  CHECK(notice.denied("in.example", "10.0.0.1 is a private address (10.0.0.0/8)", now) ==
        "deliveries to in.example are kept from where it resolves to: 10.0.0.1 is a private address "
        "(10.0.0.0/8)");
  now.value += denial_notice::again_ms - 1;
  CHECK_FALSE(notice.denied("in.example", "10.0.0.1 is a private address (10.0.0.0/8)", now));
  CHECK(notice.denied("in.example", "10.0.0.2 is a private address (10.0.0.0/8)", now));
  CHECK(notice.denied("other.example", "10.0.0.2 is a private address (10.0.0.0/8)", now));
  now.value += 1;
  CHECK_FALSE(notice.denied("in.example", "10.0.0.2 is a private address (10.0.0.0/8)", now));
  now.value += denial_notice::again_ms - 1;
  CHECK(notice.denied("in.example", "10.0.0.2 is a private address (10.0.0.0/8)", now));
  now.value -= 2 * denial_notice::again_ms; // the clock was set back
  CHECK(notice.denied("in.example", "10.0.0.2 is a private address (10.0.0.0/8)", now));
}

TEST_CASE("of many names ten lines a minute are told, and of how many none was") {
  denial_notice notice;
  timestamp_ms now{1'000'000};
  const auto tell = [&](std::size_t which) {
    return notice.denied("n" + std::to_string(which) + ".example", "10.0.0.1", now);
  };
  for (std::size_t i = 0; i < denial_notice::max_lines; ++i)
    CHECK(tell(i));
  now.value += denial_notice::minute_ms - 1;
  CHECK_FALSE(tell(100));
  CHECK_FALSE(tell(101));
  now.value += 1;
  CHECK(tell(102)->ends_with("; 2 more of such names or attempts were not told"));
  CHECK(tell(100) == "deliveries to n100.example are kept from where it resolves to: 10.0.0.1");
}

TEST_CASE("of names without end the last ones are remembered") {
  denial_notice notice;
  timestamp_ms now{1'000'000};
  const auto tell = [&](std::size_t which) {
    now.value += denial_notice::minute_ms / denial_notice::max_lines;
    return notice.denied("n" + std::to_string(which) + ".example", "10.0.0.1", now).has_value();
  };
  for (std::size_t i = 0; i < denial_notice::max_names; ++i)
    REQUIRE(tell(i));
  CHECK_FALSE(tell(0));
  CHECK(tell(denial_notice::max_names));
  CHECK_FALSE(tell(1));
  CHECK(tell(0)); // forgotten
}

} // namespace vicket
