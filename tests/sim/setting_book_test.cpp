#include "tests/sim/setting_book.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace vicket::sim;

namespace {

struct told {
  std::vector<complaint> complaints;
  setting_book book{complaints};

  /// Whether that may be seen now.
  bool may_be(std::optional<std::uint64_t> number) {
    const auto before = complaints.size();
    book.seen(0, number, "a node");
    return complaints.size() == before;
  }
  std::uint64_t put() { return book.begin(0, false).value(); }
  std::uint64_t remove() { return book.begin(0, true).value(); }
};

} // namespace

TEST_CASE("a setting is what was answered, or what is under way") {
  told it;
  CHECK(it.may_be(std::nullopt));
  CHECK_FALSE(it.may_be(1));
  CHECK(it.put() == 1);
  CHECK_FALSE(it.book.begin(0, true)); // one at a time
  CHECK(it.may_be(std::nullopt));
  CHECK(it.may_be(1));
  it.book.done(0);
  CHECK_FALSE(it.may_be(std::nullopt));
  CHECK(it.may_be(1));
  it.remove();
  CHECK(it.may_be(std::nullopt));
  CHECK(it.may_be(1));
  it.book.done(0);
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
  it.book.done(0);
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
  it.book.shown(0, 1, "the node");
  CHECK_FALSE(it.may_be(std::nullopt));
  it.put();
  it.book.shown(0, 2, "the node"); // its answer is still to come
  it.book.shown(0, 1, "the node");
  it.book.refused(0);
  CHECK(it.complaints.size() == 1); // that of `may_be`
  CHECK_FALSE(it.may_be(2));
}

TEST_CASE("a delete that finds nothing where something was put is a finding") {
  told it;
  it.remove();
  it.book.found_nothing(0);
  CHECK(it.complaints.empty());
  it.put();
  it.book.done(0);
  it.remove();
  it.book.found_nothing(0);
  CHECK(it.complaints.size() == 1);
}

TEST_CASE("an older copy of it all is what it was then, and numbers go on") {
  told it;
  it.put();
  it.book.done(0);
  const auto older = it.book;
  it.remove();
  it.book.done(0);
  it.book.restored(older);
  CHECK(it.may_be(1));
  CHECK_FALSE(it.may_be(std::nullopt));
  CHECK(it.put() == 3);
}
