// Who may hold how much of the memory for windows: without actors and without a store.

#include "actors/window_budget.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

using namespace vicket;

namespace {

constexpr std::size_t kib = 1'024;
/// An envelope that counts exactly so much for a connector that holds nothing.
constexpr std::size_t counting(std::size_t bytes) {
  return bytes + window_budget::free_bytes - window_budget::event_bytes;
}
/// And for one that holds something.
constexpr std::size_t counting_more(std::size_t bytes) {
  return bytes - window_budget::event_bytes;
}

struct fixture {
  explicit fixture(std::size_t limit_bytes, std::size_t connectors = 8) : budget{limit_bytes} {
    for (std::size_t i = 0; i < connectors; ++i)
      all.emplace_back(static_cast<connector_slot>(i));
  }
  ~fixture() { budget.check(); }

  window_budget::share& of(std::size_t which) { return all[which]; }

  /// A refill of one event: whether it was given. Else the connector waits for it.
  bool refill(std::size_t which, std::size_t envelope_bytes) {
    auto taking = budget.begin_refill(of(which));
    const bool given = taking.take(envelope_bytes);
    if (!given)
      taking.wait(envelope_bytes);
    budget.check();
    return given;
  }

  std::deque<window_budget::share> all;
  window_budget budget;
};

using slots = std::vector<connector_slot>;

} // namespace

TEST_CASE("a new event is handed over while there is room: three quarters for anybody, the last for those "
          "without any") {
  struct row {
    std::string what;
    std::size_t others_count; ///< what another connector holds, beyond what is free
    bool holds_some;          ///< the connector holds as much as is free
    std::size_t envelope_bytes;
    bool given;
  };
  constexpr auto limit = 100 * kib;
  const std::vector<row> table = {
      {"the first of all", 0, false, counting(1), true},
      {"a first that fits exactly", 60 * kib, false, counting(40 * kib), true},
      {"a first with a byte too many", 60 * kib, false, counting(40 * kib + 1), false},
      {"another that fits exactly", 60 * kib, true, counting_more(15 * kib), true},
      {"another with a byte too many", 60 * kib, true, counting_more(15 * kib + 1), false},
      {"a small first, whatever the others hold", 100 * kib, false, counting(0), true},
      {"a first just not small", 100 * kib, false, counting(1), false},
      {"a small one beside a small one", 100 * kib, true, 0, false},
      {"a first larger than all there is", 0, false, counting(500 * kib), true},
      {"the same beside anything that counts", 1, false, counting(500 * kib), false},
  };
  for (const auto& one : table) {
    INFO(one.what);
    fixture f{limit};
    if (one.others_count > 0)
      f.budget.hold(f.of(1), counting(one.others_count));
    if (one.holds_some)
      f.budget.hold(f.of(0), counting(0));
    CHECK(f.budget.held() == one.others_count);
    CHECK(f.budget.has_room(f.of(0), one.envelope_bytes) == one.given);
    CHECK(f.refill(0, one.envelope_bytes) == one.given);
    CHECK(f.of(0).waits() != one.given);
  }
}

TEST_CASE("what is held is counted beyond what is free for each connector, and given back as it goes") {
  fixture f{100 * kib};
  for (int i = 0; i < 4; ++i)
    f.budget.hold(f.of(0), kib);
  CHECK(f.of(0).events() == 4);
  CHECK(f.of(0).bytes() == 4 * kib);
  CHECK(f.budget.held() == 4 * (kib + window_budget::event_bytes) - window_budget::free_bytes);
  CHECK(f.budget.large_holders() == 1);
  f.budget.let_go(f.of(0), kib);
  CHECK(f.budget.held() == 3 * (kib + window_budget::event_bytes) - window_budget::free_bytes);
  f.budget.hold(f.of(1), 20 * kib);
  f.budget.let_go_all(f.of(0));
  CHECK(f.of(0).idle());
  f.budget.let_go(f.of(1), 20 * kib);
  CHECK(f.budget.held() == 0);
  CHECK(f.budget.large_holders() == 0);
}

