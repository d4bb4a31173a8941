#include "tests/cluster/keeper_world.hpp"

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>

using namespace vicket::testing;

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
