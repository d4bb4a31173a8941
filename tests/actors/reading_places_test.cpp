#include "actors/reading_places.hpp"

#include <catch2/catch_test_macros.hpp>

#include <vector>

using namespace vicket;

TEST_CASE("so many reads are under way at the same time, the others wait in their order, and no more than so "
          "many") {
  reading_places places{2, 3};
  std::vector<int> begun;
  for (int i = 0; i < 5; ++i)
    CHECK(places.begin([&begun, i] { begun.push_back(i); }));
  CHECK(begun == std::vector{0, 1});
  CHECK(places.under_way() == 2);
  CHECK(places.waiting() == 3);
  CHECK_FALSE(places.begin([&begun] { begun.push_back(99); }));
  places.end();
  CHECK(begun == std::vector{0, 1, 2});
  CHECK(places.under_way() == 2);
  CHECK(places.begin([&begun] { begun.push_back(5); }));
  for (int i = 0; i < 5; ++i)
    places.end();
  CHECK(begun == std::vector{0, 1, 2, 3, 4, 5});
  CHECK(places.under_way() == 0);
  CHECK(places.begin([&begun] { begun.push_back(6); }));
  CHECK(begun.back() == 6);
}

TEST_CASE("a read that is over at once leaves its place to the next") {
  reading_places places{1, 10};
  int begun = 0;
  const auto short_one = [&] {
    ++begun;
    places.end();
  };
  CHECK(places.begin([&begun] { ++begun; }));
  for (int i = 0; i < 5; ++i)
    CHECK(places.begin(short_one));
  places.end();
  CHECK(begun == 6);
  CHECK(places.under_way() == 0);
}
