#include "actors/history_cursor.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

using namespace vicket;

TEST_CASE("a run's cursor is its text, between two events and within one") {
  const auto check = [](const run_cursor& cursor, const std::string& text) {
    INFO(text);
    CHECK(cursor.to_string() == text);
    const auto back = run_cursor::parse(text, 2);
    REQUIRE(back);
    CHECK(back->after == cursor.after);
    CHECK(back->within == cursor.within);
  };
  check({{0x1a2b, 0}, std::nullopt}, "run1-1a2b-0");
  check({{0x1a2b, 7}, run_cursor::within_event{1, {0x40, 0x5ee}}}, "run1-1a2b-7+1.40.5ee");
  CHECK(run_cursor::parse("", 2)->after == std::vector<log_sequence>{0, 0});
  CHECK(run_cursor::parse("run1-5-7", 4)->after ==
        std::vector<log_sequence>{5, 7, 5, 7}); // it was split since
  for (const auto* wrong : {"run1", "run1-", "run1-1+0.1.1", "run1-1-2-3", "v2-1.0.1-0.0.1", "v1-1-2",
                            "run1-1-2+", "run1-1-2+1.1", "run1-1-2+2.1.1", "run1-1-2+1.0.1", "run1-1-2+1.3.2",
                            "run1-1-2+1.1.1-", "run1-1-2+1.1.100000000", "event1-crm"}) {
    INFO(wrong);
    CHECK_FALSE(run_cursor::parse(wrong, 2));
  }
}

TEST_CASE("an event's cursor is its text, between two connectors and within the attempts of one") {
  const auto check = [](const event_cursor& cursor, const std::string& text) {
    INFO(text);
    CHECK(cursor.to_string() == text);
    const auto back = event_cursor::parse(text);
    REQUIRE(back);
    CHECK(back->connector == cursor.connector);
    CHECK(back->within == cursor.within);
  };
  check({{"crm-prod"}, std::nullopt}, "event1-crm-prod");
  check({{"a.b_c-1"}, event_cursor::within_event{0x2a, {2, 2}}}, "event1+2a.2.2-a.b_c-1");
  CHECK(event_cursor::parse("")->connector.value.empty());
  for (const auto* wrong :
       {"event1", "event1-", "event1-a b", "event2-crm", "event1+-crm", "event1+1.1-crm", "event1+1.0.1-crm",
        "event1+1.2.1-crm", "event1+1.1.2", "event1+1.1.2-", "run1-1-2"}) {
    INFO(wrong);
    CHECK_FALSE(event_cursor::parse(wrong));
  }
}
