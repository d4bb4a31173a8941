// Three nodes, or four, and a database with a standby as processes, an engine that sends without end, and what may befall them. Each case
// once; more of them, one after the other in the same cluster, with VICKET_ROUNDS=20.

#include "link/connect.hpp"
#include "policy/trigger_plan.hpp"
#include "tests/link/quiet_config.hpp"
#include "tests/nodes/cluster_world.hpp"
#include "tests/nodes/end_check.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

using namespace vicket;
using namespace vicket::testing;

namespace {

/// A workflow engine of triggers, and an operator of rules.
class trigger_engine {
public:
  explicit trigger_engine(std::vector<std::string> places) {
    link_options options;
    options.nodes = std::move(places);
    gateway_ = connect(system_, options);
    operators_ = connect_operator(system_, options);
  }
  ~trigger_engine() {
    gateway_ = nullptr;
    operators_ = nullptr;
  }

  void put(const rule& value) {
    self_->request(operators_, patience, put_rule{value})
        .receive([](const rule&) {}, [](const caf::error& why) { FAIL(refusal_of(why).detail); });
  }

  /// Sent under its id until it is answered.
  trigger_result fire(const trigger& value) {
    std::optional<trigger_result> answer;
    for (const auto until = std::chrono::steady_clock::now() + patience; !answer;) {
      self_->request(gateway_, patience, value)
          .receive([&](trigger_result& got) { answer = std::move(got); },
                   [&](const caf::error& why) {
                     if (const auto no = refusal_of(why);
                         no.code != errc::unavailable || std::chrono::steady_clock::now() > until)
                       FAIL("trigger " << value.id->to_string() << ": " << no.detail);
                     ++unanswered;
                     rest(20);
                   });
    }
    return *std::move(answer);
  }

  /// Of this id, one for each connector; none while it can't be read.
  std::vector<event_history> histories(const event_id& id) {
    std::vector<event_history> found;
    self_->request(gateway_, patience, get_event{id})
        .receive([&](event_page& page) { found = std::move(page.events); }, [](const caf::error&) {});
    return found;
  }

  std::size_t unanswered = 0;

private:
  static constexpr std::chrono::seconds patience{60};

  quiet_config configured_;
  caf::actor_system system_{configured_};
  caf::scoped_actor self_{system_};
  gateway_actor gateway_;
  operator_actor operators_;
};

rule rule_for_all(const std::string& id, const std::string& event) {
  rule made;
  made.id = {id};
  made.events = {event};
  for (std::size_t i = 0; i < cluster_world::connectors; ++i)
    made.actions.push_back({cluster_world::connector_number(i), std::nullopt, ""});
  return made;
}

trigger trigger_number(std::uint8_t number, const std::string& event) {
  trigger made;
  made.event = event;
  made.occurred_at = {1'779'546'071'412};
  made.data_json = "{}";
  made.id = event_id{{0x77, 0x77, number}};
  return made;
}

} // namespace

