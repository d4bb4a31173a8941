// The scripts of attacks, how they are played, and how often.

#include "bench/attacker/attack.hpp"
#include "bench/attacker/attack_connection.hpp"
#include "bench/attacker/attack_run.hpp"
#include "tests/support/link_messages.hpp"
#include "tests/support/raw_peer.hpp"

#include <catch2/catch_test_macros.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>

using namespace vicket::bench;
using vicket::testing::valid_link_messages;
using kind = attack_step::kind;

namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

attack_material material() {
  return {"a greeting of TLS", valid_link_messages()};
}

/// A connection that plays a script, and the node's end of it.
struct stage {
  explicit stage(attack_script script)
      : ends{pair()}, player{std::move(script), descriptor{ends[0]}, {}, 0} {}

  static std::array<int, 2> pair() {
    std::array<int, 2> made{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, made.data()) == 0);
    return made;
  }

  std::string heard() {
    std::array<char, 4'096> piece{};
    std::string all;
    for (auto got = ::recv(node.number(), piece.data(), piece.size(), 0); got > 0;
         got = ::recv(node.number(), piece.data(), piece.size(), 0))
      all.append(piece.data(), static_cast<std::size_t>(got));
    return all;
  }
  void answer(const std::string& text) {
    REQUIRE(::send(node.number(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  }

  std::array<int, 2> ends;
  descriptor node{ends[1]};
  attack_connection player;
};

attack_script two_messages() {
  attack_script made{
      entrance::bare,
      {{kind::say, "GET"}, {kind::await_upgrade}, {kind::say, "one", 3}, {kind::say, "two", 4}}};
  made.goal = 2;
  return made;
}

} // namespace

TEST_CASE("every attack has a name of its own, an end that is within its script, and something to do") {
  std::set<std::string> names;
  attack_chance chance{1};
  for (const auto& one : all_attacks()) {
    INFO(one.name);
    CHECK(names.insert(one.name).second);
    for (int i = 0; i < 50; ++i) {
      const auto script = one.script(material(), chance);
      REQUIRE_FALSE(script.steps.empty());
      CHECK(script.goal < script.steps.size());
      CHECK_FALSE(script.for_good); // else it would take the places of the others
      for (const auto& step : script.steps)
        CHECK((step.what == kind::stay || step.what == kind::await_upgrade) == step.bytes.empty());
    }
  }
  CHECK(crowding().script(material(), chance).for_good);
}

TEST_CASE(
    "what follows an upgrade is sent by one that has come that far, with a sender's certificate, in turn") {
  attack_chance chance{2};
  for (const auto& one : all_attacks()) {
    INFO(one.name);
    const auto script = one.script(material(), chance);
    const auto at = std::find_if(script.steps.begin(), script.steps.end(),
                                 [](const attack_step& step) { return step.what == kind::await_upgrade; });
    const bool counted = std::any_of(script.steps.begin(), script.steps.end(),
                                     [](const attack_step& step) { return step.messages > 0; });
    if (at == script.steps.end()) {
      CHECK_FALSE(counted);
      continue;
    }
    CHECK(script.by == entrance::senders_certificate);
    CHECK(script.goal == static_cast<std::size_t>(at - script.steps.begin()) + 1);
  }
}

TEST_CASE("a wrong role is one that a sender has not: kinds 6 and above") {
  const auto wanted = valid_link_messages();
  const auto& all = all_attacks();
  const auto one =
      std::find_if(all.begin(), all.end(), [](const attack& which) { return which.name == "wrong-role"; });
  REQUIRE(one != all.end());
  std::set<std::string> said;
  attack_chance chance{3};
  for (int i = 0; i < 200; ++i)
    said.insert(one->script(material(), chance).steps.at(2).bytes);
  std::set<std::string> expected;
  for (std::size_t i = 5; i < wanted.size(); ++i) {
    CHECK(wanted.at(i).at(0) == static_cast<char>(i + 1));
    expected.insert(vicket::testing::client_frame(2, wanted.at(i)));
  }
  CHECK(said == expected);
}

TEST_CASE("a script waits for its upgrade, and each of its messages for a turn") {
  stage it{two_messages()};
  it.player.go_on(1);
  CHECK(it.heard() == "GET");
  CHECK_FALSE(it.player.reached_goal());
  it.answer("HTTP/1.1 101 yes\r\n");
  it.player.go_on(2);
  CHECK_FALSE(it.player.reached_goal());
  it.answer("\r\n");
  it.player.go_on(3);
  CHECK(it.player.reached_goal());
  CHECK(it.player.wants_turn() == 3);
  CHECK(it.heard().empty());
  it.player.take_turn(4);
  CHECK(it.heard() == "one");
  CHECK(it.player.wants_turn() == 4);
  it.player.take_turn(5);
  CHECK(it.heard() == "two");
  CHECK(it.player.wants_turn() == 0);
  CHECK(it.player.messages_sent() == 7);
  CHECK_FALSE(it.player.over());
}

TEST_CASE("a refused upgrade ends a script, short of where it was to come") {
  stage it{two_messages()};
  it.player.go_on(1);
  it.answer("HTTP/1.1 503 no\r\n\r\n");
  it.player.go_on(2);
  CHECK(it.player.over());
  CHECK_FALSE(it.player.reached_goal());
  CHECK(it.player.wants_turn() == 0);
}

TEST_CASE("who drips says a byte at a time, and the next not before its time") {
  stage it{{entrance::bare, {{kind::drip, "abc"}}}};
  auto now = attack_connection::drip_ns;
  it.player.go_on(now);
  it.player.go_on(now);
  it.player.go_on(now + attack_connection::drip_ns - 1);
  CHECK(it.heard() == "a");
  it.player.go_on(now += attack_connection::drip_ns);
  it.player.go_on(now += attack_connection::drip_ns);
  CHECK(it.heard() == "bc");
}

TEST_CASE("a last step that goes on says the same again at each turn") {
  attack_script made{entrance::bare, {{kind::say, "ping", 10}}};
  made.again = true;
  stage it{made};
  it.player.go_on(1);
  for (int i = 0; i < 3; ++i) {
    CHECK(it.player.wants_turn() == 10);
    it.player.take_turn(2);
  }
  CHECK(it.heard() == "pingpingping");
  CHECK(it.player.messages_sent() == 30);
}

TEST_CASE("a connection that has come as far as it was to hangs up a second later, unless it is to stay") {
  for (const bool for_good : {false, true}) {
    INFO(for_good);
    attack_script made{entrance::bare, {{kind::stay}}};
    made.for_good = for_good;
    stage it{made};
    it.player.go_on(1);
    CHECK(it.player.reached_goal());
    it.player.go_on(attack_connection::stay_ns);
    CHECK_FALSE(it.player.over());
    it.player.go_on(attack_connection::stay_ns + 1);
    CHECK(it.player.over() == !for_good);
  }
}

TEST_CASE("a connection that the node has ended is over") {
  stage it{{entrance::bare, {{kind::stay}}}};
  it.player.go_on(1);
  CHECK_FALSE(it.player.over());
  it.node = descriptor{};
  it.player.go_on(2);
  CHECK(it.player.over());
}

TEST_CASE("a pace is kept in the long run, and what was not done in time is made up for a moment's only") {
  pace steady{100, 0};
  int done = 0;
  for (std::int64_t now = 0; now <= 10 * second_ns; now += second_ns / 1'000)
    while (steady.due(now)) {
      steady.take(1);
      ++done;
    }
  CHECK(done >= 999);
  CHECK(done <= 1'000);
  // and after ten seconds of nothing
  int at_once = 0;
  for (; steady.due(20 * second_ns); ++at_once)
    steady.take(1);
  CHECK(at_once >= 5);
  CHECK(at_once <= 6);
}

TEST_CASE("what is taken at once has to be waited for afterwards, and 0 is no limit") {
  pace slow{10, 0};
  CHECK_FALSE(slow.due(0));
  CHECK_FALSE(slow.due(50'000'000));
  CHECK(slow.due(100'000'000));
  slow.take(10); // nine of which are owed
  std::int64_t now = 100'000'000;
  while (!slow.due(now))
    now += 10'000'000;
  CHECK(now >= 1'000'000'000);
  CHECK(now <= 1'200'000'000);
  pace endless{0, 0};
  for (int i = 0; i < 1'000; ++i) {
    CHECK(endless.due(0));
    endless.take(1);
  }
}
