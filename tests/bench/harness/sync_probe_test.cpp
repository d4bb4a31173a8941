#include "bench/harness/sync_probe.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <unistd.h>

using namespace vicket::bench;

TEST_CASE("A probe of the disk measures each append and leaves no file behind") {
  // given
  const auto file =
      std::filesystem::temp_directory_path() / ("vicket-sync-probe-" + std::to_string(::getpid()));
  // when
  const auto times = sync_times_ns(file, 3);
  // then
  CHECK(times.size() == 3);
  CHECK(std::all_of(times.begin(), times.end(), [](auto one) { return one > 0; }));
  CHECK_FALSE(std::filesystem::exists(file));
}

TEST_CASE("A probe of a folder that isn't there says so") {
  CHECK_THROWS_AS(sync_times_ns("/no/such/folder/probe", 1), std::runtime_error);
}
