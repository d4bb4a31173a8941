#include "actors/feed_cursor.hpp"

#include <catch2/catch_test_macros.hpp>

#include <limits>
#include <optional>

using namespace vicket;

TEST_CASE("a feed's cursor is its text, for each number of partitions") {
  const feed_cursor cursor{{feed_position{0x1a2b, 0x9f2c1b7e, 0x100, 0x7c}, feed_position{0, 0, 1, 0}}};
  CHECK(cursor.to_string() == "v3-1a2b.9f2c1b7e.100.7c-0.0.1.0");
  const auto back = feed_cursor::parse(cursor.to_string(), 2);
  REQUIRE(back);
  CHECK(back->positions == cursor.positions);
  for (const auto* wrong :
       {"", "v3", "v1-1a2b-0", "v3-1a2b.9f2c1b7e.100", "v3-1a2b.9f2c1b7e.100.0-0.0.1",
        "v3-1a2b.9f2c1b7e.100.0-0.0.1.0-", "v3-1a2b.9f2c1b7e.100.0-0.0.1.0-0.0.1.0",
        "v3-1a2b.9f2c1b7e1.100.0-0.0.1.0", "v3--1.0.1.0-0.0.1.0", "v3-x.0.1.0-0.0.1.0",
        "v3-10000000000000000.0.1.0-0.0.1.0", "v2-1a2b.9f2c1b7e.100.0-0.0.1.0", "run1-1-2"}) {
    INFO(wrong);
    CHECK_FALSE(feed_cursor::parse(wrong, 2));
  }
}

TEST_CASE("a cursor says of which partitions nothing was read yet") {
  const feed_cursor cursor{{std::nullopt, feed_position{0x1a, 0xb, 0x100, 0xc}, std::nullopt}};
  CHECK(cursor.to_string() == "v3-_-1a.b.100.c-_");
  const auto back = feed_cursor::parse(cursor.to_string(), 3);
  REQUIRE(back);
  CHECK(back->positions == cursor.positions);
  for (const auto* wrong : {"v2-_", "v3-__", "v3-_.0.1.0", "v3_", "v3-_-"})
    CHECK_FALSE(feed_cursor::parse(wrong, 1));
}

TEST_CASE("a cursor of a node that was split since is one for each part of what it had") {
  const auto one = feed_position{0x1a, 0xb, 0x100, 0xc};
  const auto other = feed_position{0x2b, 0xd, 0x200, 0xe};
  using positions = std::vector<std::optional<feed_position>>;
  const auto text = feed_cursor{{one, other}}.to_string();
  CHECK(feed_cursor::parse(text, 2)->positions == positions{one, other});
  CHECK(feed_cursor::parse(text, 4)->positions == positions{one, other, one, other});
  CHECK(feed_cursor::parse(text, 6)->positions == positions{one, other, one, other, one, other});
  CHECK(feed_cursor::parse(feed_cursor{{one}}.to_string(), 3)->positions == positions{one, one, one});
  CHECK(feed_cursor::parse(feed_cursor{{std::nullopt, one}}.to_string(), 4)->positions ==
        positions{std::nullopt, one, std::nullopt, one});
  for (const std::size_t other_count : {1, 3, 5})
    CHECK_FALSE(feed_cursor::parse(text, other_count));
}

TEST_CASE("a cursor of a version whose promises had no tags is taken for one that nothing was promised") {
  const auto old = feed_cursor::parse("v2-1a.9f2c1b7e.100-0.0.1", 2);
  REQUIRE(old);
  CHECK(old->positions == std::vector<std::optional<feed_position>>{feed_position{0x1a, 0x9f2c1b7e, 0x100, 0},
                                                                    feed_position{0, 0, 1, 0}});
  const auto lineage = feed_lineage::from_entries({{1, 0x9f2c1b7e}}).value();
  CHECK(start_reading({&lineage, 1, 0, 0x200}, old->positions[0]).at.promised_from == 1);
}

TEST_CASE("a feed's cursor is never longer than is counted for it") {
  constexpr auto most = std::numeric_limits<log_sequence>::max();
  const feed_position longest{most, 0xffffffff, most, 0xffffffff};
  const feed_cursor cursor{{longest, longest}};
  CHECK(cursor.to_string().size() == feed_cursor::most_text_bytes(2));
}

