#include "tests/nodes/end_check.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace vicket::testing {

int rounds() {
  const auto* text = std::getenv("VICKET_ROUNDS");
  return text == nullptr ? 1 : std::max(1, std::atoi(text));
}

void rest(int ms) {
  std::this_thread::sleep_for(std::chrono::milliseconds{ms});
}

void tell(const std::string& what) {
  std::printf("  %s\n", what.c_str());
  std::fflush(stdout);
}

void check_end(cluster_world& world, std::size_t most_twice) {
  world.stop_engine();
  world.wait_until_delivered();
  const auto sent = world.sent();
  tell(std::to_string(sent.accepted) + " accepted, " + std::to_string(sent.duplicates) +
       " answered as duplicates, " + std::to_string(sent.unavailable) + " times unavailable, " +
       std::to_string(world.delivered_twice()) + " delivered more than once");
  INFO(sent.example);
  CHECK(sent.other == 0);
  CHECK(world.delivered_twice() <= most_twice);
  for (std::size_t i = 0; i < world.node_count(); ++i)
    if (!world.runs(i))
      world.start_node(i);
  world.wait_for_owners();
  for (const auto& complaint : world.compare_what_nodes_show())
    FAIL_CHECK(complaint);
  for (const auto& why : world.halted())
    CHECK(why == "");
  for (std::size_t i = 0; i < world.node_count(); ++i)
    CHECK(world.stop_node(i) == 0);
  for (const auto& complaint : world.compare_copies())
    FAIL_CHECK(complaint);
}

} // namespace vicket::testing
