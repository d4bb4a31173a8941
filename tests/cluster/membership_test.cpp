#include "cluster/copy_board.hpp"
#include "cluster/membership.hpp"
#include "cluster/postgres_members.hpp"
#include "tests/cluster/table_world.hpp"

#include <catch2/catch_test_macros.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace vicket;
using namespace vicket::testing;

namespace {

/// Whose calls are answered when the test says so.
class scripted_members final : public member_table {
public:
  void enter(const member&, std::function<void(enter_answer)> done) override {
    enters.push_back(std::move(done));
  }
  void beat(const member& self, std::uint64_t incarnation, std::function<void(beat_answer)> done) override {
    last = self;
    last_incarnation = incarnation;
    beats.push_back(std::move(done));
  }
  void list(std::function<void(list_answer)> done) override { lists.push_back(std::move(done)); }
  void list_copies(std::function<void(copies_answer)> done) override { copies.push_back(std::move(done)); }
  void tell_copies(const std::vector<copy>& own) override { told.push_back(own); }
  void note_copies(std::uint32_t, std::uint64_t, const std::vector<std::string>&) override {}

  template <class Answer>
  static void answer(std::deque<std::function<void(Answer)>>& calls, Answer with) {
    REQUIRE(calls.size() == 1);
    const auto done = std::move(calls.front());
    calls.pop_front();
    done(std::move(with));
  }
  [[nodiscard]] std::size_t under_way() const { return enters.size() + beats.size() + lists.size(); }

  std::deque<std::function<void(enter_answer)>> enters;
  std::deque<std::function<void(beat_answer)>> beats;
  std::deque<std::function<void(list_answer)>> lists;
  std::deque<std::function<void(copies_answer)>> copies;
  std::vector<std::vector<copy>> told;
  member last;
  std::uint64_t last_incarnation = 0;
};

struct one_member {
  explicit one_member(const std::string& name = "a") {
    membership::setup setup;
    setup.table = &table;
    setup.self.node = name;
    setup.self.life = "mine";
    setup.now_ms = [this] { return now; };
    setup.lived = [this](std::int64_t sent) { lived.push_back(sent); };
    setup.replaced = [this] { ++replaced; };
    it = std::make_unique<membership>(std::move(setup));
  }

  void tick_at(std::int64_t ms) {
    now = ms;
    it->tick();
  }

  scripted_members table;
  std::int64_t now = 0;
  std::vector<std::int64_t> lived;
  int replaced = 0;
  std::unique_ptr<membership> it;
};

member_row row(const std::string& node, std::uint64_t incarnation, std::uint64_t beats,
               const std::string& life = "some") {
  member_row made;
  made.life = life;
  made.node = node;
  made.incarnation = incarnation;
  made.beats = beats;
  return made;
}

} // namespace

