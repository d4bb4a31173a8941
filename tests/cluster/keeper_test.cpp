#include "tests/cluster/keeper_world.hpp"

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>

using namespace vicket;
using namespace vicket::testing;

TEST_CASE("a log that went back is halted for all, also when the first try is lost") {
  const auto codec = std::make_shared<const record_codec>(
      std::make_shared<secret_box>(secret_bytes{std::string(secret_box::key_bytes, 'k')}), "cluster");
  simulated_database database;
  simulated_table table{database};
  log_row genesis{
      {0, 1, 1, record_kind::genesis, 0}, {}, codec->seal({0, 1, 1, record_kind::genesis, 0}, {}, {})};
  genesis.digest = digest_of({}, genesis.head, genesis.body);
  table.append(genesis, {}, false, [](const auto&) {});
  database.let_all_happen();

  partition_keeper::setup setup;
  setup.appender = {&table, [](std::int64_t, auto then) { then(); }};
  setup.codec = codec;
  setup.history = log_history{{0, 2, 2, record_kind::claim, 1}, {7}, true}; // its store has more than the log
  setup.now_ms = [] { return std::int64_t{0}; };
  setup.apply = [](const auto&, const auto&, auto) { return true; };
  setup.changed = [](auto, const auto&) {};
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
}

TEST_CASE("nodes that keep a partition agree, whatever happens to them and to the database", "[simulation]") {
  auto acknowledged = std::size_t{0};
  auto claims = std::size_t{0};
  auto acts = std::size_t{0};
  for (std::uint64_t i = 0; i < 25; ++i) {
    const auto seed = std::uint64_t{Catch::getSeed()} * 1'000 + i;
    keeper_world world{seed, 3, {}};
    world.run(60'000);
    world.calm_down();
    INFO("seed " << seed);
    REQUIRE(world.violation() == "");
    acknowledged += world.acknowledged();
    claims += world.claims();
    acts += world.acts();
  }
  CHECK(acknowledged > 10'000);
  CHECK(claims > 150);
  CHECK(acts > 10'000);
}
