#include "tests/crash/plan.hpp"

#include <catch2/catch_test_macros.hpp>

#include <map>
#include <set>
#include <string>

namespace vicket::crash {

TEST_CASE("the seed repeats the plan") {
  const plan one{42};
  const plan same{42};
  const plan other{43};
  int different = 0;
  for (std::uint64_t number = 1; number <= 200; ++number) {
    const auto event = one.event(number);
    CHECK(event.id == same.event(number).id);
    CHECK(event.data_json == same.event(number).data_json);
    CHECK(event.connector == same.event(number).connector);
    CHECK(one.batch_items(number) == same.batch_items(number));
    CHECK(one.round(number).alive_ms == same.round(number).alive_ms);
    different += one.round(number).alive_ms != other.round(number).alive_ms ? 1 : 0;
    const auto& to = *one.find("mixed");
    CHECK(one.answer(to, "an-id", 1).kind == same.answer(*same.find("mixed"), "an-id", 1).kind);
  }
  CHECK(different > 150);
}

TEST_CASE("the plan has every kind of reply, connector, round and event") {
  const plan made{7};
  std::set<reply> replies;
  std::map<std::string, int> connectors;
  int without_id = 0;
  int repeated = 0;
  int stops = 0;
  int before_ready = 0;
  int stood_still = 0;
  for (std::uint64_t number = 1; number <= 2'000; ++number) {
    const auto event = made.event(number);
    ++connectors[event.connector.value];
    without_id += event.id ? 0 : 1;
    repeated += made.repeated(number) ? 1 : 0;
    const auto round = made.round(number);
    CHECK((round.before_ready || (round.alive_ms >= 10 && round.alive_ms <= 600)));
    stops += round.stop_cleanly ? 1 : 0;
    before_ready += round.before_ready ? 1 : 0;
    stood_still += round.stopped_receiver ? 1 : 0;
    for (const auto& to : made.connectors())
      replies.insert(made.answer(to, event.run, 1).kind);
  }
  CHECK(replies.size() == reply_kinds);
  CHECK(connectors.size() == made.connectors().size());
  CHECK(without_id > 100);
  CHECK(repeated > 50);
  CHECK(stops > 50);
  CHECK(before_ready > 50);
  CHECK(stood_still > 50);
}

TEST_CASE("a receiver that gets well answers 2xx after so many requests of an id") {
  const plan made{7};
  for (const auto& to : made.connectors()) {
    if (to.end != fate::delivered)
      continue;
    const auto answer = made.answer(to, "an-id", to.ill_requests + 1);
    CHECK(answer.kind == reply::ok);
    CHECK(answer.status == 200);
  }
}

TEST_CASE("a path is a connector's") {
  CHECK(connector_of_path(path_of("flaky")) == "flaky");
  CHECK(connector_of_path("/elsewhere").empty());
}

} // namespace vicket::crash
