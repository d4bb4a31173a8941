// A node of a cluster whose disk hangs.

#include "tests/nodes/cluster_world.hpp"
#include "tests/nodes/end_check.hpp"

#include <catch2/catch_test_macros.hpp>

#include <filesystem>
#include <fstream>
#include <string>

using namespace vicket::testing;

TEST_CASE("a node whose disk hangs loses what it owns, holds up nobody, and goes on when its disk does") {
  cluster_world world;
  const temporary_folder folder;
  const auto hangs = folder.path() + "/hangs";
  const std::size_t victim = 1;
  world.wait_for_accepted(100);
  CHECK(world.stop_node(victim) == 0);
  world.start_node(victim, {}, {"LD_PRELOAD=" HANGING_DISK_PATH, "HANG_WHILE=" + hangs});
  for (auto i = 0; i < rounds(); ++i) {
    world.wait_for_balance();
    world.wait_for_copies();
    world.wait_for_accepted(100);
    std::ofstream{hangs} << "now";
    const auto took = world.wait_for_owners(victim);
    tell("the disk of " + cluster_world::name_of(victim) + " hangs: all are owned by others after " +
         std::to_string(took) + " ms");
    CHECK(took < 15'000);
    const auto accepted = world.wait_for_accepted(200);
    tell("200 more accepted in " + std::to_string(accepted) + " ms");
    rest(rounds() > 1 ? 60'000 : 4'000);
    std::filesystem::remove(hangs);
    world.wait_for_accepted(100);
  }
  check_end(world, a_few * static_cast<std::size_t>(rounds()));
}
