#include "policy/copies.hpp"

#include <catch2/catch_test_macros.hpp>

#include <set>
#include <string>
#include <utility>

using namespace vicket;

namespace {

using copies = placement_copies;

std::optional<copies> next(copies now, copies wanted, const std::set<std::string>& complete,
                           std::size_t count = 2) {
  return next_copies({"a", std::move(now), std::move(wanted), count,
                      [&](const std::string& node) { return complete.contains(node); }});
}

} // namespace

TEST_CASE("a record says who keeps a partition, and says it again when it is read") {
  for (const auto& nodes : {copies{"a"}, copies{"node-1", "node-2"}, copies{"c", "b", "a"}})
    CHECK(decode_copies(encode_copies(nodes)) == nodes);
  for (const auto* const body : {"", ",", "a,", ",a", "a,,b", "a,b,a"})
    CHECK(!decode_copies(body));
}

TEST_CASE("the first record comes when there are as many nodes as copies are wanted") {
  CHECK(!next({}, {"a"}, {}));
  CHECK(!next({}, {"a", "b"}, {}, 3));
  CHECK(next({}, {"a", "b"}, {}) == copies{"a", "b"}); // everybody follows by then
  CHECK(next({}, {"b", "c"}, {}) == copies{"a", "b", "c"});
}

TEST_CASE("nothing is said while nothing changes") {
  CHECK(!next({"a", "b"}, {"a", "b"}, {"b"}));
  CHECK(!next({"a", "b"}, {"a", "b"}, {}));
  CHECK(!next({"b", "a"}, {"a", "b"}, {"b"})); // another owner
}

TEST_CASE("who is to go stays until those that are to be there are complete") {
  CHECK(next({"a", "b"}, {"a", "c"}, {"b"}) == copies{"a", "c", "b"});
  CHECK(!next({"a", "c", "b"}, {"a", "c"}, {"b"}));
  CHECK(next({"a", "c", "b"}, {"a", "c"}, {"b", "c"}) == copies{"a", "c"});
  CHECK(next({"a", "b"}, {"a", "c"}, {"c"}) == copies{"a", "c"}); // it has been there before
}

TEST_CASE("nobody goes while there are fewer than wanted") {
  CHECK(!next({"a", "b"}, {"a"}, {}));
  CHECK(!next({"a", "b", "c"}, {"a", "b"}, {"b"}, 3));
  CHECK(next({"a", "b"}, {"a", "b", "c"}, {"b"}, 3) == copies{"a", "b", "c"}); // more are wanted
  CHECK(next({"a", "b", "c"}, {"a", "b"}, {"b"}, 2) == copies{"a", "b"});      // fewer
}

TEST_CASE("the owner is always one of them, and the first") {
  CHECK(next({"b", "c"}, {"b", "c"}, {"b", "c"}) == copies{"a", "b", "c"});
  CHECK(!next({"a", "b", "c"}, {"b", "c"}, {"b", "c"})); // until another owns it
  CHECK(next({"b", "c"}, {"a", "b"}, {"b", "c"}) == copies{"a", "b"});
}

TEST_CASE("who is out is not among them, even where too few are left") {
  const auto next_without = [](copies now, copies wanted, std::vector<std::string> out) {
    return next_copies({"a", std::move(now), std::move(wanted), 2, [](const std::string&) { return false; },
                        std::move(out)});
  };
  CHECK(next_without({"a", "b"}, {"a", "b"}, {"b"}) == copies{"a"});
  CHECK(next_without({"a", "b", "c"}, {"a", "c"}, {"b"}) == copies{"a", "c"});
  CHECK(!next_without({"a"}, {"a", "b"}, {"b"}));
}
