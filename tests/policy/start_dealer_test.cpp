#include "policy/start_dealer.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace vicket;

namespace {

using key = start_dealer::connector_key;
using place = start_dealer::place;
constexpr auto fresh = start_kind::fresh;
constexpr auto backlog = start_kind::backlog;

/// Connectors as their supervisors are: they start at once what they can, get in line with the rest, and use what they
/// are offered.
class world {
public:
  explicit world(std::size_t places) : dealer{places} {}

  start_dealer dealer;
  std::vector<key> started; ///< in order
  std::map<key, std::deque<place>> running;

  struct connector {
    std::size_t waiting = 0;
    start_kind what = fresh;
    std::uint32_t weight = 1;
    bool held = false; ///< would not start anything now
  };
  std::map<key, connector> connectors;

  void add(key who, std::size_t starts, start_kind what = fresh, std::uint32_t weight = 1) {
    auto& mine = connectors[who];
    mine.waiting += starts;
    mine.what = what;
    mine.weight = weight;
    if (!dealer.is_waiting(who))
      while (mine.waiting > 0) {
        const auto taken = dealer.take(who, what);
        if (!taken)
          break;
        start(who, *taken);
      }
    if (!dealer.is_waiting(who))
      get_in_line(who);
    deal();
  }

  /// The oldest of its starts, or so many of them, are over.
  void end(key who, std::size_t count = 1) {
    for (; count > 0 && !running[who].empty(); --count) {
      dealer.give_back(running[who].front());
      running[who].pop_front();
    }
    deal();
  }

  void deal() {
    std::vector<start_dealer::offer> offers;
    for (dealer.deal(offers); !offers.empty(); dealer.deal(offers))
      for (const auto& each : offers)
        answer(each);
    dealer.check();
  }

  [[nodiscard]] std::size_t running_of(key who) { return running[who].size(); }

private:
  void start(key who, const place& taken) {
    --connectors[who].waiting;
    running[who].push_back(taken);
    started.push_back(who);
  }

  void get_in_line(key who) {
    const auto& mine = connectors[who];
    dealer.want(who, mine.held ? 0 : static_cast<std::uint32_t>(std::min<std::size_t>(mine.waiting, 16)),
                mine.what, mine.weight);
  }

  void answer(const start_dealer::offer& given) {
    auto& mine = connectors[given.connector];
    auto left = given.places;
    for (; left > 0 && mine.waiting > 0 && !mine.held; --left)
      start(given.connector, *dealer.take_offered(given.connector, mine.what));
    dealer.decline(given.connector, left);
    get_in_line(given.connector);
  }
};

/// Who started, without the first `skipped`.
std::vector<key> after(const std::vector<key>& started, std::size_t skipped) {
  return {started.begin() + static_cast<std::ptrdiff_t>(skipped), started.end()};
}

} // namespace

TEST_CASE("a start takes a place at once where one is free, and none beyond the places there are") {
  for (const std::size_t places : {1u, 2u, 3u, 4u, 7u, 8u, 9u, 11u, 12u, 100u}) {
    world node{places};
    for (key who = 0; who < 200; ++who)
      node.add(who, 1);
    CHECK(node.started.size() == places);
    CHECK(node.dealer.used() == places);
    node.end(0);
    CHECK(node.dealer.used() == places);
    CHECK(node.started.size() == places + 1);
  }
}

