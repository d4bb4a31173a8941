#include "tests/cluster/keeper_world.hpp"

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace vicket;
using namespace vicket::testing;

namespace {

std::shared_ptr<const record_codec> the_codec() {
  static const auto codec = std::make_shared<const record_codec>(
      std::make_shared<secret_box>(secret_bytes{std::string(secret_box::key_bytes, 'k')}), "cluster");
  return codec;
}

/// A log whose records this writes itself.
struct written_log {
  log_history write(record_kind kind, const std::string& body) {
    const auto before = history.digest();
    const auto head =
        history.empty() ? record_head{0, 1, 1, kind, 0} : history.next(kind, history.last().number);
    log_row row{head, {}, the_codec()->seal(head, before, body)};
    row.digest = digest_of(before, head, row.body);
    REQUIRE(history.take(row.head, row.digest, row.body) == "");
    table.append(row, before, false, [](const auto&) {});
    database.let_all_happen();
    return history;
  }

  simulated_database database;
  simulated_table table{database};
  log_history history;
};

/// Of a keeper that reads this log from there on, whose store takes everything.
partition_keeper::setup setup_of(written_log& log, const log_history& begin, const claim_owner& self,
                                 std::function<std::int64_t()> now_ms) {
  partition_keeper::setup setup;
  setup.self = self;
  setup.appender = {&log.table, [](std::int64_t, auto then) { then(); }};
  setup.codec = the_codec();
  setup.begin.history = begin;
  setup.now_ms = std::move(now_ms);
  setup.apply = [](const auto&, const auto&, auto) { return true; };
  setup.changed = [](auto, const auto&) {};
  return setup;
}
std::int64_t at_no_time() {
  return 0;
}

} // namespace

TEST_CASE("a keeper knows whose claim was the last, and waits for no silence when that life is over") {
  written_log log;
  const auto begin = log.write(record_kind::genesis, {});
  log.write(record_kind::claim, "node-a/7");
  log.write(record_kind::round, "one");

  std::int64_t now = 1'000;
  auto setup = setup_of(log, begin, {"node-b", 2}, [&] { return now; });
  partition_keeper keeper{std::move(setup)};
  CHECK_FALSE(keeper.seen().owner);
  const auto look = [&] {
    now += 100;
    keeper.poll();
    log.database.let_all_happen();
    keeper.lived(now);
  };
  look();
  CHECK(keeper.seen().owner == claim_owner{"node-a", 7});
  look();
  keeper.tick(0);
  CHECK(keeper.now() == partition_keeper::role::following); // node-a may live

  keeper.owner_is_gone();
  keeper.tick(1);
  CHECK(keeper.now() == partition_keeper::role::following); // another comes first, for half a second
  keeper.tick(0);
  CHECK(keeper.now() == partition_keeper::role::claiming);
  log.database.let_all_happen();
  CHECK(keeper.now() == partition_keeper::role::owning);
  CHECK(keeper.seen().owner == claim_owner{"node-b", 2});
  CHECK_FALSE(keeper.may_act()); // for as long as that life, if it is not over, may believe that it owns
  keeper.owner_is_gone();        // of no consequence for an owner
  keeper.tick(0);
  CHECK(keeper.now() == partition_keeper::role::owning);
}

TEST_CASE("who needs what was trimmed is behind, and who does not goes on") {
  written_log log;
  const auto begin = log.write(record_kind::genesis, {});
  log.write(record_kind::claim, "node-a/1");
  const auto third = log.write(record_kind::round, "one");
  const auto fourth = log.write(record_kind::round, "two");
  log.write(record_kind::round, "three");
  log.table.note_owner(0, "node-a", 2, [](bool) {});
  log.table.trim(0, 2, 4, [](bool) {});
  log.database.let_all_happen();

  const auto role_from = [&](const log_history& from) {
    std::string told;
    auto setup = setup_of(log, from, {"node-b", 1}, at_no_time);
    setup.changed = [&](auto, const std::string& why) { told = why; };
    partition_keeper keeper{std::move(setup)};
    keeper.poll();
    log.database.let_all_happen();
    const auto is = keeper.now();
    CHECK(told == (is == partition_keeper::role::behind ? "the log begins with record 4" : ""));
    CHECK(keeper.trimmed_to() == (is == partition_keeper::role::behind ? 0 : 4));
    CHECK(log.database.is_halted(0) == false);
    return is;
  };
  CHECK(role_from({}) == partition_keeper::role::behind);
  CHECK(role_from(begin) == partition_keeper::role::behind);
  CHECK(role_from(third) == partition_keeper::role::behind);
  CHECK(role_from(fourth) == partition_keeper::role::following);
}