TEST_CASE("who finds no room waits in line, is called when there is some, and it is kept for it") {
  fixture f{100 * kib};
  f.budget.hold(f.of(0), counting(100 * kib));
  CHECK_FALSE(f.refill(1, counting(30 * kib)));
  CHECK_FALSE(f.refill(2, counting(30 * kib)));
  CHECK_FALSE(f.refill(3, counting(50 * kib)));
  CHECK(f.budget.call().empty());

  f.budget.let_go_all(f.of(0));
  CHECK(f.budget.call() == slots{1, 2}); // the third does not fit beside them
  CHECK(f.budget.call().empty());        // and nobody is called twice
  CHECK_FALSE(f.budget.has_room(f.of(4), counting(1)));
  CHECK_FALSE(f.refill(4, counting(1)));
  CHECK(f.budget.has_room(f.of(4), 1)); // small

  CHECK(f.refill(2, counting(30 * kib)));
  CHECK(f.refill(1, counting(30 * kib)));
  CHECK(f.budget.call().empty()); // the fourth would fit, but the third came before
  f.budget.let_go_all(f.of(1));
  CHECK(f.budget.call() == slots{3, 4});
}

TEST_CASE("those who hold nothing come before those who want more, and nobody is passed over for ever") {
  fixture f{100 * kib};
  f.budget.hold(f.of(0), counting(75 * kib));
  f.budget.hold(f.of(1), counting(0));
  CHECK_FALSE(f.refill(1, counting_more(5 * kib))); // wants more: the last quarter is not for it
  f.budget.hold(f.of(2), counting(20 * kib));
  CHECK_FALSE(f.refill(3, counting(10 * kib)));
  f.budget.let_go_all(f.of(2));
  CHECK(f.budget.call() == slots{3});
  CHECK(f.refill(3, counting(10 * kib)));
  CHECK(f.budget.call().empty());
  f.budget.let_go_all(f.of(0));
  CHECK(f.budget.call() == slots{1});
  CHECK(f.refill(1, counting_more(5 * kib)));
  CHECK(f.budget.waiting() == 0);
}

TEST_CASE("one that was called and does not come, or is gone, leaves its room to the next") {
  fixture f{100 * kib};
  f.budget.hold(f.of(0), counting(100 * kib));
  CHECK_FALSE(f.refill(1, counting(80 * kib)));
  CHECK_FALSE(f.refill(2, counting(80 * kib)));
  f.budget.let_go_all(f.of(0));
  CHECK(f.budget.call() == slots{1});
  f.budget.forget(f.of(1));
  CHECK(f.budget.call() == slots{2});
  CHECK(f.refill(2, counting(80 * kib)));
}

TEST_CASE("one that was called keeps its place in line when answers took the room meanwhile") {
  fixture f{100 * kib};
  f.budget.hold(f.of(0), counting(100 * kib));
  CHECK_FALSE(f.refill(1, counting(80 * kib)));
  CHECK_FALSE(f.refill(2, counting(1 * kib)));
  f.budget.let_go_all(f.of(0));
  CHECK(f.budget.call() == slots{1, 2});
  REQUIRE(f.budget.add_answer(25 * kib));
  CHECK_FALSE(f.refill(1, counting(80 * kib)));
  CHECK(f.refill(2, counting(1 * kib)));
  CHECK_FALSE(f.refill(3, counting(1 * kib)));
  CHECK(f.budget.call().empty());
  f.budget.drop_answer(25 * kib);
  CHECK(f.budget.call() == slots{1, 3});
}

