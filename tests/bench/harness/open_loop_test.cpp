#include "bench/harness/open_loop.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstdint>
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
  // given
  const turns order{{{100, 1}, {40, 2}}};
  // when
  const auto found = first_turns(order, 1'000);
  // then
  std::size_t of_first = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK((i == 0 || found[i - 1].second <= found[i].second));
    of_first += found[i].first == 0 ? 1 : 0;
  }
  CHECK(of_first > 650); // 714 on average
  CHECK(of_first < 780);
}

TEST_CASE("A seed gives the same turns, whoever else has some") {
  // given
  const auto alone = first_turns(turns{{{1'400, 7}}}, 500);
  const auto among = first_turns(turns{{{200, 8}, {400, 9}, {1'400, 7}}}, 600);
  // when those of the others are left out
  std::vector<std::int64_t> times;
  for (const auto& [whose, after_ns] : among)
    if (whose == 2)
      times.push_back(after_ns);
  // then
  REQUIRE(times.size() > 300);
  for (std::size_t i = 0; i < times.size(); ++i)
    CHECK(times[i] == alone[std::min(i, alone.size() - 1)].second);
  CHECK(first_turns(turns{{{1'400, 8}}}, 500) != alone);
}

TEST_CASE("Turns come at their rate, at times that know nothing of each other") {
  // given
  constexpr int count = 200'000;
  const auto found = first_turns(turns{{{1'000, 3}}}, count);
  // when
  int short_gaps = 0;
  for (std::size_t i = 1; i < found.size(); ++i)
    short_gaps += found[i].second - found[i - 1].second < 1'000'000 ? 1 : 0;
  // then: the gaps are exponential, so that 1 - 1/e of them are shorter than the average
  CHECK(static_cast<double>(found.back().second) / (count * 1e6) > 0.99);
  CHECK(static_cast<double>(found.back().second) / (count * 1e6) < 1.01);
  CHECK(static_cast<double>(short_gaps) / count > 0.627);
  CHECK(static_cast<double>(short_gaps) / count < 0.637);
}

TEST_CASE("A rate of nothing is refused") {
  CHECK_THROWS_AS(turns{{}}, std::logic_error);
  CHECK_THROWS_AS((turns{{{10, 1}, {0, 1}}}), std::logic_error);
}
