#include "policy/partitioning.hpp"

#include "policy/fnv1a.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vicket {

TEST_CASE("a connector's partition never changes") {
  // Golden: a data folder is laid out by these. Do not adapt them to the code.
  struct row {
    std::string_view id;
    std::uint32_t of_2;
    std::uint32_t of_3;
    std::uint32_t of_16;
    std::uint32_t of_1000;
  };
  const std::vector<row> table{
      {"", 0, 2, 6, 342},
      {"a", 1, 2, 11, 315},
      {"crm-prod", 0, 1, 2, 18},
      {"crm-test", 0, 1, 0, 960},
      {"A.b_c-9", 0, 0, 14, 966},
      {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 1, 1, 13, 165},
  };
  for (const auto& [id, of_2, of_3, of_16, of_1000] : table) {
    INFO(id);
    const connector_id connector{std::string{id}};
    CHECK(partition_of(connector, 1) == 0);
    CHECK(partition_of(connector, 2) == of_2);
    CHECK(partition_of(connector, 3) == of_3);
    CHECK(partition_of(connector, 16) == of_16);
    CHECK(partition_of(connector, 1'000) == of_1000);
  }
}

TEST_CASE("connectors spread evenly over the partitions, also when their ids only differ in a number") {
  constexpr std::uint32_t partitions = 8;
  std::vector<int> counts(partitions);
  for (int i = 0; i < 8'000; ++i)
    ++counts.at(partition_of({"customer-" + std::to_string(i)}, partitions));
  for (const int count : counts) {
    CHECK(count > 850);
    CHECK(count < 1'150);
  }
}

TEST_CASE(
    "with a multiple of partitions each connector is in one of those that its partition was split into") {
  for (int i = 0; i < 1'000; ++i) {
    const connector_id connector{"customer-" + std::to_string(i)};
    for (const std::uint32_t parents : {1u, 2u, 3u, 8u})
      for (const std::uint32_t times : {2u, 3u, 8u})
        CHECK(partition_of(connector, parents * times) % parents == partition_of(connector, parents));
    CHECK(partition_of_account(fnv1a(connector.value), 24) == partition_of(connector, 24));
  }
}

TEST_CASE("partitions are split into a multiple of them, more than there are and not too many") {
  struct row {
    std::uint32_t parents;
    std::uint32_t children;
    bool can;
  };
  for (const auto& [parents, children, can] :
       {row{1, 2, true}, row{1, 256, true}, row{2, 6, true}, row{3, 24, true}, row{2, 2, false},
        row{2, 1, false}, row{2, 0, false}, row{2, 5, false}, row{1, 257, false}, row{0, 4, false}}) {
    const auto why = split_complaint(parents, children, 256);
    INFO(parents << " into " << children << ": " << why);
    CHECK(why.empty() == can);
  }
}

TEST_CASE("no partitions are taken for one") {
  CHECK(partition_of({"crm-prod"}, 0) == 0);
}

} // namespace vicket
