// demo-cluster: three nodes and a database with a synchronous standby on this machine, an engine, an endpoint; an owner is
// killed, another stands still, the database fails over, a node leaves in order. Every step is counted: exits 0 only if all
// came out as it says.

#include "tests/nodes/cluster_world.hpp"

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>

namespace {

using namespace vicket::testing;

void heading(const std::string& what) {
  static int step = 0;
  std::printf("\n%d. %s\n", ++step, what.c_str());
  std::fflush(stdout);
}

void say(const std::string& what) {
  std::printf("   %s\n", what.c_str());
  std::fflush(stdout);
}

void show_owners(const cluster_world& world) {
  std::string line;
  const auto owners = world.owners();
  for (std::size_t i = 0; i < owners.size(); ++i)
    line += (i == 0 ? "" : ", ") + std::to_string(i) + " " + owners[i];
  say("partition and owner: " + line);
}

bool run() {
  heading("A PostgreSQL with a synchronous standby, a cluster in it, three nodes, an endpoint, an engine");
  cluster_world world;
  world.wait_for_balance();
  show_owners(world);
  auto took = world.wait_for_accepted(2'000);
  say("2,000 events were accepted in " + std::to_string(took) + " ms");

  heading("An owner is killed (SIGKILL)");
  auto victim = world.some_owner();
  world.kill_node(victim);
  took = world.wait_for_owners(victim);
  say("node " + cluster_world::name_of(victim) + " is gone; all is owned by others after " +
      std::to_string(took) + " ms");
  show_owners(world);
  world.wait_for_accepted(500);
  world.start_node(victim);
  say("started again, it follows, and owns its share in a few seconds");
  world.wait_for_balance();
  show_owners(world);

  heading("An owner stands still (SIGSTOP), and goes on when it is none any more");
  victim = world.some_owner();
  world.signal_node(victim, SIGSTOP);
  took = world.wait_for_owners(victim);
  say("node " + cluster_world::name_of(victim) + " stands still; all is owned by others after " +
      std::to_string(took) + " ms");
  world.signal_node(victim, SIGCONT);
  world.wait_for_accepted(500);

  heading("The database fails over to its standby");
  world.primary().kill();
  world.promote();
  took = world.wait_for_accepted(500);
  say("500 more events are accepted " + std::to_string(took) + " ms after the primary was killed");

  heading("A node leaves in order (SIGTERM)");
  victim = world.some_owner();
  const auto code = world.stop_node(victim);
  took = world.wait_for_owners(victim);
  say("node " + cluster_world::name_of(victim) + " ended with " + std::to_string(code) +
      "; all is owned by others " + std::to_string(took) + " ms later");
  world.wait_for_accepted(500);

  heading("Everything is counted");
  world.stop_engine();
  world.wait_until_delivered();
  const auto sent = world.sent();
  say(std::to_string(sent.accepted) + " events were accepted, and all of them delivered; " +
      std::to_string(world.delivered_twice()) + " more than once");
  say(std::to_string(sent.unavailable) + " times the answer was `unavailable`, and the engine sent again; " +
      std::to_string(sent.duplicates) + " were known by then");
  if (sent.other > 0)
    say("REFUSED, though nothing was wrong: " + sent.example);
  const auto complaints = world.compare_what_nodes_show();
  for (const auto& complaint : complaints)
    say("WRONG: " + complaint);
  if (complaints.empty())
    say("every node shows every one of them as delivered");
  return code == 0 && sent.other == 0 && complaints.empty();
}

} // namespace

int main() {
  try {
    const auto well = run();
    std::printf("\n%s\n", well ? "All came out as promised." : "NOT as promised: see above.");
    return well ? 0 : 1;
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "demo-cluster: %s\n", problem.what());
    return 1;
  }
}
