#include "policy/uuid.hpp"

#include "tests/support/seeded_random.hpp"

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <limits>
#include <set>

namespace vicket {

namespace {

std::uint64_t time_of(const event_id& id) {
  std::uint64_t time_ms = 0;
  for (std::size_t i = 0; i < 6; ++i)
    time_ms = time_ms << 8 | id.bytes[i];
  return time_ms;
}

/// Every bit set: the source's counters are full at once.
class all_ones final : public random_source {
public:
  std::uint64_t next() override { return std::numeric_limits<std::uint64_t>::max(); }
};

} // namespace

TEST_CASE("a made id is a UUID of version 7 with the time in front") {
  const auto seed = Catch::getSeed();
  INFO("seed " << seed);
  seeded_random random{seed};
  uuid7_source source;
  for (int i = 0; i < 1'000; ++i) {
    const timestamp_ms now{1'779'546'071'412 + i};
    const auto id = source.next(now, random);
    CHECK(id.bytes[6] >> 4 == 7);
    CHECK(id.bytes[8] >> 6 == 2);
    CHECK(time_of(id) == static_cast<std::uint64_t>(now.value));
    CHECK(event_id::parse(id.to_string()) == id);
  }
}

TEST_CASE("ids of one source increase, also when the clock stands still or goes back") {
  const auto seed = Catch::getSeed();
  INFO("seed " << seed);
  seeded_random random{seed};
  uuid7_source source;
  std::set<event_id> seen;
  event_id last;
  std::int64_t now = 1'779'546'071'412;
  for (int i = 0; i < 20'000; ++i) {
    now += static_cast<std::int64_t>(random.below(5)) - 2;
    if (random.below(1'000) == 0)
      now -= 3'600'000;
    const auto id = source.next({now}, random);
    REQUIRE(id > last);
    REQUIRE(seen.insert(id).second);
    last = id;
  }
}

TEST_CASE("a millisecond whose random part runs full goes on in the next one") {
  all_ones random;
  uuid7_source source;
  event_id last;
  std::uint64_t latest = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto id = source.next({1'000}, random);
    REQUIRE(id > last);
    REQUIRE(id.bytes[6] >> 4 == 7);
    REQUIRE(id.bytes[8] >> 6 == 2);
    last = id;
    latest = time_of(id);
  }
  CHECK(latest >= 1'000);
  CHECK(source.next({-5}, random) > last);
}

TEST_CASE("two sources with their own chance make different ids") {
  seeded_random one{1};
  seeded_random other{2};
  CHECK(uuid7_source{}.next({1'000}, one) != uuid7_source{}.next({1'000}, other));
}

TEST_CASE("the UUID of a name is that of RFC 9562, appendix A.4") {
  const auto dns = event_id::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8").value();
  CHECK(uuid5(dns, "www.example.com").to_string() == "2ed6657d-e927-568b-95e1-2665a8aea6a2");
  CHECK(uuid5(dns, "www.example.com") == uuid5(dns, "www.example.com"));
  CHECK(uuid5(dns, "www.example.co") != uuid5(dns, "www.example.com"));
  CHECK(uuid5({}, "www.example.com") != uuid5(dns, "www.example.com"));
}

} // namespace vicket
