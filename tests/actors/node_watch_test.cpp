// "A node whose gateway, router, persistence, delivery, alarm or history died is no node: it ends."

#include "actors/node_watch.hpp"
#include "tests/actors/node_fixture.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <algorithm>
#include <stdexcept>

using namespace vicket;
using namespace vicket::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

/// Dies before it has done anything.
class stillborn {
public:
  using handle = router_actor;
  static constexpr auto name = "stillborn";

  explicit stillborn(handle::pointer) {}

  handle::behavior_type make_behavior() { throw std::logic_error("nothing to live on"); }
};

struct bare_config : caf::actor_system_config {
  bare_config() {
    const node_fixture registers_all_types;
    set("caf.scheduler.policy", "testing");
  }
};

} // namespace

TEST_CASE(
    "when an actor dies that the node cannot be without, the node asks to be ended and says which and why") {
  const auto* name =
      GENERATE("gateway", "router", "history", "alarm", "persistence", "delivery", "history_reader");
  CAPTURE(name);
  node_fixture node;
  node.put("crm");
  node.end_actor(name, "a defect");
  REQUIRE(node.failures.size() == 1);
  auto called = std::string{name};
  std::replace(called.begin(), called.end(), '_', ' ');
  CHECK_THAT(node.failures[0], ContainsSubstring("the " + called) && ContainsSubstring("a defect"));
}

TEST_CASE("an exception that leaves a handler ends the node with the exception's words") {
  node_fixture node;
  node.put("crm");
  node.random.fail_once(); // an id takes chance
  CHECK(std::holds_alternative<refusal>(node.ask<accepted>(node_fixture::event_for("crm"))));
  REQUIRE(node.failures.size() == 1);
  CHECK_THAT(node.failures[0], ContainsSubstring("gateway") && ContainsSubstring("no chance today"));
}

TEST_CASE(
    "an actor that can't be constructed keeps the node from starting, and says so like one that dies later") {
  node_fixture node;
  node.kill();
  node.clock.fail_after(1); // the schedule's own look goes well, the gateway's does not
  CHECK_THROWS(node.start());
  REQUIRE(node.failures.size() == 1);
  CHECK_THAT(node.failures[0], ContainsSubstring("gateway") && ContainsSubstring("no time today"));
  node.clock.fail_after(-1);
  node.start();
  node.put("crm");
  CHECK_FALSE(node.send("crm").duplicate);
}

TEST_CASE("an actor that died before it was watched is reported with its own reason") {
  bare_config config;
  caf::actor_system system{config};
  auto& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  std::vector<std::string> told;
  const auto watch =
      system.spawn<actor_of<node_watch>>([&told](const std::string& why) { told.push_back(why); });
  const auto dead = system.spawn<actor_of<stillborn>>();
  scheduler.run();
  caf::anon_send(watch, watch_over{caf::actor_cast<caf::strong_actor_ptr>(dead), "stillborn"});
  scheduler.run();
  REQUIRE(told.size() == 1);
  CHECK_THAT(told[0], ContainsSubstring("stillborn") && ContainsSubstring("nothing to live on"));
  caf::anon_send_exit(watch, caf::exit_reason::user_shutdown);
  scheduler.run();
}

TEST_CASE("a node that stops is no node that failed") {
  node_fixture node{2};
  node.put("crm");
  node.send("crm");
  node.restart();
  CHECK(node.failures.empty());
}
