#include "policy/shortage_pause.hpp"

#include <catch2/catch_test_macros.hpp>

#include <vector>

using namespace vicket;

namespace {

constexpr timestamp_ms now{1'779'546'071'000};

/// A node whose deliveries never end, of which only `there_is_room_for` find what they need.
struct hanging_node {
  shortage_pause pause;
  std::size_t there_is_room_for;
  std::size_t waiting;
  std::size_t in_flight = 0;
  std::size_t came_back = 0;

  void start(timestamp_ms at) {
    std::size_t short_of_it = 0;
    for (; waiting > 0 && pause.allows(in_flight + short_of_it); --waiting)
      if (in_flight < there_is_room_for)
        ++in_flight;
      else
        ++short_of_it;
    waiting += short_of_it;
    came_back += short_of_it;
    for (std::size_t i = short_of_it; i > 0; --i)
      pause.came_back(in_flight + i - 1, at);
  }
};

} // namespace

TEST_CASE("a wait after a try in vain is 250 ms, then twice as long, up to 4 s") {
  retry_moment moment;
  for (const auto expected : {250, 500, 1'000, 2'000, 4'000, 4'000, 4'000})
    CHECK(moment.next_ms() == expected);
  moment.reset();
  CHECK(moment.next_ms() == 250);
}

TEST_CASE("while nothing is short, everything may start") {
  const shortage_pause pause;
  CHECK(pause.allows(1'000'000));
  CHECK_FALSE(pause.on());
  CHECK_FALSE(pause.next_look());
}

TEST_CASE("what is in flight when something comes back short is the limit: one more starts when one ends") {
  shortage_pause pause;
  pause.came_back(3, now);
  CHECK(pause.on());
  CHECK_FALSE(pause.allows(3));
  CHECK(pause.room(3) == 0);
  CHECK(pause.allows(2));
  CHECK(pause.room(1) == 2);
  CHECK(pause.next_look() == now + 250);
}

TEST_CASE("with nothing in flight nothing starts until a moment has passed, then one") {
  shortage_pause pause;
  pause.came_back(0, now);
  CHECK_FALSE(pause.allows(0));
  pause.look(0, now + 249);
  CHECK_FALSE(pause.allows(0));
  pause.look(0, now + 250);
  CHECK(pause.allows(0));
  CHECK_FALSE(pause.allows(1));
}

TEST_CASE("as long as each try is in vain the waits double up to 4 s, and each try is one delivery") {
  hanging_node node{{}, 100, 300};
  node.start(now);
  CHECK(node.in_flight == 100);
  CHECK(node.waiting == 200);
  std::vector<std::int64_t> waits;
  auto at = now;
  node.came_back = 0;
  for (int i = 0; i < 6; ++i) {
    waits.push_back(*node.pause.next_look() - at);
    at = *node.pause.next_look();
    node.pause.look(node.in_flight, at);
    node.start(at);
  }
  CHECK(waits == std::vector<std::int64_t>{250, 500, 1'000, 2'000, 4'000, 4'000});
  CHECK(node.came_back == 6);
  CHECK(node.in_flight == 100);
}

TEST_CASE("several that come back from one try are one try") {
  shortage_pause pause;
  for (std::size_t in_flight = 200; in_flight >= 100; --in_flight)
    pause.came_back(in_flight, now + static_cast<std::int64_t>(200 - in_flight));
  CHECK(pause.next_look() == now + 250);
  CHECK_FALSE(pause.allows(100));
  CHECK(pause.allows(99));
}

TEST_CASE("once nothing is short any more 10,000 places are in use again within 4 s, and then it is over") {
  hanging_node node{{}, 100, 20'000};
  node.start(now);
  node.there_is_room_for = 10'000;
  auto at = now;
  while (node.in_flight < 10'000) {
    REQUIRE(node.pause.on());
    at = *node.pause.next_look();
    node.pause.look(node.in_flight, at);
    node.start(at);
  }
  CHECK(at - now <= 4'000);
  node.waiting = 0;
  for (int i = 0; i < 3 && node.pause.on(); ++i) {
    at = *node.pause.next_look();
    node.pause.look(node.in_flight, at);
  }
  // The last try went beyond the room: that is a shortage again, and it ends when nothing is short.
  CHECK_FALSE(node.pause.on());
  CHECK(node.pause.allows(1'000'000));
}

TEST_CASE("it is over when nobody is held back by the limit, and the next one begins as the first did") {
  shortage_pause pause;
  for (auto i = 0; i < 4; ++i) { // so that the waits are long
    pause.came_back(5, now + i * 10'000);
    pause.look(5, now + i * 10'000 + 5'000);
  }
  const auto end = *pause.next_look();
  pause.look(5, end); // one more was allowed, and nobody wanted to
  CHECK_FALSE(pause.on());
  pause.came_back(5, end);
  CHECK(pause.next_look() == end + 250);
}
