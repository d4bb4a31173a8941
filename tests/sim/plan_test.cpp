#include "tests/sim/plan.hpp"

#include "tests/sim/coverage.hpp"
#include "tests/sim/shrink.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <set>
#include <string>
#include <vector>

namespace vicket::sim {

namespace {

std::string text_of(const plan& made) {
  auto text = describe(made.shape);
  for (const auto& one : made.actions)
    text += "\n" + describe(one, made.shape);
  return text;
}

} // namespace

TEST_CASE("the same seed makes the same plan, another one another") {
  CHECK(text_of(make_plan(7, 500)) == text_of(make_plan(7, 500)));
  CHECK(text_of(make_plan(7, 500)) != text_of(make_plan(8, 500)));
}

TEST_CASE("a plan has as many actions as were wanted, numbered by their places") {
  const auto made = make_plan(3, 333);
  REQUIRE(made.actions.size() == 333);
  for (std::uint32_t i = 0; i < 333; ++i)
    CHECK(made.actions[i].number == i);
}

TEST_CASE("plans ask for every operation and order every fault") {
  std::set<operation> asked;
  std::set<fault> ordered;
  for (std::uint64_t seed = 1; seed <= 1000; ++seed)
    for (const auto& one : make_plan(seed, 400).actions) {
      if (one.kind == action_kind::ask)
        asked.insert(one.asked);
      if (one.kind == action_kind::order_fault)
        ordered.insert(one.ordered);
    }
  CHECK(asked.size() == operation_count);
  CHECK(ordered.size() == fault_count);
}

TEST_CASE("an event's serial number is its action's, and its name tells it") {
  for (const auto& one : make_plan(5, 400).actions)
    for (const auto& event : one.events) {
      CHECK(event.serial / events_per_action == one.number);
      CHECK(serial_of_event_name(event_name_of(event.serial)) == event.serial);
    }
  CHECK_FALSE(serial_of_event_name("ticket.created"));
}

TEST_CASE("an operation meets the faults between its beginning and the next rest") {
  coverage met;
  met.struck(fault::io_error_sync);
  met.began(operation::send);
  met.struck(fault::no_space_append);
  met.at_rest();
  met.struck(fault::no_space_append);
  CHECK(met.met(operation::send, fault::no_space_append) == 1);
  CHECK(met.met(operation::send, fault::io_error_sync) == 0);
  CHECK(met.strikes(fault::no_space_append) == 2);
  CHECK(met.missing(1).size() == operation_count * fault_count - 1 + loss_count);
  met.shown(loss::gap);
  CHECK(met.missing(1).size() == operation_count * fault_count - 1 + loss_count - 1);
}

TEST_CASE("coverage crosses a pipe as a line") {
  coverage met;
  met.began(operation::stop);
  met.struck(fault::crash_rename);
  coverage other;
  REQUIRE(other.add_line(met.to_line()));
  CHECK(other.met(operation::stop, fault::crash_rename) == 1);
  CHECK(other.asked(operation::stop) == 1);
  met.shown(loss::attempts);
  CHECK(met.missing(1).size() < other.missing(1).size());
  REQUIRE(other.add_line(met.to_line()));
  CHECK(met.missing(1).size() == other.missing(1).size());
  CHECK_FALSE(other.add_line("1 2 3"));
}

TEST_CASE("shrinking leaves what is needed to fail, and nothing else") {
  std::vector<std::uint32_t> all(200);
  std::iota(all.begin(), all.end(), 0u);
  const auto fails = [](const std::vector<std::uint32_t>& kept) {
    return std::count(kept.begin(), kept.end(), 17u) == 1 && std::count(kept.begin(), kept.end(), 153u) == 1;
  };
  CHECK(shrink(all, fails, [] { return true; }) == std::vector<std::uint32_t>{17, 153});
}

TEST_CASE("shrinking ends when its time is over") {
  std::vector<std::uint32_t> all(64);
  std::iota(all.begin(), all.end(), 0u);
  int left = 3;
  const auto kept = shrink(
      all, [](const std::vector<std::uint32_t>&) { return false; }, [&] { return left-- > 0; });
  CHECK(kept == all);
}

} // namespace vicket::sim
