#include "actors/connector_names.hpp"
#include "actors/wake_queue.hpp"
#include "tests/support/seeded_random.hpp"

#include <catch2/catch_test_macros.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace vicket;

namespace {

std::optional<connector_slot> pop(wake_queue& from, timestamp_ms now) {
  if (from.empty() || from.next() > now)
    return std::nullopt;
  const auto slot = from.first();
  from.erase(slot);
  return slot;
}

} // namespace

TEST_CASE("sleepers are woken in the order of their times, each once, and not before") {
  wake_queue sleepers;
  sleepers.set(3, {30});
  sleepers.set(1, {10});
  sleepers.set(2, {20});
  CHECK(sleepers.next() == timestamp_ms{10});
  CHECK_FALSE(pop(sleepers, {9}).has_value());
  CHECK(pop(sleepers, {10}) == 1u);
  CHECK_FALSE(pop(sleepers, {10}).has_value());
  sleepers.set(3, {5});  // earlier
  sleepers.set(2, {50}); // and later than before
  CHECK(sleepers.at(3) == timestamp_ms{5});
  CHECK(pop(sleepers, {60}) == 3u);
  CHECK(pop(sleepers, {60}) == 2u);
  CHECK(sleepers.empty());
  sleepers.erase(2);
  sleepers.erase(1'000);
  CHECK_FALSE(sleepers.at(1'000).has_value());
}

TEST_CASE("whatever is set and erased, the queue says what a sorted set says") {
  seeded_random chance{7};
  wake_queue subject;
  std::set<std::pair<timestamp_ms, connector_slot>> model;
  std::map<connector_slot, timestamp_ms> times;
  for (int step = 0; step < 20'000; ++step) {
    const auto slot = static_cast<connector_slot>(chance.next() % 200);
    const timestamp_ms at{static_cast<std::int64_t>(chance.next() % 1'000)};
    if (const auto known = times.find(slot); known != times.end()) {
      model.erase({known->second, slot});
      times.erase(known);
    }
    if (chance.next() % 3 == 0) {
      subject.erase(slot);
    } else {
      subject.set(slot, at);
      times[slot] = at;
      model.insert({at, slot});
    }
    REQUIRE(subject.size() == model.size());
    if (!model.empty())
      REQUIRE(subject.next() == model.begin()->first);
    if (step % 10 == 0 && !model.empty()) {
      const auto now = model.begin()->first;
      const auto popped = pop(subject, now);
      REQUIRE(popped.has_value());
      REQUIRE(model.erase({now, *popped}) == 1);
      times.erase(*popped);
    }
  }
}

TEST_CASE("a slot is found by its name as long as it is there, whatever else comes and goes") {
  std::vector<std::string> names(300);
  for (std::size_t i = 0; i < names.size(); ++i)
    names[i].append("connector-").append(std::to_string(i));
  connector_names subject{[&](connector_slot slot) { return std::string_view{names[slot]}; }};
  CHECK_FALSE(subject.find("connector-1").has_value());
  seeded_random chance{11};
  std::set<connector_slot> model;
  for (int step = 0; step < 20'000; ++step) {
    const auto slot = static_cast<connector_slot>(chance.next() % names.size());
    if (model.insert(slot).second) {
      subject.insert(slot);
    } else {
      model.erase(slot);
      subject.erase(names[slot]);
    }
    REQUIRE(subject.size() == model.size());
    const auto other = static_cast<connector_slot>(chance.next() % names.size());
    REQUIRE(subject.find(names[other]) == (model.contains(other) ? std::optional{other} : std::nullopt));
  }
}