TEST_CASE("an owner is killed: its partitions are owned by others within seconds, and nothing is lost") {
  cluster_world world;
  world.wait_for_accepted(200);
  for (auto i = 0; i < rounds(); ++i) {
    const auto victim = world.some_owner();
    world.kill_node(victim);
    const auto other = (victim + 1) % world.node_count();
    if (i == 0) { // the others say so, unless they have taken over by then
      const auto status = world.status_of(other);
      rest(500);
      const auto owners = world.owners();
      INFO(status);
      if (std::find(owners.begin(), owners.end(), cluster_world::name_of(victim)) != owners.end())
        CHECK(status.find("can't be reached, of node " + cluster_world::name_of(victim)) !=
              std::string::npos);
    }
    const auto took = world.wait_for_owners(victim);
    if (i == 0) {
      const auto status = world.status_of(other);
      INFO(status);
      CHECK(status.find("can't be reached") == std::string::npos);
      const auto seen = world.cluster_status();
      INFO(seen);
      CHECK(seen.find("silent ") != std::string::npos);
    }
    world.wait_for_accepted(200);
    tell("killed " + cluster_world::name_of(victim) + ": all are owned again after " + std::to_string(took) +
         " ms");
    CHECK(took < 10'000);
    world.start_node(victim);
    world.wait_for_accepted(100);
  }
  check_end(world, a_few * static_cast<std::size_t>(rounds()));
}

TEST_CASE(
    "an owner and who follows it are killed at once: others take up what these kept, and nothing is lost") {
  cluster_world world{database::synchronous, 4};
  for (auto i = 0; i < rounds(); ++i) {
    world.wait_for_balance();
    world.wait_for_copies();
    world.wait_for_accepted(200);
    const auto followers = world.followers_of(0);
    REQUIRE(followers.size() == 1);
    const auto owner = world.owners().at(0);
    std::vector<std::size_t> victims{followers.front()};
    for (std::size_t node = 0; node < world.node_count(); ++node)
      if (cluster_world::name_of(node) == owner)
        victims.push_back(node);
    for (const auto victim : victims)
      world.kill_node(victim);
    const auto took = world.wait_for_owners();
    world.wait_for_accepted(200);
    tell("killed " + owner + " and " + cluster_world::name_of(followers.front()) +
         ": all are owned again after " + std::to_string(took) + " ms");
    CHECK(took < 20'000);
    for (const auto victim : victims)
      world.start_node(victim);
    world.wait_for_accepted(100);
  }
  check_end(world, 2 * a_few * static_cast<std::size_t>(rounds()));
}

TEST_CASE("an owner is killed while triggers run: sent again each is whole, with each event there once; and "
          "rules count on all "
          "nodes once their put was answered") {
  constexpr std::uint8_t triggers_after = 10;
  cluster_world world;
  std::vector<std::string> places;
  for (std::size_t i = 0; i < world.node_count(); ++i)
    places.push_back(world.place_of(i));
  trigger_engine engine{places};
  engine.put(rule_for_all("all", "ticket.*"));
  const auto victim = world.some_owner();
  std::atomic<bool> owned_again{false};
  auto killer = std::async(std::launch::async, [&] {
    rest(100);
    world.kill_node(victim);
    world.wait_for_owners(victim);
    owned_again = true;
  });
  std::vector<event_id> made;
  std::size_t duplicates = 0;
  std::uint8_t after = 0;
  for (std::uint8_t number = 1; number < 250 && after < triggers_after; ++number) {
    if (owned_again)
      ++after;
    const auto value = trigger_number(number, "ticket.resolved");
    const auto result = engine.fire(value);
    REQUIRE(result.events.size() == cluster_world::connectors);
    for (std::uint32_t action = 0; action < result.events.size(); ++action) {
      const auto& one = result.events[action];
      const auto* yes = std::get_if<accepted>(&one.result);
      REQUIRE(yes != nullptr);
      CHECK(yes->id == planned_id(*value.id, {"all"}, action));
      duplicates += yes->duplicate ? 1 : 0;
      made.push_back(yes->id);
    }
  }
  killer.get();
  tell(std::to_string(made.size()) + " events of triggers, of which " + std::to_string(engine.unanswered) +
       " times one was not answered; " + std::to_string(duplicates) +
       " events were there when they were sent again");
  CHECK(after == triggers_after);
  for (const auto& id : made)
    REQUIRE(world.endpoint().wait_for(id));
  std::size_t wrong = 0;
  for (const auto& id : made)
    wrong += engine.histories(id).size() == 1 ? 0 : 1;
  CHECK(wrong == 0);

  // Whichever node is asked, and whichever took the put.
  engine.put(rule_for_all("invoices", "invoice.*"));
  for (std::size_t node = 0; node < world.node_count(); ++node)
    if (world.runs(node)) {
      trigger_engine alone{{world.place_of(node)}};
      const auto result = alone.fire(trigger_number(static_cast<std::uint8_t>(250 + node), "invoice.paid"));
      CHECK(result.events.size() == cluster_world::connectors);
    }
  world.start_node(victim);
  world.wait_for_accepted(100);
  check_end(world, a_few);
}

TEST_CASE("a node is drained: it gives away all that it has while events go on; stopped it can be removed, "
          "and come again") {
  cluster_world world{database::synchronous, 4};
  std::size_t unavailable = 0;
  for (auto i = 0; i < rounds(); ++i) {
    world.wait_for_balance();
    world.wait_for_copies();
    world.wait_for_accepted(100);
    const auto node = static_cast<std::size_t>(i) % world.node_count();
    const auto name = cluster_world::name_of(node);
    const auto before = world.sent().unavailable;
    const auto began = std::chrono::steady_clock::now();
    const auto drained = world.cluster_command({"drain", name, "--wait"});
    INFO(drained.errors);
    REQUIRE(drained.code == 0);
    REQUIRE_FALSE(drained.lines.empty());
    CHECK(drained.lines.back() == "node " + name + " owns and keeps nothing: it can be stopped");
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
    const auto owners = world.owners();
    CHECK(std::find(owners.begin(), owners.end(), name) == owners.end());
    CHECK(world.database_run("SELECT count(*) FROM vicket.copies WHERE node = '" + name +
                             "' AND partition < " + std::to_string(cluster_world::partitions)) == "0");
    CHECK(world.cluster_status().find(" drained ") != std::string::npos);
    world.wait_for_accepted(100);
    unavailable += world.sent().unavailable - before;

    const auto too_early = world.cluster_command({"remove", name});
    CHECK(too_early.code == 1);
    CHECK(too_early.errors.find("shows signs of life: drain it, stop it, then remove it") !=
          std::string::npos);
    if (i % 2 == 0) {
      CHECK(world.stop_node(node) == 0);
      rest(3'500);
      const auto removed = world.cluster_command({"remove", name});
      INFO(removed.errors);
      CHECK(removed.code == 0);
      CHECK(world.cluster_status().find("drained") == std::string::npos);
      CHECK(world.cluster_command({"remove", name}).code == 1);
      world.start_node(node);
    } else {
      CHECK(world.cluster_command({"undrain", name}).code == 0);
    }
    world.wait_for_balance(); // it takes its part again
    tell("drained " + name + " in " + std::to_string(took.count()) + " ms, while " +
         std::to_string(unavailable) + " answers were `unavailable`");
  }
  CHECK(world.cluster_command({"drain", "nobody"}).code == 1);
  check_end(world, a_few * static_cast<std::size_t>(rounds()));
}

TEST_CASE("logs are trimmed, and who needs more than there is begins with a checkpoint of another's store, "
          "whatever is killed meanwhile") {
  constexpr auto takes = "begins with a checkpoint of ";
  constexpr auto took = "and is followed from there";
  cluster_world world{
      database::synchronous, cluster_world::default_nodes, nullptr, {"--log-keep-time", "1s"}};
  world.wait_for_balance();
  world.wait_for_copies();
  world.wait_for_accepted(300);
  const auto wait_until_trimmed = [&] {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (world.database_run("SELECT count(*) FROM vicket.partitions WHERE trimmed_to < 5") != "0") {
      REQUIRE(std::chrono::steady_clock::now() < until);
      rest(100);
    }
  };
  wait_until_trimmed();
  const auto joins = [&](std::size_t node, std::size_t before) {
    const auto began = std::chrono::steady_clock::now();
    world.wait_for_log(node, took, before + 1);
    world.wait_for_copies();
    world.wait_for_accepted(100);
    return std::to_string(
               std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began)
                   .count()) +
           " ms";
  };
  for (auto i = 0; i < rounds(); ++i) {
    const auto victim = static_cast<std::size_t>(i) % world.node_count();
    // It was away for longer than the log of settings is kept, for which two others are enough.
    world.kill_node(victim);
    const auto last = world.database_run("SELECT max(number) FROM vicket.rounds WHERE partition = " +
                                         std::to_string(cluster_world::partitions));
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (world.database_run("SELECT trimmed_to > " + last + " FROM vicket.partitions WHERE partition = " +
                              std::to_string(cluster_world::partitions)) != "t") {
      REQUIRE(std::chrono::steady_clock::now() < until);
      rest(100);
    }
    auto before = world.said(victim, took);
    world.start_node(victim);
    tell("away for longer than the log: all copies are whole after " + joins(victim, before));

    // Its disk is replaced, and it is killed in the middle of the first copy.
    world.kill_node(victim);
    world.empty_node(victim);
    auto begun = world.said(victim, takes);
    world.start_node(victim, {"--copy-rate", "10KiB"});
    world.wait_for_log(victim, takes, begun + 1);
    const auto comes_in = [&] { return !world.unfinished_copies_of(victim).empty(); };
    while (!comes_in() && std::chrono::steady_clock::now() < until)
      rest(20);
    world.kill_node(victim);
    CHECK(comes_in());

    // Then whoever it takes it from is.
    begun = world.said(victim, takes);
    before = world.said(victim, took);
    world.start_node(victim, {"--copy-rate", "10KiB"});
    world.wait_for_log(victim, takes, begun + 1);
    const auto log = world.log_of(victim);
    const auto source = static_cast<std::size_t>(log[log.rfind(takes) + std::string{takes}.size()] - 'a');
    REQUIRE(source < world.node_count());
    REQUIRE(source != victim);
    world.kill_node(source);
    world.wait_for_log(victim, "no checkpoint came from " + cluster_world::name_of(source), 1);
    world.start_node(source);
    world.kill_node(victim);
    world.start_node(victim);
    tell("an empty disk, and its source was killed: all copies are whole after " + joins(victim, before));
    CHECK(world.said(victim, took) > before + 1);
  }
  check_end(world, 2 * a_few * static_cast<std::size_t>(rounds()));
  for (std::size_t node = 0; node < world.node_count(); ++node)
    CHECK(world.unfinished_copies_of(node).empty());
}

TEST_CASE("an owner stands still and comes back: it is deposed meanwhile, and finds that out") {
  cluster_world world;
  world.wait_for_accepted(200);
  for (auto i = 0; i < rounds(); ++i) {
    const auto victim = world.some_owner();
    world.signal_node(victim, SIGSTOP);
    const auto took = world.wait_for_owners(victim);
    tell("stopped " + cluster_world::name_of(victim) + ": all are owned by others after " +
         std::to_string(took) + " ms");
    CHECK(took < 10'000);
    rest(500);
    world.signal_node(victim, SIGCONT);
    world.wait_for_accepted(300);
  }
  check_end(world, a_few * static_cast<std::size_t>(rounds()));
}

TEST_CASE(
    "connections to the database are ended at random: nobody is deposed for long, and nothing is lost") {
  cluster_world world;
  for (auto i = 0; i < 10 * rounds(); ++i) {
    world.wait_for_accepted(30);
    static_cast<void>(world.primary().run(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE backend_type = 'client backend' "
        "AND pid <> pg_backend_pid() AND random() < 0.5"));
    if (i % 2 == 0)
      static_cast<void>(
          world.primary().run("SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity "
                              "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"));
  }
  world.wait_for_accepted(100);
  check_end(world, a_few);
}

TEST_CASE("the database is away and comes back: nobody is deposed, and all goes on by itself") {
  cluster_world world;
  world.wait_for_accepted(200);
  for (auto i = 0; i < rounds(); ++i) {
    world.wait_for_balance();
    rest(6'000); // no moves any more
    const auto before = world.epochs();
    world.primary().kill();
    rest(rounds() > 1 ? 60'000 : 8'000);
    world.primary().start();
    const auto took = world.wait_for_accepted(100);
    tell("the database was away: accepted again after " + std::to_string(took) + " ms");
    CHECK(world.epochs() == before);
  }
  check_end(world, a_few);
}

TEST_CASE("the database fails over to its synchronous standby: nothing is lost") {
  for (auto i = 0; i < rounds(); ++i) {
    cluster_world world;
    world.wait_for_accepted(300);
    world.primary().kill();
    world.promote();
    const auto took = world.wait_for_accepted(100);
    tell("failed over: accepted again after " + std::to_string(took) + " ms");
    for (const auto& why : world.halted())
      CHECK(why == "");
    check_end(world, a_few);
  }
}

TEST_CASE("the database stands still, and its standby takes over: nobody waits for the one that hangs") {
  for (auto i = 0; i < rounds(); ++i) {
    cluster_world world;
    world.wait_for_accepted(200);
    world.primary().pause();
    world.promote();
    const auto took = world.wait_for_accepted(100);
    tell("failed over from one that stands still: accepted again after " + std::to_string(took) + " ms");
    world.wait_for_status("silent ", false); // all nodes went over, each with all of its connections
    for (const auto& why : world.halted())
      CHECK(why == "");
    check_end(world, a_few);
  }
}

TEST_CASE("one partition is halted: every node says so, shows the rest, and goes on with it when it may") {
  cluster_world world;
  world.wait_for_accepted(100);
  while (
      world.outcomes_of(0).lines.empty()) // its owners deliver some seconds after they have begun to accept
    rest(100);
  const auto all_say = [&](const std::string& what) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    for (std::size_t node = 0; node < world.node_count();)
      if (world.status_of(node).find(what) != std::string::npos)
        ++node;
      else if (std::chrono::steady_clock::now() >= until)
        return false;
      else
        rest(100);
    return true;
  };
  world.database_run("UPDATE vicket.partitions SET halted = 'by hand' WHERE partition = 1");
  CHECK(all_say("partition 1 is halted: by hand; no node takes or delivers anything of it. What to do:"));
  for (std::size_t node = 0; node < world.node_count(); ++node) {
    const auto outcomes = world.outcomes_of(node);
    INFO(outcomes.errors);
    CHECK(outcomes.code == 1);
    CHECK(outcomes.errors.find("partition 1 is halted: by hand; its outcomes are missing here") !=
          std::string::npos);
    CHECK_FALSE(outcomes.lines.empty());
  }
  world.database_run("UPDATE vicket.partitions SET halted = NULL");
  world.wait_for_accepted(300);
  check_end(world, a_few);
}

TEST_CASE("a standby that lacks acknowledged records is promoted while a node lags: the partitions halt") {
  for (auto i = 0; i < rounds(); ++i) {
    cluster_world world{database::asynchronous};
    world.wait_for_accepted(200);
    const auto lagging = (world.some_owner() + 1) % world.node_count();
    world.signal_node(lagging, SIGSTOP);
    world.wait_for_owners(lagging);
    world.wait_for_accepted(100);
    world.cut_standby_off();
    world.wait_for_accepted(200);
    world.primary().kill();
    world.promote();
    world.signal_node(lagging, SIGCONT); // it has nothing that the promoted one lacks: all fits for it
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    // Not that of settings, which may have had no record in that moment.
    const auto halted = [&] {
      auto why = world.halted();
      why.resize(cluster_world::partitions);
      return why;
    };
    const auto all_halted = [&] {
      const auto why = halted();
      return std::none_of(why.begin(), why.end(), [](const std::string& one) { return one.empty(); });
    };
    while (!all_halted() && std::chrono::steady_clock::now() < until)
      rest(100);
    for (const auto& why : halted())
      CHECK(why.find("the log went back") != std::string::npos);
    for (std::size_t node = 0; node < world.node_count(); ++node) {
      const auto is_named = [&] {
        const auto status = world.status_of(node);
        for (std::uint32_t partition = 0; partition < cluster_world::partitions; ++partition)
          if (status.find("partition " + std::to_string(partition) + " is halted: the log went back") ==
              std::string::npos)
            return false;
        return status.find("What to do:") != std::string::npos;
      };
      while (!is_named() && std::chrono::steady_clock::now() < until)
        rest(100);
      CHECK(is_named());
      CHECK(world.status_of(node, true).find(R"("halted":"the log went back)") != std::string::npos);
    }
    CHECK(world.cluster_status().find("partition 0 is halted: the log went back") != std::string::npos);
  }
}