TEST_CASE("a member enters until that is known to be durable, and then shows signs of life") {
  one_member m;
  m.tick_at(1'000);
  m.tick_at(1'100);
  scripted_members::answer(m.table.enters, {false, 0, "the connection is gone"});
  CHECK(m.it->trouble() == "the connection is gone");
  m.tick_at(1'200); // not all the time
  CHECK(m.table.under_way() == 0);
  m.tick_at(1'400);
  scripted_members::answer(m.table.enters, {true, 7, ""});
  CHECK(m.it->incarnation() == 7);
  CHECK(m.it->trouble().empty());
  CHECK(m.lived.empty()); // of entering nothing is said of how long the table takes
  m.tick_at(1'500);
  CHECK(m.table.last_incarnation == 7);
  m.now = 1'700;
  scripted_members::answer(m.table.beats, {true, false, ""});
  CHECK(m.lived == std::vector<std::int64_t>{1'500}); // when it was sent
  scripted_members::answer(m.table.lists, {true, {row("a", 7, 1), row("b", 2, 40)}, ""});
  CHECK(m.it->rows().size() == 2);
  CHECK(m.it->others().is_present("b", 1'700));
  m.tick_at(1'899);
  CHECK(m.table.under_way() == 0);
  m.it->say_wrong("its disk is full");
  m.tick_at(1'900);
  CHECK(m.table.last.wrong == "its disk is full");
  m.tick_at(2'899);
  CHECK(m.it->trouble().empty());
  m.tick_at(4'000);
  CHECK(m.it->trouble() == "the table has not answered for 2 s");
}

TEST_CASE("what is wrong is said in a way that no table refuses") {
  one_member m;
  m.it->say_wrong(std::string("a\xff\n\0z", 5) + std::string(1'000, 'x'));
  m.tick_at(0);
  scripted_members::answer(m.table.enters, {true, 1, ""});
  m.tick_at(100);
  CHECK(m.table.last.wrong == "a???z" + std::string(membership::most_wrong_bytes - 5 - 3, 'x') + "...");
}

TEST_CASE("a sign of life that is not known to be durable is none") {
  one_member m;
  m.tick_at(0);
  scripted_members::answer(m.table.enters, {true, 1, ""});
  m.tick_at(100);
  scripted_members::answer(m.table.beats, {false, false, "it waits for the standby"});
  CHECK(m.lived.empty());
  CHECK(m.it->trouble() == "it waits for the standby");
  scripted_members::answer(m.table.lists, {false, {}, "there is no connection"});
  CHECK(m.it->trouble() == "there is no connection");
  m.tick_at(500);
  CHECK(m.table.beats.size() == 1);
}

TEST_CASE("one that was replaced says so once, and shows no more signs of life") {
  one_member m;
  m.tick_at(0);
  scripted_members::answer(m.table.enters, {true, 1, ""});
  m.tick_at(100);
  scripted_members::answer(m.table.beats, {false, true, ""});
  CHECK(m.replaced == 0); // who has replaced it?
  scripted_members::answer(m.table.lists, {true, {row("a", 2, 0, "another")}, ""});
  CHECK(m.replaced == 1);
  m.tick_at(10'000);
  CHECK(m.table.under_way() == 0);
  CHECK(m.replaced == 1);
}

TEST_CASE("one whose row was lost with a failover enters again, and has not been replaced") {
  one_member m;
  m.tick_at(0);
  scripted_members::answer(m.table.enters, {true, 3, ""});
  m.tick_at(100);
  scripted_members::answer(m.table.beats, {false, true, ""});
  SECTION("there is none") {
    scripted_members::answer(m.table.lists, {true, {row("b", 9, 0, "other")}, ""});
  }
  SECTION("there is an earlier life's") {
    scripted_members::answer(m.table.lists, {true, {row("a", 2, 70, "earlier")}, ""});
  }
  SECTION("there is its own, of another number") {
    scripted_members::answer(m.table.lists, {true, {row("a", 4, 0, "mine")}, ""});
  }
  CHECK(m.replaced == 0);
  CHECK(m.it->incarnation() == 0);
  m.tick_at(500);
  scripted_members::answer(m.table.enters, {true, 4, ""});
  CHECK(m.it->incarnation() == 4);
}

TEST_CASE("the table of copies is read every second, and what is new is told with the next look") {
  using copy = member_table::copy;
  scripted_members table;
  std::int64_t now = 0;
  copy_board board{{&table, 2, [&] { return now; }}};
  std::vector<copy> own{{1, "a", 7, false}};
  const auto tick_at = [&](std::int64_t ms) {
    now = ms;
    board.tick(own);
  };
  tick_at(0);
  tick_at(100); // one look at a time
  CHECK(board.reads() == 0);
  scripted_members::answer(table.copies, {false, {}});
  CHECK(board.reads() == 0);
  tick_at(200);
  scripted_members::answer(table.copies, {true, {{1, "a", 0, false}, {1, "b", 9, true}, {9, "c", 1, true}}});
  CHECK(board.reads() == 1);
  CHECK(board.of(0).empty());
  CHECK(board.nodes_of(1) == std::vector<std::string>{"a", "b"});
  CHECK(board.is_complete(1, "b"));
  CHECK_FALSE(board.is_complete(1, "a"));
  CHECK_FALSE(board.is_complete(1, "c"));
  tick_at(1'100);
  CHECK(table.copies.empty());
  CHECK(table.told.empty()); // its position has time
  own[0].complete = true;
  tick_at(1'200);
  CHECK(table.told.empty()); // until it is known what the table says
  scripted_members::answer(table.copies, {true, {{1, "a", 0, false}}});
  tick_at(1'300);
  REQUIRE(table.told.size() == 1);
  CHECK(table.told[0].at(0).complete);
  tick_at(2'200);
  scripted_members::answer(table.copies, {true, {{1, "a", 7, true}}});
  tick_at(2'300);
  CHECK(table.told.size() == 1);
  tick_at(12'000);
  scripted_members::answer(table.copies, {true, {{1, "a", 7, true}}});
  tick_at(12'100);
  CHECK(table.told.size() == 2); // how far it is
}

TEST_CASE("who keeps a partition is noted by its owner alone, and how far they are by themselves",
          "[conformance]") {
  using copies = member_table::copies_answer;
  postgres_world world;
  internal::io_thread io{[](const std::string&) {}};
  postgres_members members{{&io, the_postgres().conninfo(), world.schema()}};
  const auto text = [&] {
    const auto found = world.ask<copies>([&](auto done) { members.list_copies(done); });
    REQUIRE(found.answered);
    std::string all;
    for (const auto& row : found.rows)
      all += std::to_string(row.partition) + row.node + std::to_string(row.synced_to) +
             (row.complete ? "! " : " ");
    return all;
  };
  REQUIRE(world.ask<bool>([&](auto done) { world.table(0).note_owner(3, "a", 5, done); }));
  CHECK(text().empty());
  members.tell_copies({{3, "a", 17, true}}); // nobody has said that it keeps it
  CHECK(text().empty());
  members.note_copies(3, 4, {"x", "y"}); // an owner that was deposed
  CHECK(text().empty());
  members.note_copies(3, 5, {"b", "a"});
  CHECK(text() == "3a0 3b0 ");
  members.tell_copies({{3, "a", 17, true}, {4, "a", 1, true}});
  CHECK(text() == "3a17! 3b0 ");
  members.note_copies(3, 5, {"a", "c"});
  CHECK(text() == "3a17! 3c0 ");
  members.tell_copies({{3, "a", 18, false}});
  CHECK(text() == "3a18 3c0 ");
}

TEST_CASE("members in PostgreSQL see each other, and a node's next life ends the one before",
          "[conformance]") {
  postgres_world world;
  internal::io_thread io{[](const std::string&) {}};
  postgres_members first{{&io, the_postgres().conninfo(), world.schema()}};
  postgres_members second{{&io, the_postgres().conninfo(), world.schema()}};
  const auto enter = [&](member_table& table, const member& self) {
    return world.ask<member_table::enter_answer>([&](auto done) { table.enter(self, done); });
  };
  const auto beat = [&](member_table& table, const member& self, std::uint64_t incarnation) {
    return world.ask<member_table::beat_answer>([&](auto done) { table.beat(self, incarnation, done); });
  };
  member a{"a", "life 1", "zone 1", "10.0.0.1:7400", 1, 2, "up", ""};
  member b{"b", "life 2", "", "10.0.0.2:7400, 'quoted'", 1, 1, "up", ""};
  CHECK(enter(first, a).incarnation == 1);
  CHECK(enter(first, a).incarnation == 1); // an end that was not known
  CHECK(enter(second, b).incarnation == 1);
  a.wrong = "its disk is full";
  CHECK(beat(first, a, 1).acknowledged);
  CHECK(beat(first, a, 1).acknowledged);
  const auto list = world.ask<member_table::list_answer>([&](auto done) { second.list(done); });
  REQUIRE(list.answered);
  REQUIRE(list.rows.size() == 2);
  const auto& row = list.rows[0];
  CHECK(row.node == "a");
  CHECK(row.life == "life 1");
  CHECK(row.zone == "zone 1");
  CHECK(row.addresses == "10.0.0.1:7400");
  CHECK(row.protocol_from == 1);
  CHECK(row.protocol_to == 2);
  CHECK(row.state == "up");
  CHECK(row.wrong == "its disk is full");
  CHECK(row.incarnation == 1);
  CHECK(row.beats == 2);
  CHECK(row.timeline == 1);
  CHECK(list.rows[1].addresses == b.addresses);
  CHECK(list.rows[1].beats == 0);

  auto next = a;
  next.life = "life 3";
  CHECK(enter(second, next).incarnation == 2); // from another process
  const auto late = beat(first, a, 1);
  CHECK(late.absent);
  CHECK_FALSE(late.acknowledged);
  CHECK(beat(first, a, 2).absent); // its number alone does not make it the same
  CHECK(beat(second, next, 2).acknowledged);
  a.node = "c";
  CHECK(beat(first, a, 1).absent); // it never was there, or was removed
}