TEST_CASE("while others wait, a turn brings no more than a fair share") {
  fixture f{120 * kib, 40};
  for (std::size_t i = 0; i < 8; ++i)
    f.budget.hold(f.of(i), counting(11 * kib)); // 88 of the 90 for anybody
  f.budget.hold(f.of(8), counting(0));
  f.budget.hold(f.of(9), counting(0));
  CHECK_FALSE(f.refill(8, counting_more(3 * kib)));
  CHECK_FALSE(f.refill(9, counting_more(90 * kib)));
  for (std::size_t i = 0; i < 6; ++i)
    f.budget.let_go_all(f.of(i));
  CHECK(f.budget.call() == slots{8}); // there is room for 68, and the next wants more
  auto taking = f.budget.begin_refill(f.of(8));
  std::size_t taken = 0;
  while (taken < 100 && taking.take(counting_more(kib)))
    ++taken;
  CHECK(taken == 45); // half of 90 KiB: two others count
}

TEST_CASE("for a first that finds no room those who hold most are asked, each once until something changes") {
  fixture f{100 * kib};
  f.budget.hold(f.of(0), counting(60 * kib));
  f.budget.hold(f.of(1), counting(10 * kib));
  f.budget.hold(f.of(2), counting(20 * kib));
  CHECK(f.budget.ask_back().empty()); // nobody waits
  CHECK_FALSE(f.refill(3, counting(30 * kib)));
  CHECK(f.budget.fair_share() == 75 * kib / 4);
  const auto asked = f.budget.ask_back();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].who == 0);
  CHECK(asked[0].bytes == 60 * kib - f.budget.fair_share());
  CHECK(f.budget.ask_back().empty()); // it will be enough

  // when: it has nothing to give
  f.budget.answered(f.of(0), false);
  const auto next = f.budget.ask_back();
  // then: the others are asked, down to half of what they hold where that is no more than fair
  REQUIRE(next.size() == 2);
  CHECK(next[0].who == 2);
  CHECK(next[1].who == 1);
  CHECK(next[1].bytes == 5 * kib);
  f.budget.answered(f.of(1), false);
  f.budget.answered(f.of(2), false);
  CHECK(f.budget.ask_back().empty());

  // when: what the first holds has changed
  f.budget.let_go(f.of(0), 0);
  f.budget.hold(f.of(0), 0);
  CHECK(f.budget.ask_back().size() == 1);
}

TEST_CASE("no more are asked at a time than are worth it") {
  fixture f{100 * kib, 40};
  for (std::size_t i = 0; i < 33; ++i)
    f.budget.hold(f.of(i), counting(3 * kib));
  CHECK_FALSE(f.refill(39, counting(90 * kib)));
  CHECK(f.budget.ask_back().size() == window_budget::max_asked);
}

TEST_CASE("answers that wait for the disk fill a quarter, or what else there is room for") {
  struct row {
    std::size_t held;
    std::size_t before;
    std::size_t bytes;
    bool kept;
  };
  const std::vector<row> table = {
      {0, 0, 100 * kib, true},
      {0, 0, 100 * kib + 1, false},
      {100 * kib, 0, 25 * kib, true},
      {100 * kib, 0, 25 * kib + 1, false},
      {60 * kib, 20 * kib, 20 * kib, true},
      {60 * kib, 20 * kib, 20 * kib + 1, false},
  };
  for (const auto& one : table) {
    INFO(one.held << " held, " << one.before << " before, " << one.bytes);
    fixture f{100 * kib};
    if (one.held > 0)
      f.budget.hold(f.of(0), counting(one.held));
    if (one.before > 0)
      REQUIRE(f.budget.add_answer(one.before));
    CHECK(f.budget.add_answer(one.bytes) == one.kept);
    CHECK(f.budget.answers() == one.before + (one.kept ? one.bytes : 0));
    f.budget.drop_answer(f.budget.answers());
    CHECK(f.budget.answers() == 0);
  }
}

TEST_CASE("answers that wait take room from events") {
  fixture f{100 * kib};
  REQUIRE(f.budget.add_answer(60 * kib));
  f.budget.hold(f.of(1), counting(1));
  CHECK_FALSE(f.budget.has_room(f.of(0), counting(40 * kib)));
  CHECK(f.budget.has_room(f.of(0), counting(40 * kib - 1)));
}
