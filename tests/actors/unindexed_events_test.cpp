#include "actors/unindexed_events.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace vicket;

namespace {

const connector_id crm{"crm"};
const connector_id erp{"erp"};

unindexed_events filled(log_sequence up_to) {
  unindexed_events events;
  for (log_sequence i = 1; i <= up_to; ++i)
    events.add({i * 10, {1'000}, i % 2 == 0 ? &crm : &erp});
  return events;
}

} // namespace

TEST_CASE("the lowest pending sequence is where a restart begins, whatever order events settle in") {
  auto events = filled(4);
  CHECK(events.lowest() == 10);
  CHECK(events.erase(20));
  CHECK(events.lowest() == 10);
  CHECK(events.erase(10));
  CHECK(events.lowest() == 30);
  CHECK_FALSE(events.erase(10));
  CHECK_FALSE(events.erase(20));
  CHECK_FALSE(events.erase(35));
  CHECK(events.erase(40));
  CHECK(events.erase(30));
  CHECK_FALSE(events.lowest().has_value());
  CHECK(events.size() == 0);
}

TEST_CASE("events that stay for long are given out to be indexed, so that a restart's scan is bounded") {
  auto events = filled(10);
  events.erase(20);
  const auto spilled = events.spill_below(45);
  REQUIRE(spilled.size() == 3);
  CHECK(spilled[0].sequence == 10);
  CHECK(spilled[1].sequence == 30);
  CHECK(spilled[2].sequence == 40);
  CHECK(events.lowest() == 50);
  CHECK(events.size() == 6);
  CHECK_FALSE(events.erase(30));
}

TEST_CASE("the events of one connector are given out, the others stay") {
  auto events = filled(5);
  const auto spilled = events.spill_connector(erp);
  CHECK(spilled.size() == 3);
  CHECK(events.size() == 2);
  CHECK(events.lowest() == 20);
}
