#include "bench/harness/open_loop.hpp"

#include <catch2/catch_test_macros.hpp>

#include <stdexcept>
#include <utility>
#include <vector>

using namespace vicket::bench;

namespace {

std::vector<std::pair<std::size_t, std::int64_t>> first_turns(turns order, int count) {
  std::vector<std::pair<std::size_t, std::int64_t>> found;
  for (int i = 0; i < count; ++i) {
    const auto next = order.next();
    found.emplace_back(next.whose, next.after_ns);
  }
  return found;
}

} // namespace

TEST_CASE("Several that send at rates of their own get their turns in the order of time") {
  // given one with a turn each 10 ms and one with a turn each 25 ms
  const turns order{{100, 40}};
  // when
  const auto found = first_turns(order, 8);
  // then
  const std::vector<std::pair<std::size_t, std::int64_t>> expected{
      {0, 0},          {1, 0},          {0, 10'000'000}, {0, 20'000'000},
      {1, 25'000'000}, {0, 30'000'000}, {0, 40'000'000}, {0, 50'000'000}};
  CHECK(found == expected);
}

TEST_CASE("A rate whose interval is no whole number of nanoseconds is kept exactly") {
  // given 3 a second
  turns order{{3}};
  // when 3,000,000 turns, a million seconds, are over
  for (int i = 0; i < 3'000'000; ++i)
    (void)order.next();
  // then
  CHECK(order.next().after_ns == 1'000'000'000'000'000);
}

TEST_CASE("A rate of nothing is refused") {
  CHECK_THROWS_AS(turns{{}}, std::logic_error);
  CHECK_THROWS_AS((turns{{10, 0}}), std::logic_error);
}
