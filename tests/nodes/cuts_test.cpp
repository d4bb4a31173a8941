// Three nodes and their database on hosts of their own, and what is lost between any two of them: in one direction or in both, so
// that connections stay half open. Needs root, since hosts are network namespaces; says so and ends where it may not make any.
// One round of each cut, or VICKET_ROUNDS=20.

#include "tests/nodes/cluster_world.hpp"
#include "tests/nodes/cut_network.hpp"
#include "tests/nodes/end_check.hpp"

#include <catch2/catch_session.hpp>
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

using namespace vicket::testing;

namespace {

constexpr auto hub = cut_network::hub;

std::string host_name(std::size_t host) {
  return host == hub ? "the database" : cluster_world::name_of(host);
}

struct cut {
  std::size_t from = 0;
  std::size_t to = 0;
  bool both = false;

  [[nodiscard]] std::string text() const {
    return host_name(from) + (both ? " <-x-> " : " -x-> ") + host_name(to);
  }
  void make(const cut_network& network) const {
    network.cut(from, to);
    if (both)
      network.cut(to, from);
  }
  void heal(const cut_network& network) const {
    network.heal(from, to);
    if (both)
      network.heal(to, from);
  }
};

/// Where the engine is connected to, since it dials that one first. What that node can't reach the engine does not get.
constexpr std::size_t node_of_engine = 0;

bool owns(const cluster_world& world, std::size_t node) {
  const auto owners = world.owners();
  return std::find(owners.begin(), owners.end(), cluster_world::name_of(node)) != owners.end();
}

} // namespace

TEST_CASE(
    "a node and the database lose what the other sends: its partitions are taken over, and nothing is lost") {
  const cut_network network;
  cluster_world world{database::synchronous, cluster_world::default_nodes, &network};
  for (auto i = 0; i < rounds(); ++i) {
    const std::size_t node = 1 + static_cast<std::size_t>(i) % 2;
    for (const auto& each : {cut{node, hub}, cut{hub, node}, cut{node, hub, true}}) {
      world.wait_for_balance();
      world.wait_for_accepted(100);
      each.make(network);
      const auto took = world.wait_for_owners(node);
      world.wait_for_accepted(50);
      each.heal(network);
      const auto came_back = world.wait_for_accepted(100);
      tell(each.text() + ": owned by others after " + std::to_string(took) +
           " ms; healed, 100 more accepted in " + std::to_string(came_back) + " ms");
      CHECK(took < 15'000);
    }
  }
  check_end(world);
}

TEST_CASE("two nodes lose what the other sends: that is said, nobody is deposed, and it heals") {
  const cut_network network;
  cluster_world world{database::synchronous, cluster_world::default_nodes, &network};
  world.wait_for_balance();
  world.wait_for_copies();
  rest(6'000); // no moves any more
  for (auto i = 0; i < rounds(); ++i)
    for (const auto& each : {cut{1, 2}, cut{2, 1, true}, cut{node_of_engine, 1}}) {
      world.wait_for_accepted(100);
      const auto before = world.epochs();
      each.make(network);
      const auto said = world.wait_for_status("it can't reach ");
      if (each.from != node_of_engine)
        world.wait_for_accepted(50);
      each.heal(network);
      const auto healed = world.wait_for_status("it can't reach ", false);
      tell(each.text() + ": said after " + std::to_string(said) + " ms, well " + std::to_string(healed) +
           " ms after it was healed");
      INFO(world.log_of(0) << "\n\n" << world.log_of(1) << "\n\n" << world.log_of(2));
      CHECK(world.epochs() == before);
      world.wait_for_accepted(100);
    }
  check_end(world);
}

TEST_CASE("a node that no other reaches, but the database, gives its partitions to those who are reached") {
  const cut_network network;
  cluster_world world{database::synchronous, cluster_world::default_nodes, &network};
  world.wait_for_balance();
  for (auto i = 0; i < rounds(); ++i) {
    const std::size_t node = 1 + static_cast<std::size_t>(i) % 2;
    world.wait_for_accepted(100);
    for (std::size_t other = 0; other < cut_network::hosts; ++other)
      if (other != node)
        cut{other, node, true}.make(network);
    const auto took = world.wait_for_owners(node);
    CHECK(world.cluster_status().find("so it is to own nothing") != std::string::npos);
    for (std::size_t other = 0; other < cut_network::hosts; ++other)
      if (other != node)
        cut{other, node, true}.heal(network);
    world.wait_for_balance();
    CHECK(owns(world, node));
    tell(host_name(node) + " was alone: it owned nothing after " + std::to_string(took) + " ms");
  }
  check_end(world);
}

int main(int argc, char** argv) {
  if (const auto why = cut_network::enter()) {
    std::printf("skipped: %s\n", why->c_str());
    return 0;
  }
  return Catch::Session().run(argc, argv);
}
