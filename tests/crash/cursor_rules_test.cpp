#include "tests/crash/cursor_rules.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace vicket::crash {

namespace {

using kind = follower_record::kind;

follower_record entry(std::uint32_t attempt, const std::string& id = "an-id") {
  return {kind::entry, {}, "flaky", id, attempt};
}

follower_record mark(kind what, const std::string& cursor) {
  return {what, cursor, {}, {}, 0};
}

bool has(const std::vector<violation>& found, const std::string& rule) {
  return std::any_of(found.begin(), found.end(), [&](const violation& one) { return one.rule == rule; });
}

const std::vector<feed_key> whole{{"flaky", "an-id", 1}, {"flaky", "an-id", 2}, {"flaky", "an-id", 3}};
const std::string misses_rule = "a reader that is killed misses nothing";
const std::string twice_rule = "a reader that is killed gets nothing twice but what it had not saved";

/// Killed after its second page, of which it had not yet saved the cursor.
std::vector<follower_record> good_run() {
  return {mark(kind::start, ""),
          entry(1),
          mark(kind::page, "c1"),
          entry(2),
          mark(kind::page, "c2"),
          mark(kind::start, "c1"),
          entry(2),
          entry(3),
          mark(kind::page, "c3")};
}

} // namespace

TEST_CASE("a reader that is killed and goes on after its saved cursor gets everything") {
  CHECK(check_follower(good_run(), whole).empty());
}

TEST_CASE("a reader that is killed misses nothing") {
  auto run = good_run();
  SECTION("at the end") {
    run.erase(run.end() - 2);
    CHECK(has(check_follower(run, whole), misses_rule));
  }
  SECTION("what it had read and not saved comes again") {
    run.erase(run.begin() + 6);
    CHECK(has(check_follower(run, whole), misses_rule));
  }
}

TEST_CASE("a reader that is killed gets nothing twice but what it had not saved") {
  auto run = good_run();
  SECTION("what came before the cursor") {
    run.insert(run.begin() + 6, entry(1));
    CHECK(has(check_follower(run, whole), twice_rule));
  }
  SECTION("twice after the same start") {
    run.push_back(entry(3));
    CHECK(has(check_follower(run, whole), twice_rule));
  }
  SECTION("but a reader without a cursor gets all from the beginning") {
    run = {mark(kind::start, ""),
           entry(1),
           mark(kind::page, "c1"),
           mark(kind::start, ""),
           entry(1),
           entry(2),
           entry(3)};
    CHECK(check_follower(run, whole).empty());
  }
}

TEST_CASE("a killed reader's events come in order, too") {
  const std::vector<follower_record> run{mark(kind::start, ""), entry(2), entry(1), entry(3)};
  CHECK(has(check_follower(run, whole), "in the feed each event's attempts rise"));
}

TEST_CASE("a reader goes on after a cursor that it got") {
  auto run = good_run();
  run[5].cursor = "c7";
  CHECK(has(check_follower(run, whole), "a reader goes on after the cursor that it saved"));
}

TEST_CASE("the feed has no gap without retention") {
  auto run = good_run();
  run.push_back(mark(kind::gap, "c4"));
  CHECK(has(check_follower(run, whole), "the feed has no gap without retention"));
}

} // namespace vicket::crash
