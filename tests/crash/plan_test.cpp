#include "policy/partitioning.hpp"
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
  int bursts = 0;
  for (std::uint64_t number = 1; number <= 2'000; ++number) {
    const auto event = made.event(number);
    ++connectors[event.connector.value];
    without_id += event.id ? 0 : 1;
    repeated += made.repeated(number) ? 1 : 0;
    const auto round = made.round(number);
    CHECK((round.before_ready || round.burst_group > 0 || (round.alive_ms >= 10 && round.alive_ms <= 600)));
    bursts += round.burst_group > 0 ? 1 : 0;
    stops += round.stop_cleanly ? 1 : 0;
    before_ready += round.before_ready ? 1 : 0;
    stood_still += round.stopped_receiver ? 1 : 0;
    for (const auto& to : made.connectors())
      replies.insert(made.answer(to, event.run, 1).kind);
  }
  CHECK(replies.size() == reply_kinds);
  std::size_t with_events = 0;
  for (const auto& to : made.connectors())
    with_events += to.weight > 0 ? 1 : 0;
  CHECK(connectors.size() == with_events);
  CHECK(bursts > 5);
  CHECK(bursts < 20); // each stays in the store
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

TEST_CASE("the plan has every kind of change, and the seed repeats it") {
  const plan made{7};
  std::map<std::string, int> changed;
  int removed = 0;
  int off = 0;
  int filtered = 0;
  int kept = 0;
  for (std::uint64_t number = 1; number <= 2'000; ++number) {
    const auto change = made.change(number);
    CHECK(change.connector == plan{7}.change(number).connector);
    ++changed[change.connector.value];
    const auto& of = *made.find(change.connector.value);
    CHECK(of.change_weight > 0);
    removed += change.remove ? 1 : 0;
    const auto put = made.version(of, number);
    CHECK(put.value == plan{7}.version(of, number).value);
    off += put.value.enabled ? 0 : 1;
    filtered += put.value.events.empty() ? 0 : 1;
    kept += put.secret ? 0 : 1;
    // A secret that the node made up could not be checked.
    CHECK((put.secret || !of.may_be_deleted));
    CHECK(put.value.retry == of.value.retry);
  }
  for (const auto& one : made.connectors())
    CHECK((changed.contains(one.value.id.value) == (one.change_weight > 0)));
  CHECK(removed > 200);
  CHECK(off > 200);
  CHECK(filtered > 100);
  CHECK(kept > 100);
}

TEST_CASE("at the end every connector that gets well takes everything") {
  const plan made{7};
  for (const auto& one : made.connectors()) {
    const auto last = made.version(one, plan::last_version).value;
    CHECK(last.enabled);
    CHECK(last.events.empty());
    CHECK_FALSE(made.version(one, plan::quiet_version).value.enabled);
  }
}

TEST_CASE("a burst is more than 65,536 positions of one partition's log") {
  CHECK(partition_of({std::string{plan::held_connector}}, 2) ==
        partition_of({std::string{plan::bulk_connector}}, 2));
  CHECK(plan::crossing_group < plan::bulk_groups);
  const plan made{7};
  const auto held = made.event(plan::burst_serial(1, plan::held_events - 1));
  const auto bulk = made.event(plan::burst_serial(1, plan::held_events));
  CHECK(held.connector.value == plan::held_connector);
  CHECK(bulk.connector.value == plan::bulk_connector);
  CHECK(held.id != bulk.id);
  CHECK(plan::looked_up(plan::burst_serial(1, 0)));
  CHECK_FALSE(plan::looked_up(plan::burst_serial(1, plan::held_events + 1)));
}

TEST_CASE("the same id goes to two connectors only when ids are known per connector") {
  const plan made{7};
  std::map<event_id, std::string> connectors;
  int shared = 0;
  for (std::uint64_t serial = 1; serial <= 2'000; ++serial)
    if (const auto event = made.event(serial); event.id) {
      const auto [at, fresh] = connectors.emplace(*event.id, event.connector.value);
      shared += fresh ? 0 : 1;
      CHECK((fresh || at->second != event.connector.value));
    }
  CHECK((shared > 20) == plan::ids_are_per_connector);
}

TEST_CASE("a path is a connector's") {
  CHECK(hook_of(path_of("flaky", 12))->version == 12);
  CHECK(hook_of(path_of("flaky"))->version == plan::first_version);
  CHECK_FALSE(hook_of("/hooks/flaky/x"));
  CHECK(hook_of(path_of("flaky"))->connector == "flaky");
  CHECK(!hook_of("/elsewhere"));
}

} // namespace vicket::crash
