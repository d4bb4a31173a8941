// What the engine relies on in a table of rounds, of whatever it is made.

#include "cluster/record_appender.hpp"
#include "tests/cluster/table_world.hpp"

#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>

using namespace vicket;
using namespace vicket::testing;

namespace {

constexpr record_digest nothing{};

/// Records of one partition, each after the one before.
struct chain {
  explicit chain(std::uint32_t of) : partition{of} {}

  log_row next(const std::string& body, record_kind kind = record_kind::round) {
    before = last;
    log_row row{{partition, ++number, 1, kind, number - 1}, {}, body};
    row.digest = digest_of(before, row.head, row.body);
    last = row.digest;
    return row;
  }

  std::uint32_t partition;
  std::uint64_t number = 0;
  record_digest before{};
  record_digest last{};
};

append_reply append(table_world& world, const log_row& row, const record_digest& before,
                    std::size_t node = 0) {
  return world
      .ask<log_table::append_answer>([&](auto done) { world.table(node).append(row, before, false, done); })
      .reply;
}

append_look look(table_world& world, std::uint32_t partition, std::uint64_t number) {
  const auto found =
      world.ask<log_table::look_answer>([&](auto done) { world.table(1).look(partition, number, done); });
  INFO(found.detail);
  REQUIRE(found.answered);
  return found.seen;
}

log_table::read_answer read(table_world& world, std::uint32_t partition, std::uint64_t from,
                            std::size_t max_bytes) {
  auto page = world.ask<log_table::read_answer>(
      [&](auto done) { world.table(1).read(partition, from, max_bytes, done); });
  INFO(page.detail);
  REQUIRE(page.answered);
  return page;
}

void fill(table_world& world, chain& records, int count, const std::string& body = "body") {
  for (auto i = 0; i < count; ++i) {
    const auto row = records.next(body, records.number == 0 ? record_kind::genesis : record_kind::round);
    REQUIRE(append(world, row, records.before) == append_reply::stored);
  }
}

} // namespace

