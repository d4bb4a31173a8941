// A reader's position and a log: the same log, one that branched off, or another.

#include "policy/feed_lineage.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <optional>
#include <vector>

using namespace vicket;

namespace {

feed_lineage lineage_of(std::vector<lineage_entry> entries) {
  auto made = feed_lineage::from_entries(std::move(entries));
  REQUIRE(made);
  return *made;
}

} // namespace

TEST_CASE("how much of a log the reader of a position has seen follows from the position's tag") {
  struct row {
    const char* what;
    std::uint64_t position;
    std::uint32_t tag;
    std::optional<std::uint64_t> common;
  };
  // Three openings; the last one has written up to 29.
  const auto log = lineage_of({{0, 0}, {1, 0xa}, {10, 0xb}, {20, 0xc}});
  const std::uint64_t end = 29;
  const row rows[] = {
      {"nothing was seen yet", 0, 0, 0},
      {"nothing was seen of whatever log", 0, 0xdead, 0},
      {"in the range of an older entry", 5, 0xa, 5},
      {"the last one of an older entry", 9, 0xa, 9},
      {"the first one of an entry", 10, 0xb, 10},
      {"the log's end", 29, 0xc, 29},
      {"written by the same opening after the copy was taken: just past", 10, 0xa, 9},
      {"and far past: the log has grown over the number since", 25, 0xa, 9},
      {"of the opening before the last", 29, 0xb, 19},
      {"of the last one, beyond what was committed", 30, 0xc, 29},
      {"by an opening that this log never had", 25, 0xdead, std::nullopt},
      {"which can't be: before the entry begins", 5, 0xb, std::nullopt},
  };
  for (const auto& [what, position, tag, common] : rows) {
    INFO(what);
    CHECK(log.common_up_to(position, tag, end) == common);
  }
}

TEST_CASE("a position is given out with the tag of the entry that covers it") {
  const auto log = lineage_of({{5, 0xa}, {10, 0xb}, {20, 0xc}});
  CHECK(log.tag_of(3) == 0xa); // below all that is known: retention took it
  CHECK(log.tag_of(5) == 0xa);
  CHECK(log.tag_of(9) == 0xa);
  CHECK(log.tag_of(10) == 0xb);
  CHECK(log.tag_of(1'000) == 0xc);
  for (const std::uint64_t position : {5, 9, 10, 19, 20, 25})
    CHECK(log.common_up_to(position, log.tag_of(position), 25) == position);
}

TEST_CASE("two copies of one log share what was written before they were opened, and nothing after") {
  // given a log that one opening wrote up to 9, and two copies of it
  feed_lineage original;
  original.begin(1, 0xa, 0);
  auto first = original;
  auto second = original;
  // when each is opened and written on, the first up to 14, the second up to 99
  first.begin(10, 0xb, 0);
  second.begin(10, 0xc, 0);
  // then their readers go on where the copies were made
  CHECK(second.common_up_to(9, first.tag_of(9), 99) == 9);
  CHECK_FALSE(second.common_up_to(14, first.tag_of(14), 99));
  CHECK_FALSE(first.common_up_to(14, second.tag_of(14), 14));
  // and so does a reader of the original, if that wrote on under its own tag
  CHECK(first.common_up_to(12, original.tag_of(12), 14) == 9);
}

TEST_CASE("an opening that writes nothing leaves no entry, and the next one takes its place") {
  // what it would have written under is not stored, so both openings begin with the same entries
  feed_lineage stored;
  stored.begin(1, 0xa, 0);
  auto wrote_nothing = stored;
  wrote_nothing.begin(10, 0xb, 0);
  auto next = stored;
  next.begin(10, 0xc, 0);
  for (std::uint64_t position = 0; position < 10; ++position) // all that there was to be read
    CHECK(next.common_up_to(position, wrote_nothing.tag_of(position), 20) == position);
}

TEST_CASE("entries are bounded: the oldest go, and their positions are then of no known log") {
  feed_lineage log;
  for (std::uint32_t opening = 1; opening <= 200; ++opening)
    log.begin(std::uint64_t{opening} * 10, opening, 0);
  REQUIRE(log.entries().size() == feed_lineage::max_entries);
  CHECK(log.entries().back() == lineage_entry{2'000, 200});
  CHECK(log.entries().front().tag == 200 - feed_lineage::max_entries + 1);
  CHECK_FALSE(log.common_up_to(15, 1, 2'010));
  CHECK(log.common_up_to(1'995, 199, 2'010) == 1'995);
}

TEST_CASE(
    "entries go with the log that they are of, but not the one of the last position that retention took") {
  auto log = lineage_of({{1, 0xa}, {10, 0xb}, {20, 0xc}});
  SECTION("the reader at 9 has missed nothing while that is the last entry that was taken") {
    log.begin(30, 0xd, 9);
    CHECK(log.entries().front() == lineage_entry{1, 0xa});
  }
  SECTION("it has once 10 is") {
    log.begin(30, 0xd, 10);
    CHECK(log.entries().front() == lineage_entry{10, 0xb});
  }
  SECTION("the newest two stay when all is taken") {
    log.begin(30, 0xd, 29);
    CHECK(log.entries() == std::vector<lineage_entry>{{20, 0xc}, {30, 0xd}});
  }
}

TEST_CASE("a stored lineage has 1 to 64 entries that rise") {
  CHECK_FALSE(feed_lineage::from_entries({}));
  CHECK_FALSE(feed_lineage::from_entries({{1, 1}, {1, 2}}));
  CHECK_FALSE(feed_lineage::from_entries({{2, 1}, {1, 2}}));
  std::vector<lineage_entry> many;
  for (std::uint32_t i = 0; i <= feed_lineage::max_entries; ++i)
    many.push_back({i, i});
  CHECK_FALSE(feed_lineage::from_entries(many));
  many.pop_back();
  CHECK(feed_lineage::from_entries(many));
}
