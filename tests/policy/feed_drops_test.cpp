#include "policy/feed_drops.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

using namespace vicket;

TEST_CASE("a reader is told of what was dropped since its promise, as far as it reached") {
  feed_drops drops;
  CHECK(drops.reach_since(0) == 0);
  drops.add(100, 50);
  drops.add(110, 20);
  CHECK(drops.reach_since(0) == 50);
  CHECK(drops.reach_since(100) == 50);
  CHECK(drops.reach_since(101) == 20);
  CHECK(drops.reach_since(110) == 20);
  CHECK(drops.reach_since(111) == 0);
}

TEST_CASE("what a later entry reaches needs no entry of its own") {
  feed_drops drops;
  drops.add(100, 50);
  drops.add(110, 20);
  drops.add(120, 50);
  CHECK(drops.entries() == std::vector<feed_drops::entry>{{120, 50}});
  CHECK(drops.reach_since(101) == 50);
}

TEST_CASE("what retention has passed is forgotten") {
  feed_drops drops;
  drops.add(100, 50);
  drops.add(110, 20);
  drops.forget_below(20);
  CHECK(drops.entries() == std::vector<feed_drops::entry>{{100, 50}});
  drops.forget_below(49);
  CHECK(drops.entries().size() == 1);
  drops.forget_below(50);
  CHECK(drops.entries().empty());
}

TEST_CASE("only so many entries are kept; those that are one say too much, never too little") {
  feed_drops drops;
  struct drop {
    std::uint64_t at, below;
  };
  std::vector<drop> all;
  std::uint64_t random = 1;
  std::uint64_t at = 1'000'000;
  for (int i = 0; i < 2'000; ++i) {
    random = random * 6'364'136'223'846'793'005ULL + 1'442'695'040'888'963'407ULL;
    at += 1 + (random >> 40) % 100;
    const auto below = i % 50 == 0 ? 900'000 - static_cast<std::uint64_t>(i) : (random >> 20) % 900'000;
    drops.add(at, below);
    all.push_back({at, below});
    REQUIRE(drops.entries().size() <= feed_drops::max_entries);
    const auto promise = 1'000'000 + (random >> 10) % (at - 1'000'000 + 10);
    std::uint64_t reach = 0;
    for (const auto& one : all)
      reach = one.at >= promise ? std::max(reach, one.below) : reach;
    CHECK(drops.reach_since(promise) >= reach);
    CHECK((reach > 0 || promise > at) == (drops.reach_since(promise) > 0 || promise > at));
  }
  CHECK(drops.reach_since(at + 1) == 0);
  const auto stored = feed_drops::from_entries(drops.entries());
  REQUIRE(stored);
  CHECK(*stored == drops);
}

TEST_CASE("seventeen entries, or those that are out of order, are none") {
  std::vector<feed_drops::entry> entries;
  for (std::uint64_t i = 0; i < feed_drops::max_entries; ++i)
    entries.push_back({i, 100 - i});
  CHECK(feed_drops::from_entries(entries));
  entries.push_back({50, 50});
  CHECK_FALSE(feed_drops::from_entries(entries));
  CHECK_FALSE(feed_drops::from_entries({{5, 4}, {5, 3}}));
  CHECK_FALSE(feed_drops::from_entries({{5, 4}, {6, 4}}));
  CHECK(feed_drops::from_entries({{5, 4}, {6, 3}}));
}