TEMPLATE_TEST_CASE("a log begins once", "[conformance]", simulated_world, postgres_world) {
  TestType made;
  table_world& world = made;
  CHECK(read(world, 3, 1, 1'000).rows.empty());
  CHECK(look(world, 3, 1).last == 0);
  chain first{3}, second{3};
  const auto one = first.next("one", record_kind::genesis);
  CHECK(append(world, one, nothing) == append_reply::stored);
  CHECK(append(world, second.next("other", record_kind::genesis), nothing, 1) == append_reply::absent);
  CHECK(append(world, one, nothing) == append_reply::absent);
  CHECK(look(world, 3, 1).at == one.digest);
  chain elsewhere{4};
  CHECK(append(world, elsewhere.next("of another partition", record_kind::genesis), nothing) ==
        append_reply::stored);
}

TEMPLATE_TEST_CASE("a record is stored only behind the one that it follows", "[conformance]", simulated_world,
                   postgres_world) {
  TestType made;
  table_world& world = made;
  chain records{0};
  fill(world, records, 2);
  auto other = records;
  const auto third = records.next("third");
  const auto otherwise = other.next("otherwise");
  const auto fourth = records.next("fourth");

  CHECK(append(world, fourth, third.digest) == append_reply::absent); // number 3 is not there
  CHECK_FALSE(look(world, 0, 4).before);
  CHECK(append(world, third, record_digest{1}) == append_reply::absent); // number 2 is another
  CHECK(look(world, 0, 3).before != record_digest{1});
  CHECK(append(world, third, other.before) == append_reply::stored);
  CHECK(append(world, third, other.before) == append_reply::absent);
  CHECK(append(world, otherwise, other.before, 1) == append_reply::absent);
  const auto seen = look(world, 0, 3);
  CHECK(seen.at == third.digest);
  CHECK(seen.before == other.before);
  CHECK(seen.last == 3);
  CHECK_FALSE(seen.halted);
  CHECK(append(world, fourth, third.digest, 1) == append_reply::stored);
}

TEMPLATE_TEST_CASE("rows are read as they were written, in pages", "[conformance]", simulated_world,
                   postgres_world) {
  TestType made;
  table_world& world = made;
  chain records{7};
  auto written = std::vector<log_row>{};
  auto every_byte = std::string{};
  for (auto i = 0; i < 256; ++i)
    every_byte += static_cast<char>(i);
  for (auto i = 0; i < 5; ++i) {
    auto row =
        records.next(i == 2 ? std::string{} : every_byte, i == 0 ? record_kind::genesis : record_kind::round);
    row.head.epoch = std::uint64_t{1} << 40;
    row.digest = digest_of(records.before, row.head, row.body);
    records.last = row.digest;
    REQUIRE(append(world, row, records.before) == append_reply::stored);
    written.push_back(std::move(row));
  }
  auto page = read(world, 7, 1, 1'000'000);
  REQUIRE(page.rows.size() == 5);
  for (auto i = 0u; i < 5; ++i) {
    CHECK(page.rows[i].head == written[i].head);
    CHECK(page.rows[i].digest == written[i].digest);
    CHECK(page.rows[i].body == written[i].body);
  }
  CHECK(page.last == 5);
  CHECK(read(world, 7, 2, 0).rows.size() == 1); // one at least
  CHECK(read(world, 7, 1, 255).rows.size() == 1);
  CHECK(read(world, 7, 1, 256).rows.size() == 2); // past the first, what is before counts
  page = read(world, 7, 4, 1'000'000);
  REQUIRE(page.rows.size() == 2);
  CHECK(page.rows[0].head.number == 4);
  page = read(world, 7, 6, 1'000'000);
  CHECK(page.rows.empty());
  CHECK(page.last == 5);
  CHECK(page.trimmed_to == 0);
  CHECK(page.before == written[4].digest);
  CHECK(read(world, 7, 4, 0).before == written[2].digest);
  CHECK_FALSE(read(world, 7, 1, 0).before);
}

TEMPLATE_TEST_CASE("what is trimmed is gone, and says so", "[conformance]", simulated_world, postgres_world) {
  TestType made;
  table_world& world = made;
  chain records{1};
  fill(world, records, 6);
  const auto trim = [&](std::uint64_t below, std::uint64_t epoch = 2) {
    return world.ask<bool>([&](auto done) { world.table().trim(1, epoch, below, done); });
  };
  CHECK_FALSE(trim(4)); // nobody's yet
  CHECK(world.ask<bool>([&](auto done) { world.table().note_owner(1, "a", 2, done); }));
  CHECK_FALSE(trim(4, 1)); // of an owner before
  CHECK(read(world, 1, 1, 1'000).trimmed_to == 0);
  CHECK(trim(4));
  auto page = read(world, 1, 1, 1'000'000);
  CHECK(page.trimmed_to == 4);
  REQUIRE(page.rows.size() == 3);
  CHECK(page.rows[0].head.number == 4);
  CHECK(trim(2)); // never back
  CHECK(read(world, 1, 1, 1'000).trimmed_to == 4);
  const auto seen = look(world, 1, 3);
  CHECK_FALSE(seen.at);
  CHECK(seen.trimmed_to == 4);
  const auto row = records.next("seventh");
  CHECK(append(world, row, records.before) == append_reply::stored);
}

TEMPLATE_TEST_CASE("a log is trimmed some rows at a time, the oldest first", "[conformance]", simulated_world,
                   postgres_world) {
  TestType made;
  table_world& world = made;
  chain records{1};
  constexpr auto some = static_cast<std::uint64_t>(postgres_table::trim_rows);
  fill(world, records, static_cast<int>(some) + 200, "");
  CHECK(world.ask<bool>([&](auto done) { world.table().note_owner(1, "a", 2, done); }));
  const auto trim = [&] {
    return world.ask<bool>([&](auto done) { world.table().trim(1, 2, some + 100, done); });
  };
  CHECK_FALSE(trim());
  auto page = read(world, 1, 1, 0);
  CHECK(page.trimmed_to == some + 100); // said before it is so
  REQUIRE_FALSE(page.rows.empty());
  CHECK(page.rows[0].head.number == some + 1);
  CHECK(trim());
  CHECK(read(world, 1, 1, 0).rows[0].head.number == some + 100);
  CHECK(trim());
}

TEMPLATE_TEST_CASE("a halted partition takes nothing", "[conformance]", simulated_world, postgres_world) {
  TestType made;
  table_world& world = made;
  chain records{2};
  fill(world, records, 1);
  CHECK(read(world, 2, 1, 1'000).halted == "");
  CHECK(world.ask<bool>([&](auto done) { world.table(1).halt(2, "the log went back", done); }));
  CHECK(world.ask<bool>([&](auto done) { world.table().halt(2, "again", done); }));
  const auto row = records.next("second");
  CHECK(append(world, row, records.before) == append_reply::absent);
  CHECK(look(world, 2, 2).halted);
  CHECK(read(world, 2, 1, 1'000).halted == "the log went back"); // with rows
  CHECK(read(world, 2, 2, 1'000).halted == "the log went back"); // and without
  chain elsewhere{9};
  fill(world, elsewhere, 1);
}

TEMPLATE_TEST_CASE("of two who append the same number one has it", "[conformance]", simulated_world,
                   postgres_world) {
  TestType made;
  table_world& world = made;
  chain records{5};
  fill(world, records, 1);
  record_appender nodes[2] = {
      record_appender{{&world.table(0), [&](std::int64_t ms, auto then) { world.wait(ms, then); }}},
      record_appender{{&world.table(1), [&](std::int64_t ms, auto then) { world.wait(ms, then); }}}};
  for (auto round = 0; round < 20; ++round) {
    auto other = records;
    const auto mine = records.next("of the first");
    const auto yours = other.next("of the second");
    std::promise<record_appender::settled> promises[2];
    nodes[0].append(mine, records.before, [&](auto how) { promises[0].set_value(how); });
    nodes[1].append(yours, other.before, [&](auto how) { promises[1].set_value(how); });
    world.settle();
    const auto first = promises[0].get_future().get().how;
    const auto second = promises[1].get_future().get().how;
    REQUIRE((first == append_settling::step::durable) != (second == append_settling::step::durable));
    REQUIRE((first == append_settling::step::lost) != (second == append_settling::step::lost));
    const auto seen = look(world, 5, mine.head.number);
    CHECK(seen.at == (first == append_settling::step::durable ? mine.digest : yours.digest));
    records.last = *seen.at;
  }
}

TEMPLATE_TEST_CASE("a glance shows a log's end, what is certain there, and who owns the partition",
                   "[conformance]", simulated_world, postgres_world) {
  TestType made;
  table_world& world = made;
  const auto glance = [&](std::uint32_t partition, std::uint64_t known) {
    auto seen = world.ask<log_table::glance_answer>(
        [&](auto done) { world.table(1).glance(partition, known, done); });
    INFO(seen.detail);
    REQUIRE(seen.answered);
    return seen;
  };
  const auto note = [&](const std::string& node, std::uint64_t epoch) {
    CHECK(world.ask<bool>([&](auto done) { world.table(0).note_owner(5, node, epoch, done); }));
  };
  CHECK(glance(5, 0).last == 0);
  CHECK_FALSE(glance(5, 1).known);

  chain records{5};
  fill(world, records, 4); // each says that the one before is durable
  auto seen = glance(5, 0);
  CHECK(seen.last == 4);
  CHECK(seen.durable_to == 3);
  CHECK(seen.durable == records.before);
  CHECK_FALSE(seen.known);
  CHECK(seen.owner.empty());
  CHECK(glance(5, 4).known == records.last);
  CHECK_FALSE(glance(5, 5).known);

  note("a", 2);
  note("b", 3);
  note("a", 2); // late
  seen = glance(5, 3);
  CHECK(seen.owner == "b");
  CHECK(seen.epoch == 3);
  CHECK(seen.known == seen.durable);
  CHECK(world.ask<bool>([&](auto done) { world.table(0).trim(5, 3, 4, done); }));
  seen = glance(5, 3);
  CHECK(seen.trimmed_to == 4);
  CHECK_FALSE(seen.known);
}
