#include "policy/start_permit.hpp"

#include <catch2/catch_test_macros.hpp>

using vicket::start_permit;

TEST_CASE(
    "a permit holds from a time to another, is fresh before that, and ends at once when it is forbidden") {
  std::int64_t now = 1'000;
  start_permit permit{[&] { return now; }};
  CHECK(!permit.holds());
  CHECK(!permit.is_fresh());
  permit.allow(3'000, 5'000);
  struct row {
    std::int64_t at;
    bool fresh;
    bool holds;
  };
  for (const auto& [at, fresh, holds] :
       {row{1'000, true, false}, row{2'999, true, false}, row{3'000, true, true}, row{4'999, true, true},
        row{5'000, false, false}, row{9'000, false, false}}) {
    now = at;
    INFO(at);
    CHECK(permit.is_fresh() == fresh);
    CHECK(permit.holds() == holds);
  }
  now = 4'000;
  permit.forbid();
  CHECK(!permit.holds());
  CHECK(!permit.is_fresh());
  permit.allow(3'000, 6'000);
  CHECK(permit.holds());
}