TEST_CASE("a reader goes on at its position, or is told that something is gone and goes on at what is kept") {
  const auto lineage = feed_lineage::from_entries({{0, 0}, {1, 0xa}, {20, 0xb}}).value();
  struct row {
    const char* what;
    log_sequence oldest;
    std::optional<feed_position> asked;
    feed_start expected;
  };
  constexpr log_sequence end = 30;
  const row rows[] = {
      {"no position yet, nothing was forgotten", 1, std::nullopt, {{0, 0, 31, 0xb}, false}},
      {"no position yet: from the oldest that is kept", 10, std::nullopt, {{9, 0xa, 31, 0xb}, false}},
      {"all is there", 1, feed_position{5, 0xa, 1}, {{5, 0xa, 1}, false}},
      {"nothing was seen, and all is there", 1, feed_position{0, 0, 1}, {{0, 0, 1}, false}},
      {"retention took some of what was seen", 6, feed_position{5, 0xa, 1}, {{5, 0xa, 1}, false}},
      {"and now the next one", 7, feed_position{5, 0xa, 1}, {{6, 0xa, 31, 0xb}, true}},
      {"nothing was seen, and the first one is gone", 2, feed_position{0, 0, 1}, {{1, 0xa, 31, 0xb}, true}},
      {"all is gone", 31, feed_position{5, 0xa, 1}, {{30, 0xb, 31, 0xb}, true}},
      {"all is gone that was seen", 31, feed_position{30, 0xb, 1}, {{30, 0xb, 1}, false}},
      {"another branch: on from where it left this one",
       1,
       feed_position{25, 0xa, 1},
       {{19, 0xa, 31, 0xb}, true}},
      {"another branch, and retention went on", 25, feed_position{28, 0xa, 1}, {{24, 0xb, 31, 0xb}, true}},
      {"beyond the end", 1, feed_position{31, 0xb, 1}, {{30, 0xb, 31, 0xb}, true}},
      {"another log: from the oldest that is kept", 10, feed_position{25, 0xc, 1}, {{9, 0xa, 31, 0xb}, true}},
      {"a promise from another copy's future",
       10,
       feed_position{15, 0xa, 40, 0xb},
       {{15, 0xa, 31, 0xb}, false}},
      {"a promise from where another copy went on",
       10,
       feed_position{15, 0xa, 40, 0xa},
       {{15, 0xa, 20, 0xa}, false}},
      {"a promise of a log of which nothing is known",
       10,
       feed_position{15, 0xa, 40, 0xc},
       {{15, 0xa, 1, 0xc}, false}},
  };
  for (const auto& [what, oldest, asked, expected] : rows) {
    INFO(what);
    const auto lost = oldest - 1; // else see below
    const auto start = start_reading({&lineage, oldest, lost, end}, asked);
    CHECK(start.gap == expected.gap);
    CHECK(start.at == expected.at);
  }
}

TEST_CASE("where only events were passed by retention, and no outcome, nothing is missing") {
  const auto lineage = feed_lineage::from_entries({{0, 0}, {1, 0xa}}).value();
  const feed_position asked{5, 0xa, 1};
  CHECK_FALSE(start_reading({&lineage, 20, 5, 30}, asked).gap);
  CHECK_FALSE(start_reading({&lineage, 20, 0, 30}, asked).gap);
  CHECK(start_reading({&lineage, 20, 6, 30}, asked).gap);
}

TEST_CASE(
    "what the bound on histories took since a reader's promise is a gap for whoever has not read so far") {
  const auto lineage = feed_lineage::from_entries({{0, 0}, {1, 0xa}}).value();
  const auto drops = feed_drops::from_entries({{25, 12}, {28, 7}}).value();
  const auto start = [&](log_sequence after, log_sequence promised_from) {
    return start_reading({&lineage, 1, 0, 30, &drops}, feed_position{after, 0xa, promised_from, 0xa});
  };
  struct row {
    log_sequence after, promised_from;
    bool gap;
  };
  for (const auto& [after, promised_from, gap] :
       {row{10, 20, true}, row{10, 25, true}, row{10, 26, false}, row{11, 20, false}, row{5, 26, true},
        row{5, 28, true}, row{5, 29, false}, row{6, 28, false}, row{0, 30, false}, row{0, 1, true}}) {
    INFO(after << " " << promised_from);
    const auto found = start(after, promised_from);
    CHECK(found.gap == gap);
    CHECK(found.at.after == after); // what others have there is not passed over
    CHECK(found.at.promised_from == (gap ? 31 : promised_from));
  }
  CHECK_FALSE(start_reading({&lineage, 1, 0, 30, &drops}, std::nullopt).gap); // it was promised nothing
}