TEST_CASE("rows that were trimmed while a page was read are no gap in the log, and a gap is one") {
  /// Of a page the first row is missing.
  class cut_table final : public simulated_table {
  public:
    using simulated_table::simulated_table;
    void read(std::uint32_t of, std::uint64_t from, std::size_t bytes,
              std::function<void(read_answer)> done) override {
      simulated_table::read(of, from, bytes, [this, done](read_answer page) {
        if (cuts && !page.rows.empty())
          page.rows.erase(page.rows.begin());
        done(std::move(page));
      });
    }
    bool cuts = true;
  };
  const bool once = GENERATE(true, false);
  written_log log;
  const auto begin = log.write(record_kind::genesis, {});
  log.write(record_kind::claim, "node-a/1");
  log.write(record_kind::round, "one");
  cut_table table{log.database};
  auto setup = setup_of(log, begin, {"node-b", 1}, at_no_time);
  setup.appender.table = &table;
  partition_keeper keeper{std::move(setup)};
  keeper.poll();
  log.database.let_all_happen();
  CHECK(keeper.now() == partition_keeper::role::following);
  CHECK(keeper.seen().history.last().number == 1);
  table.cuts = !once;
  keeper.poll();
  log.database.let_all_happen();
  CHECK(keeper.now() == (once ? partition_keeper::role::following : partition_keeper::role::broken));
  CHECK(keeper.seen().history.last().number == (once ? 3 : 1));
}

TEST_CASE("a claim that names nobody stops the reader") {
  const std::string body =
      GENERATE("node-a", "node-a/", "node-a/x", "node-a/1x", "node-a/99999999999999999999");
  written_log log;
  const auto begin = log.write(record_kind::genesis, {});
  log.write(record_kind::claim, body);
  auto setup = setup_of(log, begin, {}, at_no_time);
  std::string told;
  setup.changed = [&](auto, const std::string& why) { told = why; };
  partition_keeper keeper{std::move(setup)};
  keeper.poll();
  log.database.let_all_happen();
  CHECK(keeper.now() == partition_keeper::role::broken);
  CHECK(told == "record 2 of partition 0 is a claim that names nobody");
}

TEST_CASE("a round that the store could not apply is none of what it has") {
  written_log log;
  const auto begin = log.write(record_kind::genesis, {});
  log.write(record_kind::claim, "node-a/1");
  const auto one = log.write(record_kind::round, "one");
  log.write(record_kind::round, "two");
  log.write(record_kind::round, "three"); // after which two is known to be durable

  std::int64_t now = 0;
  bool fits = false;
  auto setup = setup_of(log, begin, {"node-b", 1}, [&] { return now; });
  setup.apply = [&](const record_head&, const record_digest&, std::string_view round) {
    return fits || round != "two";
  };
  partition_keeper keeper{std::move(setup)};
  keeper.poll();
  log.database.let_all_happen();
  CHECK(keeper.now() == partition_keeper::role::stalled);
  CHECK(keeper.applied().history.last() == one.last());
  CHECK(keeper.applied().owner == claim_owner{"node-a", 1});
  // It goes on to say who owns it, and neither applies nor claims anything.
  fits = true;
  log.write(record_kind::round, "three");
  log.write(record_kind::claim, "node-c/2");
  log.write(record_kind::yield, {});
  for (auto i = 0; i < 100; ++i) {
    now += 100;
    keeper.lived(now);
    keeper.poll();
    keeper.tick(0);
    log.database.let_all_happen();
  }
  CHECK(keeper.seen().owner == claim_owner{"node-c", 2});
  CHECK(keeper.now() == partition_keeper::role::stalled);
  CHECK(keeper.applied().history.last() == one.last());
}

