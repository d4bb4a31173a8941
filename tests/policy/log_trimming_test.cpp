#include "policy/log_trimming.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

using namespace vicket;

namespace {

constexpr std::int64_t hour = 3'600'000;

struct trim_case {
  const char* what;
  trim_view view;
  std::uint64_t below;
  std::string held_by = {};
  std::vector<std::string> out = {};
};

} // namespace

TEST_CASE("how far a log may be trimmed, and who is out") {
  // The owner is a.
  const auto cases = std::vector<trim_case>{
      {"nothing is old", {"a", {{"a", 90}, {"b", 90}}, 10, 0, 0, 0}, 0},
      {"what is old goes", {"a", {{"a", 90}, {"b", 90}}, 10, 50, 0, 0}, 50},
      {"what is far goes, old or not", {"a", {{"a", 90}, {"b", 90}}, 10, 50, 70, 40}, 70},
      {"not beyond what a copy has synced", {"a", {{"a", 90}, {"b", 40}}, 10, 50, 0, 0}, 40, "b"},
      {"nor beyond what the owner has", {"a", {{"a", 40}, {"b", 90}}, 10, 50, 0, 0}, 40, "a"},
      {"the second-last copy holds what is old", {"a", {{"a", 90}, {"b", 12}}, 10, 50, 0, 0}, 12, "b"},
      {"but not what is far", {"a", {{"a", 90}, {"b", 12}}, 10, 50, 20, 0}, 50, "", {"b"}},
      {"of three the one that is behind is out",
       {"a", {{"a", 90}, {"b", 12}, {"c", 80}}, 10, 50, 0, 0},
       50,
       "",
       {"b"}},
      {"of two that are behind the one that has more stays",
       {"a", {{"a", 90}, {"b", 12}, {"c", 14}}, 10, 50, 0, 0},
       14,
       "c",
       {"b"}},
      {"who takes a checkpoint holds it, however long that takes",
       {"a", {{"a", 90}, {"b", 12, true}, {"c", 80}}, 10, 50, 0, 0},
       12,
       "b"},
      {"and until it has said what it needs, all of it",
       {"a", {{"a", 90}, {"b", 0, true}, {"c", 80}}, 10, 50, 20, 0},
       10,
       "b"},
      {"up to twice the bytes",
       {"a", {{"a", 90}, {"b", 12, true}, {"c", 80}}, 10, 50, 70, 20},
       70,
       "",
       {"b"}},
      {"one that has said nothing and is not there is out",
       {"a", {{"a", 90}, {"b", 0}, {"c", 80}}, 10, 50, 0, 0},
       50,
       "",
       {"b"}},
      {"the owner is never out", {"a", {{"a", 5}, {"b", 90}, {"c", 90}}, 1, 50, 20, 10}, 5, "a"},
  };
  for (const auto& each : cases) {
    INFO(each.what);
    const auto plan = plan_trim(each.view);
    CHECK(plan.below == each.below);
    CHECK(plan.held_by == each.held_by);
    CHECK(plan.out == each.out);
  }
}

TEST_CASE("a log's age is that of what was seen of it") {
  log_ages ages{{hour, 1'000}};
  CHECK(ages.old(0) == 0);
  ages.note(0, 7, 100);
  CHECK(ages.old(hour - 1) == 0);
  CHECK(ages.old(hour) == 7);
  for (std::int64_t minute = 1; minute <= 180; ++minute)
    ages.note(minute * 60'000, 7 + static_cast<std::uint64_t>(minute), 100);
  // Three hours, a record a minute: up to an hour ago 127 records, or one sample less.
  CHECK(ages.old(3 * hour) >= 126);
  CHECK(ages.old(3 * hour) <= 127);
  CHECK(ages.far() == 0);
}

TEST_CASE("what is far has so many bytes behind it") {
  log_ages ages{{hour, 1'000}};
  for (std::uint64_t number = 1; number <= 10'000; ++number) {
    ages.note(static_cast<std::int64_t>(number), number, 100 * number);
    if (number < 10)
      CHECK(ages.far() == 0);
  }
  // Ten records make 1,000 bytes.
  CHECK(ages.far() == 9'990);
  CHECK(ages.far(2) == 9'980);
  CHECK(ages.old(10'000) == 0);
}

TEST_CASE("a log that stands still ages") {
  log_ages ages{{hour, 1'000}};
  ages.note(0, 7, 100);
  ages.note(hour, 7, 100);
  ages.note(2 * hour, 7, 100);
  CHECK(ages.old(2 * hour) == 7);
}
