#include "link/open_requests.hpp"

#include <catch2/catch_test_macros.hpp>

#include <utility>
#include <vector>

using namespace vicket::internal;
using namespace std::chrono_literals;

namespace {

constexpr auto limit = 60s;
constexpr open_requests::time_point start{1000s};

/// What is overdue at that time; it is settled, as who asks for it does.
std::vector<open_requests::number> overdue(open_requests& requests, open_requests::time_point now) {
  std::vector<open_requests::number> found;
  requests.look(now, [&](open_requests::number which, open_requests::turn mine) {
    found.push_back(which);
    CHECK(requests.settle(which, mine));
  });
  return found;
}

using numbers = std::vector<open_requests::number>;

} // namespace

TEST_CASE("a request is answered once, and its number is free again") {
  open_requests requests{limit};
  const auto first = requests.add(7, 100);
  CHECK(requests.contains(7));
  CHECK_FALSE(requests.contains(8));
  CHECK(requests.settle(7, first) == 100);
  CHECK_FALSE(requests.settle(7, first));
  CHECK_FALSE(requests.contains(7));
  const auto second = requests.add(7, 50);
  CHECK_FALSE(requests.settle(7, first)); // an answer that is late belongs to none
  CHECK(requests.settle(7, second) == 50);
  CHECK(requests.empty());
}

TEST_CASE("a request that has waited for its time is overdue, and none before") {
  open_requests requests{limit};
  requests.add(1, 0); // before the time is known: counts from the first look
  CHECK(overdue(requests, start).empty());
  requests.add(2, 0);
  CHECK(overdue(requests, start + 1s).empty());
  requests.add(3, 0);
  CHECK(overdue(requests, start + limit - 1ms).empty());
  CHECK(overdue(requests, start + limit) == numbers{1, 2});
  CHECK(overdue(requests, start + limit + 1s) == numbers{3});
  CHECK(requests.empty());
  CHECK(overdue(requests, start + 10 * limit).empty());
}

TEST_CASE("what may take any time is never overdue, and is answered all the same") {
  open_requests requests{limit};
  const auto slow = requests.add(1, 10, true);
  requests.add(2, 20);
  CHECK(overdue(requests, start).empty());
  CHECK(overdue(requests, start + limit) == numbers{2});
  CHECK(overdue(requests, start + 100 * limit).empty());
  CHECK(requests.contains(1));
  CHECK(requests.settle(1, slow) == 10);
  CHECK(requests.empty());
}

TEST_CASE("what is answered is never overdue, and a number's second use has a time of its own") {
  open_requests requests{limit};
  CHECK(overdue(requests, start).empty());
  const auto first = requests.add(1, 0);
  requests.add(2, 0);
  CHECK(requests.settle(1, first));
  CHECK(overdue(requests, start + 30s).empty());
  requests.add(1, 0);
  CHECK(overdue(requests, start + limit) == numbers{2});
  CHECK(overdue(requests, start + 30s + limit) == numbers{1});
  requests.add(5, 0);
  requests.clear();
  CHECK(overdue(requests, start + 10 * limit).empty());
}

TEST_CASE("what is answered is forgotten, also behind one that takes its time") {
  open_requests requests{limit};
  const auto slow = requests.add(0, 0);
  for (open_requests::number i = 1; i <= 10'000; ++i) {
    const auto mine = requests.add(i, 0);
    REQUIRE(requests.settle(i, mine));
    REQUIRE(requests.remembered() <= open_requests::most_answered + 2);
  }
  CHECK(overdue(requests, start).empty());
  CHECK(overdue(requests, start + limit) == numbers{0});
  CHECK_FALSE(requests.settle(0, slow));
}
