#include "bench/harness/scenario_choice.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

using vicket::bench::is_chosen;

TEST_CASE("Without a name all scenarios run but those that do only by name, and with names those alone") {
  struct row {
    const char* scenario;
    bool only_by_name;
    std::vector<std::string> named;
    bool runs;
  };
  const row table[] = {
      {"short", false, {}, true},
      {"long", true, {}, false},
      {"short", false, {"short"}, true},
      {"long", true, {"long"}, true},
      {"short", false, {"long"}, false},
      {"long", true, {"short"}, false},
      {"long", true, {"short", "long"}, true},
      {"short", false, {"shorter"}, false},
  };
  for (const auto& [scenario, only_by_name, named, runs] : table) {
    INFO(scenario << ", named " << named.size());
    CHECK(is_chosen(scenario, only_by_name, named) == runs);
  }
}
