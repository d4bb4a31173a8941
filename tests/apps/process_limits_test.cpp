#include "apps/process_limits.hpp"

#include "tests/support/process.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <filesystem>
#include <string>

using namespace vicket;
using namespace vicket::testing;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("a node may start with just as many descriptors as it needs, and not with one less") {
  for (const std::size_t max_in_flight : {1U, 7U, 8U, 300U, 10'000U})
    for (const std::uint32_t partitions : {1U, 2U, 256U}) {
      CAPTURE(max_in_flight, partitions);
      const file_needs needs{max_in_flight, partitions};
      CHECK(needs.in_all() == max_in_flight + max_in_flight / 8 + partitions * 544 + 64 + 256 + 64);
      CHECK_FALSE(needs.complaint(needs.in_all()));
      const auto why = needs.complaint(needs.in_all() - 1);
      REQUIRE(why);
      CHECK_THAT(*why, ContainsSubstring("may open " + std::to_string(needs.in_all() - 1) + " files") &&
                           ContainsSubstring("--max-in-flight " + std::to_string(max_in_flight) + " needs " +
                                             std::to_string(needs.in_all())) &&
                           ContainsSubstring(std::to_string(partitions * 544 + 64) + " for the store"));
    }
}

TEST_CASE("a node of a cluster needs files for the others and the database") {
  CHECK(file_needs{100, 2, true}.in_all() == file_needs{100, 2}.in_all() + 256 + 64);
  const auto why = file_needs{100, 2, true}.complaint(500);
  REQUIRE(why);
  CHECK_THAT(*why, ContainsSubstring("576 for its ports and the cluster"));
}

TEST_CASE("the sentence names a number of deliveries with which the node starts, if there is one") {
  const std::string names = "start with --max-in-flight ";
  for (const std::size_t limit : {1'000U, 1'024U, 4'096U, 11'000U}) {
    const auto why = file_needs{10'000, 1}.complaint(limit);
    REQUIRE(why);
    const auto at = why->find(names);
    REQUIRE(at != std::string::npos);
    const auto named = std::stoul(why->substr(at + names.size()));
    CHECK_FALSE(file_needs{named, 1}.complaint(limit));
    CHECK(file_needs{named + 2, 1}.complaint(limit));
  }
  const auto why = file_needs{10'000, 1}.complaint(500); // not enough for the store
  REQUIRE(why);
  CHECK_THAT(*why, !ContainsSubstring(names) && ContainsSubstring("raise the limit (ulimit -Hn"));
}

TEST_CASE("a data folder keeps its number of partitions, a new one has as many as were asked for") {
  const temporary_folder folder;
  CHECK(partitions_to_be(folder.path() + "/new", 5) == 5);
  CHECK(partitions_to_be(folder.path() + "/new", 0) >= 1);
  for (const auto* name : {"partition-0", "partition-1", "partition-2"})
    std::filesystem::create_directory(folder.path() + "/" + name);
  static_cast<void>(folder.file("LOCK", ""));
  CHECK(partitions_to_be(folder.path(), 5) == 3);
}
