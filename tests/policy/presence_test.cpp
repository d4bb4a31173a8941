#include "policy/presence.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace vicket;

namespace {

using signs = std::vector<presence::sign>;

std::string names(const presence& of, std::int64_t now_ms) {
  std::string text;
  for (const auto& each : of.present(now_ms))
    text += each.name + ' ';
  return text;
}

/// How many of those that are able come before it in the partition's order.
std::uint32_t rank_of(const presence& of, const char* node, std::uint32_t partition, std::int64_t now_ms) {
  const auto order = placement{of.able(now_ms), 1}.order_of(partition);
  return static_cast<std::uint32_t>(std::find(order.begin(), order.end(), node) - order.begin());
}

} // namespace

TEST_CASE("a node is there for three seconds after its last sign of life was seen") {
  presence it;
  CHECK(names(it, 0).empty());
  it.seen({{"a", "", 1, 10}, {"b", "", 1, 20}}, 1'000);
  it.seen({{"a", "", 1, 11}, {"b", "", 1, 20}}, 2'000);
  CHECK(names(it, 3'999) == "a b ");
  it.seen({{"a", "", 1, 12}, {"b", "", 1, 20}}, 4'000);
  CHECK(names(it, 4'000) == "a ");
  CHECK(it.is_present("a", 6'999));
  CHECK_FALSE(it.is_present("a", 7'000));
  CHECK_FALSE(it.is_present("b", 4'000));
  CHECK_FALSE(it.is_present("c", 4'000));
  it.seen({{"a", "", 1, 13}, {"b", "", 2, 20}}, 4'100); // the same count, but of another life
  CHECK(names(it, 4'100) == "a b ");
  it.seen({{"a", "", 1, 14}}, 4'200); // it was removed
  CHECK(names(it, 4'200) == "a ");
}

TEST_CASE(
    "a node is gone for good after thirty seconds, and gets nothing new while it is silent or about to go") {
  presence it;
  it.seen({{"a", "", 1, 10}, {"b", "", 1, 20}, {"c", "", 1, 30, false}}, 1'000);
  const auto at = [&](std::int64_t now_ms) {
    std::string text;
    for (const auto& each : it.not_gone(now_ms))
      text += each.name + (each.takes_more ? " " : each.may_own ? "- " : "! ");
    return text;
  };
  CHECK(at(1'000) == "a b c- ");
  it.seen({{"a", "", 1, 11}, {"b", "", 1, 20}, {"c", "", 1, 31, false}}, 4'000);
  CHECK(at(4'000) == "a b- c- ");
  CHECK(at(30'999) == "a- b- c- ");
  CHECK(at(31'000) == "a- c- ");
  it.lost_sight();
  CHECK(at(60'000) == "a b c- ");
}

TEST_CASE("what could not be seen makes nobody gone") {
  presence it;
  it.seen({{"a", "", 1, 10}}, 1'000);
  it.lost_sight();
  CHECK(it.is_present("a", 60'000));
  it.seen({{"a", "", 1, 10}}, 60'000); // its three seconds begin anew
  CHECK(it.is_present("a", 62'999));
  it.seen({{"a", "", 1, 10}}, 63'000);
  CHECK_FALSE(it.is_present("a", 63'000));
}

TEST_CASE("a later life of a node ends the one before") {
  presence it;
  CHECK_FALSE(it.is_superseded("a", 1));
  it.seen({{"a", "", 3, 0}}, 0);
  CHECK(it.is_superseded("a", 2));
  CHECK_FALSE(it.is_superseded("a", 3));
  CHECK_FALSE(it.is_superseded("a", 4)); // what is seen of members may be older than what is seen of a log
  CHECK_FALSE(it.is_superseded("b", 1));
}

TEST_CASE("who claims first is the same for all that see the same, and who is gone is passed over") {
  presence it;
  it.seen({{"a", "", 1, 1}, {"b", "", 1, 1}, {"c", "", 1, 1}}, 0);
  std::vector<std::uint32_t> firsts(3);
  for (std::uint32_t partition = 0; partition < 300; ++partition) {
    const auto a = rank_of(it, "a", partition, 0);
    const auto b = rank_of(it, "b", partition, 0);
    const auto c = rank_of(it, "c", partition, 0);
    CHECK(a + b + c == 3);
    CHECK((a != b && b != c && a != c));
    ++firsts[a == 0 ? 0 : b == 0 ? 1 : 2];
    CHECK(rank_of(it, "d", partition, 0) == 3); // one that is not there
  }
  for (const auto each : firsts)
    CHECK(each > 60);
  CHECK(rank_of(it, "a", 0, 3'000) == 0); // nobody is there: whoever asks is the first of none
  it.seen({{"a", "", 1, 2}, {"b", "", 1, 1}, {"c", "", 1, 2}}, 3'000);
  for (std::uint32_t partition = 0; partition < 30; ++partition)
    CHECK(rank_of(it, "a", partition, 3'000) + rank_of(it, "c", partition, 3'000) == 1);
}

TEST_CASE("what a node owns goes to others when its stores take nothing, or the others can't reach it") {
  presence it;
  it.seen({{"a", "", 1, 1}, {"b", "", 1, 1, true, false}, {"c", "", 1, 1, false}}, 0);
  const auto may_own = [&] {
    std::string text;
    for (const auto& each : it.not_gone(0))
      text += each.may_own ? each.name : "-";
    return text;
  };
  CHECK(may_own() == "a-c");
  it.seen({{"a", "", 1, 1, true, true, {"b"}}, {"b", "", 1, 1}, {"c", "", 1, 1, true, true, {"b"}}}, 0);
  CHECK(may_own() == "a-c");
  it.seen({{"a", "", 1, 1, true, true, {"b"}}, {"b", "", 1, 1}, {"c", "", 1, 1}}, 0);
  CHECK(may_own() == "abc");
}

TEST_CASE("a drained node is there, takes nothing more, and is to own and keep nothing") {
  presence it;
  presence::sign drained{"b", "", 1, 1};
  drained.drained = true;
  it.seen({{"a", "", 1, 1}, drained}, 0);
  CHECK(names(it, 0) == "a b ");
  const auto all = it.not_gone(0);
  REQUIRE(all.size() == 2);
  CHECK((all[0].takes_more && all[0].may_own && all[0].keeps));
  CHECK_FALSE((all[1].takes_more || all[1].may_own || all[1].keeps));
  CHECK(it.able(0).size() == 1);
  CHECK(rank_of(it, "b", 7, 0) == 1); // behind all that are able
}

TEST_CASE("a node whose stores take nothing, or that others can't reach, is there and is to own nothing") {
  const auto able = [](const presence& of) {
    std::string text;
    for (const auto& each : of.able(0))
      text += each.name + ' ';
    return text;
  };
  presence it;
  it.seen({{"a", "", 1, 1}, {"b", "", 1, 1, true, false}, {"c", "", 1, 1, false}}, 0);
  CHECK(names(it, 0) == "a b ");
  CHECK(able(it) == "a ");
  CHECK(rank_of(it, "a", 7, 0) == 0);
  CHECK(rank_of(it, "b", 7, 0) == 1); // behind all that are able
  it.seen({{"a", "", 1, 1, true, true, {"b"}}, {"b", "", 1, 1}, {"c", "", 1, 1, true, true, {"b"}}}, 0);
  CHECK(names(it, 0) == "a b c ");
  CHECK(able(it) == "a c ");
  CHECK(it.is_cut_off("b", 0));
  CHECK_FALSE(it.is_cut_off("a", 0));
  CHECK(rank_of(it, "b", 7, 0) == 2);
  // Who is gone accuses nobody.
  it.seen({{"a", "", 1, 1, true, true, {"b"}}, {"b", "", 1, 2}, {"c", "", 1, 2}}, 2'000);
  it.seen({{"a", "", 1, 1, true, true, {"b"}}, {"b", "", 1, 3}, {"c", "", 1, 3}}, 4'000);
  CHECK_FALSE(it.is_cut_off("b", 4'000));
}
