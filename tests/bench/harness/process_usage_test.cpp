#include "bench/harness/process_usage.hpp"
#include "bench/harness/real_time.hpp"

#include <catch2/catch_test_macros.hpp>
#include <unistd.h>

using namespace vicket::bench;

TEST_CASE("what all processors have worked grows by what a process has, at least") {
  const auto all_before_ns = busy_time_ns();
  const auto mine_before_ns = cpu_time_ns(::getpid());
  constexpr std::int64_t worked_ns = 300'000'000;
  while (cpu_time_ns(::getpid()) - mine_before_ns < worked_ns)
    ;
  CHECK(busy_time_ns() - all_before_ns > worked_ns / 2); // it is told in ticks
}
