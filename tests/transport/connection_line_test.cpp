#include "transport/connection_line.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

using namespace vicket;
using namespace std::chrono_literals;

namespace {

using line = connection_line<std::string, int>;

constexpr std::size_t few = line::few;

/// Far from the clock's zero, which stands for "at once".
constexpr line::time_point start{1h};

/// A line that knows: a dial took `took`, and a connection came back at `start`.
line experienced(line::duration took) {
  line made;
  made.dial_took(took);
  made.connection_came_back(start);
  return made;
}

} // namespace

TEST_CASE("who waits for a connection dials at once where none is known to come back") {
  line fresh;
  CHECK_FALSE(fresh.dial_at(few));
  fresh.join("a", 1, start, 1s);
  REQUIRE(fresh.dial_at(few));
  CHECK(*fresh.dial_at(few) <= start);

  line dialled_once; // and no connection has come back: the endpoint hangs, say
  dialled_once.dial_took(5ms);
  dialled_once.join("a", 1, start, 1s);
  REQUIRE(dialled_once.dial_at(few));
  CHECK(*dialled_once.dial_at(few) <= start);
}

TEST_CASE("who waits for a connection dials when that would have been quicker than waiting") {
  struct row {
    line::duration dial_took, joined_after, came_back_after;
    line::duration expected_after;
  };
  const row table[] = {
      // the last connection came back before it joined: long ago, or just now
      {5ms, 60ms, 0ms, 5ms},
      {5ms, 1ms, 0ms, 5ms},
      // connections come back while it waits, to others: as long as a dial takes, not longer
      {5ms, 1ms, 2ms, 6ms},
      {5ms, 1ms, 30ms, 6ms},
      {0ms, 1ms, 2ms, 1ms},
      // a dial that takes long does not make it wait for as long
      {3s, 1ms, 2ms, 1ms + line::max_patience},
  };
  for (const auto& [dial_took, joined_after, came_back_after, expected_after] : table) {
    auto known = experienced(dial_took);
    known.join("a", 1, start + joined_after, 1s);
    known.connection_came_back(start + came_back_after);
    REQUIRE(known.dial_at(few));
    CHECK(*known.dial_at(few) == start + expected_after);
  }
}

TEST_CASE("the more connections there are, the longer one that comes back is waited for") {
  struct row {
    std::size_t connections;
    line::duration expected_after;
  };
  const row table[] = {
      {0, 5ms},
      {few, 5ms},
      {few + few / 2, 5ms + 12500us},
      {2 * few, 55ms},
      {3 * few, 205ms},
      {4 * few, 455ms},
      {100 * few, 1005ms}, // as long as it may
  };
  for (const auto& [connections, expected_after] : table) {
    auto known = experienced(5ms);
    known.join("a", 1, start, 1s);
    known.connection_came_back(start + 2s);
    REQUIRE(known.dial_at(connections));
    CHECK(*known.dial_at(connections) == start + expected_after);
  }

  // one whose deadline is near waits less
  auto hurried = experienced(5ms);
  hurried.join("a", 1, start, 10ms);
  hurried.connection_came_back(start + 2s);
  CHECK(*hurried.dial_at(4 * few) == start + 15ms);
  CHECK(*hurried.dial_at(few) == start + 5ms);

  // as long as some come back
  auto known = experienced(5ms);
  known.join("a", 1, start, 1s);
  known.connection_came_back(start + 2ms);
  CHECK(*known.dial_at(100 * few) == start + 7ms);
}

TEST_CASE("how long a dial takes follows the dials") {
  auto known = experienced(8ms);
  known.join("a", 1, start, 1s);
  CHECK(*known.dial_at(few) == start + 8ms);
  known.dial_took(16ms);
  CHECK(*known.dial_at(few) == start + 9ms);
  for (int i = 0; i < 100; ++i)
    known.dial_took(1ms);
  CHECK(*known.dial_at(few) < start + 2ms);
}

TEST_CASE("who has left the line takes nobody's turn with it") {
  line crowded;
  for (const int item : {-1, -2, 1})
    crowded.join("impatient", item, start, 1s);
  for (const int item : {10, 11})
    crowded.join("other", item, start, 1s);
  crowded.join("gone", -3, start, 1s);
  crowded.join("last", 20, start, 1s);
  std::vector<int> order;
  const auto gone = [](int item) { return item < 0; };
  for (crowded.drop_front_while(gone); !crowded.empty(); crowded.drop_front_while(gone))
    order.push_back(crowded.pop());
  CHECK(order == std::vector<int>{1, 10, 20, 11});
}

TEST_CASE("connections go to the endpoints of a line in a round") {
  line crowded;
  for (int i = 0; i < 3; ++i)
    crowded.join("crowd", i, start, 1s);
  crowded.join("other", 10, start, 1s);
  std::vector<int> order;
  while (!crowded.empty()) {
    const auto first = crowded.front();
    CHECK(crowded.pop() == first);
    order.push_back(first);
  }
  CHECK(order == std::vector<int>{0, 10, 1, 2});
}