TEST_CASE("an eighth of the places, rounded to the nearest, is kept for connectors that hold none") {
  struct row {
    std::size_t places;
    std::size_t kept;
  };
  for (const auto& [places, kept] : {row{1, 0}, row{2, 0}, row{3, 0}, row{4, 1}, row{7, 1}, row{8, 1},
                                     row{9, 1}, row{11, 1}, row{12, 2}, row{64, 8}, row{10'000, 1'250}}) {
    INFO(places << " places");
    CHECK(start_dealer::kept_of(places) == kept);
    world node{places};
    node.add(1, 20'000);
    CHECK(node.running_of(1) == places - kept);
    for (key who = 2; who < 2 + kept + 3; ++who)
      node.add(who, 5);
    CHECK(node.dealer.used() == places);
    CHECK(node.started.size() == places);
    for (key who = 2; who < 2 + kept; ++who)
      CHECK(node.running_of(who) == 1); // and no second one
  }
}

TEST_CASE(
    "four connectors whose endpoints hang fill the node's places, and a healthy one still starts at once") {
  world node{64};
  for (key who = 1; who <= 4; ++who)
    node.add(who, 1'000);
  CHECK(node.running_of(1) == 56);
  CHECK(node.dealer.used() == 59);
  for (int i = 0; i < 10; ++i) {
    node.add(5, 1);
    CHECK(node.running_of(5) == 1);
    node.end(5);
  }
}

TEST_CASE("what a connector holds of the kept places is counted until its start is over") {
  world node{8};
  node.add(1, 100); // 7 ordinary ones
  node.add(2, 3);   // the kept one
  CHECK(node.running_of(2) == 1);
  node.add(3, 1);
  CHECK(node.running_of(3) == 0);
  node.end(2);
  CHECK(node.running_of(3) == 1); // it was in line without anything; 2 came later to that
  CHECK(node.running_of(2) == 0);
  node.end(1); // an ordinary one: to whoever's turn it is
  CHECK(node.dealer.used() == 8);
}

TEST_CASE("places go round, a million starts of one beside one of another") {
  world node{2};
  node.add(1, 1'000'000);
  node.add(2, 1);
  CHECK(node.running_of(2) == 0);
  node.end(1);
  node.end(1);
  CHECK(node.running_of(2) == 1);
}

TEST_CASE("whoever has the weight 3 gets three places where others get one") {
  world node{2}; // few enough that none is kept
  node.add(9, 2);
  node.add(1, 900, fresh, 1);
  node.add(2, 900, fresh, 3);
  node.end(9, 2);
  for (int i = 0; i < 400; ++i)
    node.end(node.running_of(1) > 0 ? 1 : 2);
  const auto count = [&](key who) { return std::count(node.started.begin() + 2, node.started.end(), who); };
  CHECK(count(1) + count(2) == 402);
  CHECK(count(2) >= 3 * count(1) - 3);
  CHECK(count(2) <= 3 * count(1) + 3);
  // and in turns, not in lumps
  const auto of_both = after(node.started, 2);
  for (std::size_t i = 0; i + 8 <= of_both.size(); ++i)
    CHECK(std::count(of_both.begin() + static_cast<std::ptrdiff_t>(i),
                     of_both.begin() + static_cast<std::ptrdiff_t>(i) + 8, key{1}) == 2);
}

TEST_CASE("first attempts go before the backlog of others, who get their turn in each round all the same") {
  world node{1};
  node.add(9, 1);
  node.add(1, 10, backlog);
  node.add(2, 10, backlog);
  node.add(3, 10, fresh);
  node.add(4, 10, fresh);
  for (int i = 0; i < 9; ++i)
    node.end(node.started.back());
  CHECK(after(node.started, 1) == std::vector<key>{3, 4, 1, 2, 3, 4, 1, 2, 3});
}

TEST_CASE("a first attempt that comes in the middle of a round does not wait for its backlog") {
  world node{1};
  node.add(9, 1);
  for (key who = 1; who <= 4; ++who)
    node.add(who, 10, backlog);
  node.end(9);
  node.add(5, 2, fresh);
  for (int i = 0; i < 5; ++i)
    node.end(node.started.back());
  CHECK(after(node.started, 1) == std::vector<key>{1, 5, 2, 3, 4, 5});
}

TEST_CASE("a connector that is offered a place and must not use it by then leaves in its turn") {
  world node{2};
  node.add(9, 2);
  node.add(1, 5);
  node.add(2, 5);
  node.add(3, 5);
  node.connectors[1].held = true;
  node.end(9);
  CHECK(node.started.back() == 2);
  CHECK_FALSE(node.dealer.is_waiting(1));
  node.end(9);
  CHECK(node.started.back() == 3);
  CHECK(node.dealer.used() == 2);
  node.connectors[1].held = false;
  node.add(1, 0); // the hold is over
  node.end(2);
  node.end(3);
  CHECK(node.running_of(1) == 0); // it has had its turn in that round
  node.end(2);
  CHECK(node.running_of(1) == 1);
}

TEST_CASE("an offer holds its places until it is answered, and gives back what is not used") {
  start_dealer dealer{1};
  const auto first = dealer.take(1, fresh);
  REQUIRE(first);
  dealer.want(2, 4, fresh);
  std::vector<start_dealer::offer> offers;
  dealer.deal(offers);
  CHECK(offers.empty());
  dealer.give_back(*first);
  dealer.deal(offers);
  REQUIRE(offers.size() == 1);
  CHECK(offers[0].connector == 2);
  CHECK(offers[0].places == 1);
  CHECK(dealer.used() == 1);
  CHECK(dealer.offered() == 1);
  CHECK_FALSE(dealer.take(1, fresh));
  CHECK_FALSE(dealer.take_offered(1, fresh));
  dealer.decline(2, 1);
  dealer.want(2, 0, fresh);
  CHECK(dealer.used() == 0);
  CHECK_FALSE(dealer.is_waiting(2));
  CHECK(dealer.take(1, fresh));
  dealer.check();
}

TEST_CASE(
    "several places for one connector are one offer, and what it wants counts those it has not heard of") {
  start_dealer dealer{3};
  std::vector<place> taken;
  for (int i = 0; i < 3; ++i)
    taken.push_back(*dealer.take(1, fresh));
  dealer.want(2, 5, fresh);
  for (const auto& one : taken)
    dealer.give_back(one);
  std::vector<start_dealer::offer> offers;
  dealer.deal(offers);
  REQUIRE(offers.size() == 1);
  CHECK(offers[0].places == 3);
  dealer.want(2, 3, fresh); // said before it heard of the offer
  const auto one = dealer.take_offered(2, fresh);
  REQUIRE(one);
  dealer.give_back(*one);
  dealer.deal(offers);
  CHECK(offers.empty());
  dealer.check();
}

TEST_CASE("what was offered to one who is gone is free again, and what it had started goes on") {
  start_dealer dealer{2};
  const auto first = dealer.take(1, fresh);
  const auto second = dealer.take(1, backlog);
  REQUIRE(second);
  dealer.want(1, 5, fresh);
  dealer.give_back(*first);
  std::vector<start_dealer::offer> offers;
  dealer.deal(offers);
  CHECK(dealer.offered() == 1);
  dealer.forget(1);
  CHECK(dealer.offered() == 0);
  CHECK(dealer.used() == 1);
  CHECK_FALSE(dealer.is_waiting(1));
  dealer.check();
  dealer.give_back(*second);
  CHECK(dealer.used() == 0);
  dealer.check();
}

TEST_CASE(
    "a pace of the backlog holds back nothing but backlog, and counts what is declined as not started") {
  world node{100};
  node.dealer.allow_backlog(3);
  node.add(1, 10, backlog);
  node.add(2, 10, backlog);
  CHECK(node.running_of(1) == 3);
  CHECK(node.running_of(2) == 0);
  CHECK(node.dealer.backlog_left() == 0);
  CHECK(node.dealer.backlog_waits());
  node.add(3, 20, fresh);
  CHECK(node.running_of(3) == 20);
  node.end(1, 3); // that it is over allows no more
  CHECK(node.started.size() == 23);
  node.connectors[1].held = true;
  node.dealer.allow_backlog(2);
  node.deal();
  CHECK(node.running_of(1) == 0);
  CHECK(node.running_of(2) == 2);
  CHECK(node.dealer.backlog_left() == 0);
  node.dealer.allow_backlog(start_dealer::unlimited);
  node.deal();
  CHECK(node.running_of(2) == 10);
  CHECK_FALSE(node.dealer.backlog_waits());
}

TEST_CASE("a paced backlog is not starved by first attempts that go on and on") {
  world node{1};
  node.add(9, 1);
  node.add(1, 10, backlog);
  for (key who = 2; who <= 4; ++who)
    node.add(who, 1'000, fresh);
  for (int i = 0; i < 120; ++i) {
    node.dealer.allow_backlog(i % 2 == 0 ? 1 : 0);
    node.end(node.started.back());
  }
  CHECK(std::count(node.started.begin(), node.started.end(), key{1}) == 10);
}

TEST_CASE("while starts are stopped nothing starts and nothing is offered") {
  world node{4};
  node.add(1, 1);
  node.dealer.stop_starts(true);
  node.add(2, 1);
  node.end(1);
  CHECK(node.started.size() == 1);
  CHECK(node.dealer.used() == 0);
  node.dealer.stop_starts(false);
  node.deal();
  CHECK(node.running_of(2) == 1);
}

TEST_CASE("connectors that hold nothing are not remembered for ever") {
  start_dealer dealer{8};
  for (key who = 0; who < 100'000; ++who) {
    const auto one = dealer.take(who, fresh);
    REQUIRE(one);
    dealer.give_back(*one);
    REQUIRE(dealer.known_connectors() <= start_dealer::max_idle_connectors + 1);
  }
  dealer.check();
}

TEST_CASE("nobody in line waits for longer than two rounds, whatever the others do") {
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    std::mt19937 chance{seed};
    const auto below = [&](std::size_t bound) { return static_cast<std::size_t>(chance() % bound); };
    const auto places = 1 + below(24);
    const auto connectors = 2 + below(12);
    start_dealer dealer{places};
    const bool paced = below(2) == 0;

    struct one {
      std::size_t waiting = 0;
      start_kind what = fresh;
      std::uint32_t weight = 1;
      std::vector<place> running;
      std::uint32_t offered = 0;
      /// What each of the others was offered since it got in line, or since its last offer.
      std::map<key, std::size_t> passed_by;
    };
    std::vector<one> all(connectors);
    for (auto& each : all)
      each.weight = static_cast<std::uint32_t>(1 + below(3));
    const auto in_line = [&](key who) { return all[who].offered == 0 && dealer.is_waiting(who); };
    const auto want = [&](key who) {
      const bool before = in_line(who);
      dealer.want(who, static_cast<std::uint32_t>(std::min<std::size_t>(all[who].waiting, 16)), all[who].what,
                  all[who].weight);
      if (!before)
        all[who].passed_by.clear();
    };
    std::vector<start_dealer::offer> offers;
    for (int step = 0; step < 3'000; ++step) {
      const auto who = static_cast<key>(below(connectors));
      auto& mine = all[who];
      switch (below(4)) {
      case 0: // something comes
        mine.waiting += 1 + below(4);
        if (!dealer.is_waiting(who)) {
          mine.what = below(2) == 0 ? fresh : backlog;
          while (mine.waiting > 0)
            if (const auto taken = dealer.take(who, mine.what)) {
              mine.running.push_back(*taken);
              --mine.waiting;
            } else {
              break;
            }
          want(who);
        }
        break;
      case 1: // an offer is answered, now and then by using less than there is
        if (mine.offered > 0) {
          const auto answered = static_cast<std::uint32_t>(1 + below(mine.offered));
          mine.offered -= answered;
          std::uint32_t used = 0;
          for (; used < answered && mine.waiting > 0 && below(8) != 0; ++used, --mine.waiting)
            mine.running.push_back(*dealer.take_offered(who, mine.what));
          dealer.decline(who, answered - used);
          want(who);
        }
        break;
      default: // something ends
        if (!mine.running.empty()) {
          const auto which = below(mine.running.size());
          dealer.give_back(mine.running[which]);
          mine.running.erase(mine.running.begin() + static_cast<std::ptrdiff_t>(which));
        }
      }
      if (paced)
        dealer.allow_backlog(below(3));
      dealer.deal(offers);
      dealer.check();
      REQUIRE(dealer.used() <= places);
      std::size_t held = dealer.offered();
      for (const auto& each : all)
        held += each.running.size();
      REQUIRE(held == dealer.used());
      for (const auto& given : offers) {
        all[given.connector].offered += given.places;
        all[given.connector].passed_by.clear();
        for (key other = 0; other < connectors; ++other)
          // Those that may start: what the backlog's pace holds back waits for that. Those that hold nothing: another
          // one, too, waits for kept places, of which this test can't tell.
          if (other != given.connector && in_line(other) && all[other].running.empty() &&
              (all[other].what == fresh || !paced)) {
            auto& passed = all[other].passed_by[given.connector];
            passed += given.places;
            // Two rounds, each with a turn for either kind, and as much of the kept places.
            REQUIRE(passed <= 4 * std::size_t{all[given.connector].weight} + 4);
          }
      }
    }
  }
}
