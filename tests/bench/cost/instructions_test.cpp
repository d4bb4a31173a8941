#include "bench/cost/instructions.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <sstream>
#include <string>
#include <variant>

using namespace vicket::bench;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("callgrind's totals are read, with the name of the tool") {
  std::istringstream file{
      "# callgrind format\nversion: 1\ncreator: callgrind-3.19.0\nsummary: 7\n\nfn=(1)\n0 7\n"
      "totals: 531967311\n"};
  const auto totals = read_callgrind_totals(file);
  REQUIRE(totals);
  CHECK(totals->instructions == 531'967'311);
  CHECK(totals->tool == "callgrind-3.19.0");
}

TEST_CASE("a file that callgrind did not write to its end has no totals") {
  for (const std::string text :
       {"", "creator: callgrind-3.19.0\nsummary: 7\n", "totals: \n", "totals: 12x\n"}) {
    std::istringstream file{text};
    CHECK_FALSE(read_callgrind_totals(file));
  }
}

TEST_CASE("a load that is not there can't be counted, and the error says what to build") {
  const auto counted = count_instructions("/nonexistent/vicket-bench-load");
  REQUIRE(std::holds_alternative<std::string>(counted));
  CHECK_THAT(std::get<std::string>(counted), ContainsSubstring("build vicket-bench-load"));
}
