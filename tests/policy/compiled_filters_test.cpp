#include "policy/compiled_filters.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

namespace vicket {

namespace {

std::string filter_of(int number) {
  return R"({"/a":{"eq":)" + std::to_string(number) + "}}";
}

std::string with_pattern(int number) {
  return R"({"/a":{"matches":"x)" + std::to_string(number) + "\"}}";
}

} // namespace

TEST_CASE("a filter is compiled once for as long as it is used") {
  compiled_filters filters;
  const auto first = filters.of(filter_of(1));
  REQUIRE(first);
  CHECK(filters.of(filter_of(1)) == first);
  CHECK(filters.of(filter_of(2)) != first);
  CHECK(filters.size() == 2);
  CHECK_FALSE(filters.of("{}"));
  CHECK(filters.size() == 2);
}

TEST_CASE("beyond the number of filters the one not used for longest goes") {
  compiled_filters filters{2};
  const auto one = filters.of(filter_of(1));
  const auto two = filters.of(filter_of(2));
  CHECK(filters.of(filter_of(1)) == one);
  static_cast<void>(filters.of(filter_of(3)));
  CHECK(filters.size() == 2);
  CHECK(filters.of(filter_of(1)) == one);
  CHECK(filters.of(filter_of(2)) != two);
  CHECK(one->matches("e", R"({"a":1})")); // who holds one goes on with it
  CHECK(two->matches("e", R"({"a":2})"));
}

TEST_CASE("beyond their bytes as well, but the one in use stays") {
  compiled_filters filters{100, 3 * filter_bounds::pattern_memory_bytes};
  for (int i = 0; i < 10; ++i) {
    CHECK(filters.of(with_pattern(i)));
    CHECK(filters.bytes() <= 3 * filter_bounds::pattern_memory_bytes);
  }
  CHECK(filters.size() == 2);
  compiled_filters small{100, 1};
  CHECK(small.of(filter_of(1)));
  CHECK(small.of(filter_of(2)));
  CHECK(small.size() == 1);
}

} // namespace vicket