TEST_CASE("an owner whose store fails has the rounds before, whatever the log has") {
  written_log log;
  const auto begin = log.write(record_kind::genesis, {});
  std::int64_t now = 1'000;
  bool fits = true;
  auto setup = setup_of(log, begin, {"node-a", 1}, [&] { return now; });
  setup.apply = [&](const auto&, const auto&, auto) { return fits; };
  partition_keeper keeper{std::move(setup)};
  for (; keeper.now() != partition_keeper::role::owning; now += 100) {
    REQUIRE(now < 60'000);
    keeper.poll();
    log.database.let_all_happen();
    keeper.lived(now);
    keeper.tick(0);
    log.database.let_all_happen();
  }
  // Who can't vouch for the owner before it does not let go.
  const auto waits = GENERATE(true, false);
  if (waits)
    for (auto i = 0; i < 40; ++i) {
      now += 100;
      keeper.tick(0);
      log.database.let_all_happen();
    }
  keeper.append("one", [](auto) {});
  log.database.let_all_happen();
  const auto before = keeper.applied().history.last();
  SECTION("with the round that does not fit") {
    fits = false;
    keeper.append("two", [](auto) {});
  }
  SECTION("while a round is under way") {
    keeper.append("two", [](auto) {});
    keeper.stall("full");
    CHECK(keeper.now() == partition_keeper::role::stalled);
  }
  SECTION("while it lets go") {
    if (!waits)
      return;
    keeper.yield();
    keeper.stall("full");
    log.database.let_all_happen();
    CHECK(keeper.now() == partition_keeper::role::stalled);
    CHECK(log.database.rows(0).rbegin()->first == before.number + 1); // once
    CHECK(log.database.rows(0).rbegin()->second.head.kind == record_kind::yield);
    return;
  }
  log.database.let_all_happen();
  CHECK(keeper.now() == partition_keeper::role::stalled);
  CHECK(keeper.applied().history.last() == before);
  REQUIRE(log.database.rows(0).rbegin()->first ==
          before.number + (waits ? 2 : 1)); // it is in the log all the same
  CHECK((log.database.rows(0).rbegin()->second.head.kind == record_kind::yield) ==
        waits); // and nobody has to wait
  CHECK_FALSE(keeper.busy());
}

TEST_CASE(
    "an owner says who keeps the partition, between two rounds, and followers know when that is durable") {
  written_log log;
  const auto begin = log.write(record_kind::genesis, {});
  std::int64_t now = 1'000;
  const auto keeper_of = [&](const std::string& node) {
    auto setup = setup_of(log, begin, {node, 1}, [&] { return now; });
    return std::make_unique<partition_keeper>(std::move(setup));
  };
  const auto owner = keeper_of("node-a");
  const auto follower = keeper_of("node-b");
  const auto read = [&](partition_keeper& keeper) {
    keeper.poll();
    log.database.let_all_happen();
  };
  owner->hand_to({"node-a"}); // it is none yet
  for (; owner->now() != partition_keeper::role::owning; now += 100) {
    REQUIRE(now < 60'000);
    read(*owner);
    owner->lived(now);
    owner->tick(0);
    log.database.let_all_happen();
  }
  CHECK(owner->applied().copies.empty());

  owner->append("one", [](auto) {});
  owner->append("two", [](auto) {});
  const placement_copies both{"node-a", "node-b"};
  owner->hand_to(both);
  log.database.let_happen(0, simulated_database::fate::done);
  CHECK(owner->seen().copies.empty());  // under way
  owner->hand_to({"node-a", "node-c"}); // one at a time
  log.database.let_all_happen();
  CHECK(owner->applied().copies == both);
  std::vector<record_kind> kinds;
  for (const auto& [number, row] : log.database.rows(0))
    kinds.push_back(row.head.kind);
  CHECK(kinds == std::vector{record_kind::genesis, record_kind::claim, record_kind::round,
                             record_kind::copies, record_kind::round});

  read(*follower);
  CHECK(follower->caught_up());
  CHECK(follower->seen().copies == both);
  CHECK(follower->applied().copies == both); // the round behind it says that it is durable
  owner->hand_to({"node-a", "node-c"});
  log.database.let_all_happen();
  read(*follower);
  CHECK(follower->seen().copies == placement_copies{"node-a", "node-c"});
  CHECK(follower->applied().copies == both);
  owner->append("three", [](auto) {});
  log.database.let_all_happen();
  read(*follower);
  CHECK(follower->applied().copies == placement_copies{"node-a", "node-c"});
}

TEST_CASE("a record that does not say who keeps the partition stops the reader") {
  written_log log;
  const auto begin = log.write(record_kind::genesis, {});
  log.write(record_kind::claim, "node-a/1");
  log.write(record_kind::copies, "node-a,,node-b");
  auto setup = setup_of(log, begin, {}, at_no_time);
  partition_keeper keeper{std::move(setup)};
  keeper.poll();
  log.database.let_all_happen();
  CHECK(keeper.now() == partition_keeper::role::broken);
}

TEST_CASE("who has not read all of a log claims nothing, whoever seems to be gone") {
  written_log log;
  const auto begin = log.write(record_kind::genesis, {});
  log.write(record_kind::claim, "node-a/1");
  for (auto i = 0; i < 3; ++i)
    log.write(record_kind::round, "round");
  std::int64_t now = 1'000;
  auto setup = setup_of(log, begin, {"node-b", 1}, [&] { return now; });
  partition_keeper keeper{std::move(setup)};
  log.database.read_rows = 2;
  for (bool first = true; !keeper.caught_up(); first = false) {
    REQUIRE(now < 60'000);
    now += 100;
    keeper.poll();
    log.database.let_all_happen();
    keeper.lived(now);
    keeper.owner_is_gone();
    if (first)
      CHECK_FALSE(keeper.caught_up());
    keeper.tick(0);
    CHECK(keeper.now() ==
          (keeper.caught_up() ? partition_keeper::role::claiming : partition_keeper::role::following));
  }
}

TEST_CASE("a log that went back is halted for all, also when the first try is lost") {
  written_log log;
  log.write(record_kind::genesis, {});
  auto& database = log.database;

  const log_history begin{{0, 2, 2, record_kind::claim, 1}, {7}, true}; // its store has more than the log
  auto setup = setup_of(log, begin, {}, at_no_time);
  partition_keeper keeper{std::move(setup)};
  keeper.poll();
  database.let_happen(0, simulated_database::fate::done); // it reads
  CHECK(keeper.now() == partition_keeper::role::broken);
  REQUIRE(database.under_way() == 1);
  database.let_happen(0, simulated_database::fate::cut_before);
  CHECK_FALSE(database.is_halted(0));
  keeper.poll();
  REQUIRE(database.under_way() == 1);
  database.let_happen(0, simulated_database::fate::done);
  CHECK(database.is_halted(0));
  keeper.poll(); // and no more
  CHECK(database.under_way() == 0);
  CHECK(keeper.halted() ==
        "the log went back: record 2 of partition 0 is not there any more, or another one");
}

TEST_CASE("a partition that is halted is not claimed, and everybody who follows it knows why") {
  written_log log;
  log.write(record_kind::genesis, {});
  std::int64_t now = 0;
  partition_keeper::setup setup;
  setup.self = {"node-b", 1};
  setup.appender = {&log.table, [](std::int64_t, auto then) { then(); }};
  setup.codec = the_codec();
  setup.now_ms = [&] { return now; };
  setup.apply = [](const auto&, const auto&, auto) { return true; };
  setup.changed = [](auto, const auto&) {};
  partition_keeper keeper{std::move(setup)};
  const auto live_for_a_while = [&] {
    for (auto i = 0; i < 100; ++i) {
      now += 100;
      keeper.lived(now);
      keeper.poll();
      keeper.tick(0);
      log.database.let_all_happen();
    }
  };
  log.table.halt(0, "record 7 is gone", [](bool) {});
  log.database.let_all_happen();
  live_for_a_while();
  CHECK(keeper.now() == partition_keeper::role::following);
  CHECK(keeper.halted() == "record 7 is gone");
  log.database.go_on(0);
  live_for_a_while();
  CHECK(keeper.halted().empty());
  CHECK(keeper.now() == partition_keeper::role::owning);
}

TEST_CASE("nodes that keep a partition agree, whatever happens to them and to the database", "[simulation]") {
  auto acknowledged = std::size_t{0};
  auto claims = std::size_t{0};
  auto acts = std::size_t{0};
  auto moves = std::size_t{0};
  for (std::uint64_t i = 0; i < 25; ++i) {
    const auto seed = std::uint64_t{Catch::getSeed()} * 1'000 + i;
    keeper_world world{seed, 3 + i % 2, {}};
    world.run(60'000);
    world.calm_down();
    INFO("seed " << seed);
    REQUIRE(world.violation() == "");
    acknowledged += world.acknowledged();
    claims += world.claims();
    acts += world.acts();
    moves += world.moves();
  }
  CHECK(acknowledged > 10'000);
  CHECK(claims > 150);
  CHECK(acts > 10'000);
  CHECK(moves > 100);
}

TEST_CASE(
    "what a keeper has applied is complete as of the sending of a poll that found nothing more to apply") {
  written_log log;
  const auto begin = log.write(record_kind::genesis, {});
  log.write(record_kind::claim, "node-a/1");
  std::int64_t now = 1'000;
  partition_keeper keeper{setup_of(log, begin, {"node-b", 1}, [&] { return now; })};
  CHECK(keeper.complete_ms() == 0);
  const auto poll = [&] {
    now += 100;
    keeper.poll();
    now += 10; // until its answer
    log.database.let_all_happen();
  };
  poll();
  CHECK(keeper.complete_ms() == 1'100);
  log.write(record_kind::round,
            {}); // a sign of life is known to be durable a second later, and changes nothing
  poll();
  CHECK(keeper.complete_ms() == 1'210);
  log.write(record_kind::round, "one");
  poll();
  CHECK(keeper.complete_ms() == 1'210); // it may be durable by now, and is not applied
  log.write(record_kind::round, {});
  poll();
  CHECK(keeper.complete_ms() == 1'430);
}

TEST_CASE("a prompt owner says at once that a round is durable, and is complete as of what it appended") {
  const bool prompt = GENERATE(true, false);
  written_log log;
  const auto begin = log.write(record_kind::genesis, {});
  std::int64_t now = 1'000;
  auto setup = setup_of(log, begin, {"node-a", 1}, [&] { return now; });
  setup.prompt = prompt;
  partition_keeper keeper{std::move(setup)};
  const auto beat = [&] {
    now += 100;
    keeper.poll();
    log.database.let_all_happen();
    keeper.lived(now);
    keeper.tick(0);
    log.database.let_all_happen();
  };
  while (keeper.now() != partition_keeper::role::owning) {
    REQUIRE(now < 60'000);
    beat();
  }
  beat();
  now += 50;
  const auto sent = now;
  keeper.append("one", [](auto) {});
  now += 20;
  log.database.let_all_happen();
  CHECK(keeper.complete_ms() == sent);
  const auto one = keeper.seen().history.last().number;
  beat();
  CHECK(keeper.seen().history.last().number == (prompt ? one + 1 : one));
  beat();
  CHECK(keeper.seen().history.last().number == (prompt ? one + 1 : one)); // once
  CHECK(keeper.complete_ms() == now);
}
