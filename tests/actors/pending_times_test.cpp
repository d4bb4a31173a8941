#include "actors/pending_times.hpp"

#include "tests/support/seeded_random.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <vector>

using namespace vicket;

namespace {

timestamp_ms at(std::int64_t ms) {
  return {1'779'537'600'000 + ms};
}

} // namespace

TEST_CASE("the oldest of a few is exact, in whatever order they come and go") {
  pending_times times;
  for (const auto ms : {500, 100, 300, 100})
    times.add(at(ms));
  CHECK(times.oldest() == at(100));
  times.remove(at(100));
  CHECK(times.oldest() == at(100)); // there were two
  times.remove(at(100));
  CHECK(times.oldest() == at(300));
  times.add(at(-5)); // the clock was set back
  CHECK(times.oldest() == at(-5));
  times.remove(at(-5));
  times.remove(at(500));
  CHECK(times.oldest() == at(300));
  CHECK(times.count() == 1);
  times.remove(at(300));
  CHECK(times.count() == 0);
}

TEST_CASE("up to 32 different times are exact, and one more is not too late by an eighth of the whole") {
  pending_times times;
  constexpr std::int64_t most = pending_times::max_spans;
  for (std::int64_t i = 0; i < most; ++i)
    times.add(at(i * 1'000));
  for (std::int64_t i = 0; i + 1 < most; ++i) {
    times.remove(at(i * 1'000));
    CHECK(times.oldest() == at((i + 1) * 1'000));
  }
  times.remove(at((most - 1) * 1'000));

  for (std::int64_t i = 0; i <= most; ++i)
    times.add(at(i * 1'000));
  times.check();
  for (std::int64_t i = 0; i < most; ++i) {
    times.remove(at(i * 1'000));
    CHECK(times.oldest() <= at((i + 1) * 1'000));
    CHECK(at((i + 1) * 1'000) - times.oldest() <= most * 1'000 / 8);
  }
  CHECK(times.oldest() == at(most * 1'000)); // the last one is known again
}

TEST_CASE("the last of those that became one span is exact again, whichever it is") {
  for (std::int64_t last = 0; last < 100; ++last) {
    CAPTURE(last);
    pending_times times;
    for (std::int64_t i = 0; i < 100; ++i)
      times.add(at(i * 1'000));
    for (std::int64_t i = 0; i < 100; ++i)
      if (i != last)
        times.remove(at(i * 1'000));
    CHECK(times.oldest() == at(last * 1'000));
  }
}

TEST_CASE(
    "whatever comes and goes, the count is exact and the oldest at most an eighth of the whole too early") {
  for (const std::uint64_t seed : {1u, 2u, 3u, 4u, 5u}) {
    CAPTURE(seed);
    seeded_random chance{seed};
    pending_times times;
    std::multiset<std::int64_t> model;
    std::int64_t widest = 0; // of the whole, since nothing was there
    for (int step = 0; step < 20'000; ++step) {
      const auto drawn = chance.next();
      if (model.empty())
        widest = 0;
      const bool grows = (step / 1'000) % 2 == 0;
      if (model.empty() || drawn % 10 < (grows ? 7u : 3u)) {
        const auto time = step * 50 + static_cast<std::int64_t>(chance.next() % 2'000);
        times.add(at(time));
        model.insert(time);
      } else {
        auto one = model.begin();
        std::advance(one,
                     static_cast<std::ptrdiff_t>(chance.next() % std::min<std::size_t>(model.size(), 40)));
        times.remove(at(*one));
        model.erase(one);
      }
      if (model.empty()) {
        REQUIRE(times.count() == 0);
        continue;
      }
      widest = std::max(widest, *model.rbegin() - *model.begin());
      REQUIRE(times.count() == model.size());
      REQUIRE(times.oldest() <= at(*model.begin()));
      REQUIRE(at(*model.begin()) - times.oldest() <= widest / 8);
      times.check();
    }
  }
}

TEST_CASE("two lots become one") {
  for (const std::int64_t apart : {0, 7, 100'000}) {
    CAPTURE(apart);
    pending_times first;
    pending_times second;
    std::vector<std::int64_t> all;
    for (std::int64_t i = 0; i < 200; ++i) {
      all.push_back(i * 10);
      first.add(at(all.back()));
      all.push_back(apart + i * 10);
      second.add(at(all.back()));
    }
    first.add_all(second);
    first.check();
    CHECK(first.count() == 400);
    CHECK(first.oldest() == at(0));
    for (std::size_t i = 0; i + 1 < all.size(); ++i)
      first.remove(at(all[i]));
    CHECK(first.oldest() == at(all.back()));
  }
}

TEST_CASE("times as far apart as times can be") {
  pending_times times;
  constexpr timestamp_ms first{std::numeric_limits<std::int64_t>::min()};
  constexpr timestamp_ms last{std::numeric_limits<std::int64_t>::max()};
  times.add(last);
  times.add(first);
  for (std::int64_t i = 0; i < 100; ++i)
    times.add({i});
  times.check();
  CHECK(times.oldest() == first);
  times.remove(first);
  for (std::int64_t i = 0; i < 100; ++i)
    times.remove({i});
  CHECK(times.oldest() == last);
}
