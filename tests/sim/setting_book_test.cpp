#include "tests/sim/setting_book.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace vicket::sim;

namespace {

using numbers = std::vector<std::optional<std::uint64_t>>;

struct told {
  std::vector<complaint> complaints;
  setting_book book{complaints};
  std::uint64_t last = 0;
  std::uint64_t time = 0;

  /// Whether that may be seen now.
  bool may_be(std::optional<std::uint64_t> number) {
    const auto before = complaints.size();
    book.seen(0, number, "a node");
    return complaints.size() == before;
  }
  std::uint64_t put() {
    REQUIRE(book.begin(0, ++last, false, ++time));
    return last;
  }
  void remove() { REQUIRE(book.begin(0, ++last, true, ++time)); }
  void done() { book.done(0, ++time); }
};

} // namespace

TEST_CASE("a setting is what was answered, or what is under way") {
  told it;
  CHECK(it.may_be(std::nullopt));
  CHECK_FALSE(it.may_be(1));
  CHECK(it.put() == 1);
  CHECK_FALSE(it.book.begin(0, 2, true, 9)); // one at a time
  CHECK(it.may_be(std::nullopt));
  CHECK(it.may_be(1));
  it.done();
  CHECK_FALSE(it.may_be(std::nullopt));
  CHECK(it.may_be(1));
  it.remove();
  CHECK(it.may_be(std::nullopt));
  CHECK(it.may_be(1));
  it.done();
  CHECK_FALSE(it.may_be(1));
  CHECK(it.may_be(std::nullopt));
}

TEST_CASE("what was refused is not seen, what is not known may be, until something later was answered") {
  told it;
  it.put();
  it.book.refused(0);
  CHECK_FALSE(it.may_be(1));
  it.put();
  it.book.unknown(0);
  CHECK(it.may_be(2));
  CHECK(it.may_be(std::nullopt));
  it.put();
  it.done();
  CHECK_FALSE(it.may_be(2));
  CHECK_FALSE(it.may_be(std::nullopt));
  it.remove();
  it.book.all_are_lost();
  CHECK(it.may_be(std::nullopt));
  CHECK(it.may_be(3));
}

TEST_CASE("what was shown as durable stays, but for what is under way") {
  told it;
  it.put();
  it.book.all_are_lost();
  it.book.shown(0, 1, "the node", ++it.time);
  CHECK_FALSE(it.may_be(std::nullopt));
  it.put();
  it.book.shown(0, 2, "the node", ++it.time); // its answer is still to come
  it.book.shown(0, 1, "the node", ++it.time);
  it.book.refused(0);
  CHECK(it.complaints.size() == 1); // that of `may_be`
  CHECK_FALSE(it.may_be(2));
}

TEST_CASE("a delete that finds nothing where something was put is a finding") {
  told it;
  it.remove();
  it.book.found_nothing(0, ++it.time);
  CHECK(it.complaints.empty());
  it.put();
  it.done();
  it.remove();
  it.book.found_nothing(0, ++it.time);
  CHECK(it.complaints.size() == 1);
}

TEST_CASE("a setting may be all that it was from then to then, and nothing else") {
  told it;
  it.put();  // begun at 1
  it.done(); // 2
  it.put();  // 3
  it.done(); // 4
  it.put();  // 5
  it.book.unknown(0);
  it.remove(); // 6
  it.done();   // 7
  const auto at = [&](std::uint64_t from, std::uint64_t to) { return it.book.possible(0, from, to); };
  CHECK(at(0, 0) == numbers{std::nullopt});
  CHECK(at(0, 1) == numbers{std::nullopt, 1});
  CHECK(at(2, 2) == numbers{std::nullopt, 1}); // which was answered then
  CHECK(at(3, 3) == numbers{1, 2});
  CHECK(at(3, 2) == numbers{1});
  CHECK(at(5, 6) == numbers{2, 3, std::nullopt});
  CHECK(at(8, 9) == numbers{std::nullopt});
}
