#include "bench/cost/expected_cost.hpp"
#include "bench/cost/scratch_folder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <fstream>
#include <string>

using namespace vicket::bench;
using Catch::Matchers::ContainsSubstring;

namespace {

std::optional<expected_cost> read(const std::string& text) {
  const scratch_folder folder;
  const auto file = folder.path() / "expected.json";
  std::ofstream{file} << text;
  return read_expected_cost(file, "debian12-gcc12-x86_64");
}

} // namespace

TEST_CASE("a count within the margin is fine") {
  const expected_cost expected{100'000, 0.02};
  CHECK_FALSE(cost_complaint(100'000, expected));
  CHECK_FALSE(cost_complaint(101'990, expected));
  CHECK_FALSE(cost_complaint(98'010, expected));
}

TEST_CASE("a count above the margin fails and says how to look for the cause") {
  const auto complaint = cost_complaint(103'000, {100'000, 0.02});
  REQUIRE(complaint);
  CHECK_THAT(*complaint, ContainsSubstring("103000 instructions per delivery, 3.0 % more than the 100000"));
  CHECK_THAT(*complaint, ContainsSubstring("callgrind_annotate"));
  CHECK_THAT(*complaint, ContainsSubstring("store the new figure"));
}

TEST_CASE("a count below the margin fails too: the stored figure is out of date and would hide a loss") {
  const auto complaint = cost_complaint(90'000, {100'000, 0.02});
  REQUIRE(complaint);
  CHECK_THAT(*complaint, ContainsSubstring("10.0 % less"));
  CHECK_THAT(*complaint, ContainsSubstring("lower it"));
}

TEST_CASE("the expected cost is that of the platform, and a platform may have none") {
  const auto expected = read(R"({"debian12-gcc12-x86_64": {"per_delivery": 12345, "margin": 0.03},
                                 "debian13-gcc14-x86_64": {"per_delivery": 1, "margin": 0.01}})");
  REQUIRE(expected);
  CHECK(expected->per_delivery == 12'345);
  CHECK(expected->margin == 0.03);
  CHECK_FALSE(read(R"({"debian13-gcc14-x86_64": {"per_delivery": 1, "margin": 0.01}})"));
}

TEST_CASE(
    "a file of expected costs that is not as it should be is refused, not taken for one without figures") {
  CHECK_THROWS_WITH(read(""), ContainsSubstring("at byte 0"));
  CHECK_THROWS_WITH(read("[]"), ContainsSubstring("must be an object"));
  CHECK_THROWS_WITH(read(R"({"debian12-gcc12-x86_64": 12345})"), ContainsSubstring("must be an object"));
  CHECK_THROWS_WITH(read(R"({"debian12-gcc12-x86_64": {"margin": 0.02}})"),
                    ContainsSubstring("per_delivery"));
  CHECK_THROWS_WITH(read(R"({"debian12-gcc12-x86_64": {"per_delivery": 1, "margin": 0}})"),
                    ContainsSubstring("margin"));
  CHECK_THROWS_WITH(read(R"({"debian12-gcc12-x86_64": {"per_delivery": 1, "margin": 2}})"),
                    ContainsSubstring("at most"));
}
