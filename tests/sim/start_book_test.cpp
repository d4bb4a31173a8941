#include "tests/sim/start_book.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace vicket::sim {

namespace {

/// A node of so many places and four connectors.
struct story {
  explicit story(std::size_t places, std::uint32_t partitions = 1) : shape{shape_of(places, partitions)} {}

  static world_shape shape_of(std::size_t places, std::uint32_t partitions) {
    world_shape made;
    made.connectors.resize(4);
    made.max_in_flight = places;
    made.window_memory_bytes = 64u << 20;
    made.partitions = partitions;
    return made;
  }

  world_shape shape;
  std::vector<complaint> complaints;
  start_book book{shape, complaints};
  moment time{1'779'546'071'000, 100'000, 0};

  moment now() {
    ++time.order;
    return time;
  }
  void request(std::uint32_t which, std::uint32_t most = 16) { book.requested(which, most, now()); }
  void respond(std::uint32_t which, bool asks_for_peace = false) {
    book.responded(which, asks_for_peace, now());
  }
  void rest(const std::set<std::uint32_t>& with_events) { book.at_rest(with_events, now()); }
  void pass(std::int64_t duration_ms) { time.steady_ms += duration_ms; }
  [[nodiscard]] std::vector<std::string> rules() const {
    std::vector<std::string> all;
    for (const auto& each : complaints)
      all.push_back(each.rule);
    return all;
  }
};

const std::vector<std::string> nothing;

} // namespace

TEST_CASE("a request beyond the node's places is seen, and one in a place that was left is none") {
  story told{3};
  for (std::uint32_t i = 0; i < 3; ++i)
    told.request(i);
  told.respond(1);
  told.request(0);
  CHECK(told.rules() == nothing);
  told.request(3);
  CHECK(told.rules() == std::vector<std::string>{"no more requests are under way than the node may have"});
}

TEST_CASE("what was under way in an earlier life takes no place") {
  story told{1};
  told.request(0);
  told.book.life_began();
  told.request(1);
  told.respond(0); // late
  CHECK(told.rules() == nothing);
}

TEST_CASE("a request beyond the connector's places is seen, but where its supervisor died") {
  story told{100};
  told.request(0, 2);
  told.request(0, 2);
  CHECK(told.rules() == nothing);
  told.request(0, 2);
  CHECK(told.rules() ==
        std::vector<std::string>{"no more requests are under way than the connector may have"});
  story died{100};
  died.request(0, 1);
  died.book.supervisor_died();
  died.request(0, 1);
  CHECK(died.rules() == nothing);
  died.respond(0);
  died.respond(0);
  died.request(0, 1);
  died.request(0, 1);
  CHECK(died.rules().size() == 1);
}

TEST_CASE("whoever waits although a place is free is seen") {
  story told{2};
  told.request(0);
  told.request(0);
  told.rest({1, 2});
  CHECK(told.rules() == nothing);
  told.respond(0);
  told.rest({1});
  CHECK(told.rules() == std::vector<std::string>{"nothing waits while a place is free"});

  story has_one{2}; // what it has under way may be all that it can have
  has_one.request(1);
  has_one.rest({1});
  CHECK(has_one.rules() == nothing);

  story settling{2}; // the record of its last answer is on its way
  settling.request(1);
  settling.respond(1);
  settling.rest({1});
  CHECK(settling.rules() == nothing);
  settling.pass(settling.book.settle_ms());
  settling.rest({1});
  CHECK(settling.rules().size() == 1);

  story held{2};
  held.request(1);
  held.respond(1, true);
  held.pass(59'000);
  held.book.life_began(); // the hold is remembered
  held.rest({1});
  CHECK(held.rules() == nothing);
  held.pass(1'000);
  held.rest({1});
  CHECK(held.rules().size() == 1);

  story shared{16, 3}; // the free place may be another partition's
  shared.rest({1});
  CHECK(shared.rules() == nothing);
}

TEST_CASE("whoever is passed by for more than two rounds is seen") {
  const auto told_by = [](std::uint64_t starts, auto in_between) {
    story told{1};
    told.request(0);
    told.rest({1});
    for (std::uint64_t i = 0; i < starts; ++i) {
      told.respond(0);
      told.request(0);
      if (i == 4)
        in_between(told);
    }
    return told.rules();
  };
  const std::vector<std::string> seen{"whoever could start does so within two rounds"};
  const auto none = [](story&) {};
  CHECK(told_by(start_book::most_passed_by, none) == nothing);
  CHECK(told_by(start_book::most_passed_by + 1, none) == seen);
  CHECK(told_by(start_book::most_passed_by + 1, [](story& told) { told.rest({1}); }) == seen);
  CHECK(told_by(start_book::most_passed_by + 1, [](story& told) { told.rest({}); }) == nothing);
  CHECK(told_by(start_book::most_passed_by + 1, [](story& told) { told.book.connector_changes(1); }) ==
        nothing);
  CHECK(told_by(start_book::most_passed_by + 1, [](story& told) { told.book.nobody_has_to_start(); }) ==
        nothing);
  CHECK(told_by(start_book::most_passed_by + 1, [](story& told) {
          told.respond(0);
          told.request(1); // it was its turn
          told.respond(1);
        }) == nothing);
}

} // namespace vicket::sim
