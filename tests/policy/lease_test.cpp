#include "policy/lease.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace vicket;

TEST_CASE("an owner acts for two seconds after it first sent what was acknowledged") {
  owner_lease lease{1'000, 1'010, true};
  CHECK(lease.may_act(1'010));
  CHECK(lease.may_act(2'999));
  CHECK_FALSE(lease.may_act(3'000));
  lease.acknowledged(2'500);
  CHECK(lease.may_act(4'499));
  CHECK_FALSE(lease.may_act(4'500));
  lease.acknowledged(2'000); // an older one, acknowledged late
  CHECK(lease.may_act(4'499));
  CHECK_FALSE(lease.may_act(4'500));
}

TEST_CASE("a new owner waits until the one before has stopped") {
  owner_lease lease{1'000, 1'010, false};
  CHECK_FALSE(lease.may_act(1'010));
  lease.acknowledged(3'000);
  CHECK_FALSE(lease.may_act(4'009));
  CHECK(lease.may_act(4'010));
}

TEST_CASE("who has not waited for the owner before it says nothing of it by a yield") {
  const owner_lease waits{1'000, 1'010, false};
  CHECK_FALSE(waits.may_yield(4'009));
  CHECK(waits.may_yield(4'010));
  CHECK(owner_lease{1'000, 1'010, true}.may_yield(1'010));
}

TEST_CASE("an owner's time is over before another may act") {
  // Whoever claims has seen nothing new for `silent_ms`, and what the owner had acknowledged was in the log before that.
  static_assert(owner_lease::valid_ms < claim_watch::silent_ms);
  static_assert(owner_lease::valid_ms < owner_lease::wait_after_claim_ms);
}

namespace {

/// Polls every 100 ms, each answered after 10, and a sign of life with each, from one time up to another.
void watch(claim_watch& it, std::int64_t from, std::int64_t to, std::uint64_t last) {
  for (auto at = from; at <= to; at += 100) {
    it.polled(at, at + 10, last);
    it.lived(at);
  }
}

} // namespace

TEST_CASE("a partition is claimed after three silent seconds, by rank") {
  claim_watch it{0};
  watch(it, 0, 3'000, 7);
  CHECK_FALSE(it.may_claim(3'009, 0)); // first seen at 10
  CHECK(it.may_claim(3'010, 0));
  CHECK_FALSE(it.may_claim(3'010, 1));
  watch(it, 3'100, 4'000, 7);
  CHECK(it.may_claim(3'510 + 500, 1));
  CHECK_FALSE(it.may_claim(4'009, 2));
  watch(it, 4'100, 4'100, 8); // the owner is there
  CHECK_FALSE(it.may_claim(4'110, 0));
  watch(it, 4'200, 7'000, 8);
  CHECK_FALSE(it.may_claim(7'009, 0));
  watch(it, 7'100, 7'100, 8);
  CHECK(it.may_claim(7'110, 0));
}

TEST_CASE("a database that is slow or silent deposes nobody") {
  SECTION("a poll that took over a second") {
    claim_watch it{0};
    watch(it, 0, 2'000, 7);
    it.polled(2'100, 3'101, 7);
    it.lived(3'050);
    CHECK_FALSE(it.may_claim(3'101, 0));
    watch(it, 3'200, 6'000, 7);
    CHECK_FALSE(it.may_claim(6'100, 0));
    watch(it, 6'100, 6'200, 7);
    CHECK(it.may_claim(6'210, 0));
  }
  SECTION("no poll for over a second") {
    claim_watch it{0};
    watch(it, 0, 1'000, 7);
    watch(it, 2'500, 4'000, 7);
    CHECK_FALSE(it.may_claim(4'010, 0));
  }
  SECTION("the last poll is too long ago") {
    claim_watch it{0};
    watch(it, 0, 4'000, 7);
    it.lived(5'000);
    CHECK(it.may_claim(5'010, 0));
    CHECK_FALSE(it.may_claim(5'011, 0));
  }
  SECTION("this node's own sign of life is not acknowledged") {
    claim_watch it{0};
    watch(it, 0, 2'000, 7);
    for (auto at = 2'100; at <= 4'000; at += 100)
      it.polled(at, at + 10, 7);
    CHECK_FALSE(it.may_claim(4'010, 0));
    it.lived(3'900);
    CHECK(it.may_claim(4'010, 0));
  }
  SECTION("another server answers") {
    claim_watch it{0};
    watch(it, 0, 4'000, 7);
    it.lost_sight(4'020);
    CHECK_FALSE(it.may_claim(4'020, 0));
    watch(it, 4'100, 7'000, 7);
    CHECK_FALSE(it.may_claim(7'010, 0));
  }
}

TEST_CASE("who has let go is followed at once") {
  claim_watch it{0};
  watch(it, 0, 100, 7);
  CHECK_FALSE(it.may_claim(110, 0));
  it.released();
  CHECK(it.may_claim(110, 0));
  CHECK_FALSE(it.may_claim(110, 1));
  watch(it, 200, 200, 8); // somebody has claimed it
  CHECK_FALSE(it.may_claim(210, 0));
}

TEST_CASE("after a failover nothing is claimed before all have looked, or half a minute has passed") {
  failover_watch watch;
  CHECK(!watch.may_claim(100'000)); // no server was seen yet
  watch.seen(1, 1, 1'000);
  CHECK(watch.may_claim(1'000));
  watch.seen(2, 1, 5'000);
  CHECK(!watch.may_claim(5'000));
  watch.seen(2, 1, 30'000);
  CHECK(!watch.may_claim(34'999));
  CHECK(watch.may_claim(35'000)); // the one that has not looked may be gone for good
  watch.seen(3, 2, 40'000);
  CHECK(!watch.may_claim(40'000));
  watch.seen(3, 3, 40'100);
  CHECK(watch.may_claim(40'100));
  watch.seen(2, 3, 50'000); // back to a server of before: all have looked there
  CHECK(watch.may_claim(50'000));
}
