#include "bench/sink/arrival_log.hpp"

#include "tests/support/process.hpp"

#include <catch2/catch_test_macros.hpp>

#include <filesystem>
#include <stdexcept>
#include <utility>

using namespace vicket::bench;

namespace {

arrival numbered(std::uint8_t number) {
  arrival value;
  value.id.fill(number);
  value.arrived_ns = 1'000u + number;
  value.connector = number;
  value.status = 200;
  value.signature = arrival::genuine;
  return value;
}

} // namespace

TEST_CASE("what the sink writes into the log of arrivals, the harness sees at once") {
  const vicket::testing::temporary_folder folder;
  const auto file = folder.path() + "/arrivals";
  auto harness = arrival_log::create(file, 3);
  auto sink = arrival_log::open(file);
  REQUIRE(harness.arrivals().empty());

  sink.add(numbered(1));
  sink.add(numbered(2));
  sink.top().open_connections = 7;
  harness.top().gate_open = 1;

  REQUIRE(harness.arrivals().size() == 2);
  const auto second = harness.arrivals()[1];
  CHECK(second.id == numbered(2).id);
  CHECK(second.arrived_ns == 1'002);
  CHECK(second.connector == 2);
  CHECK(second.status == 200);
  CHECK(second.signature == arrival::genuine);
  CHECK(harness.top().open_connections == 7);
  CHECK(sink.top().gate_open == 1);
}

TEST_CASE("arrivals beyond the log's capacity are counted as dropped") {
  const vicket::testing::temporary_folder folder;
  auto log = arrival_log::create(folder.path() + "/arrivals", 2);
  for (std::uint8_t i = 1; i <= 5; ++i)
    log.add(numbered(i));
  CHECK(log.arrivals().size() == 2);
  CHECK(log.top().capacity == 2);
  CHECK(log.top().dropped == 3);
  CHECK(log.arrivals()[1].connector == 2);
}

TEST_CASE("a log of arrivals starts empty, whatever its file held") {
  const vicket::testing::temporary_folder folder;
  const auto file = folder.path() + "/arrivals";
  arrival_log::create(file, 2).add(numbered(1));
  const auto again = arrival_log::create(file, 4);
  CHECK(again.arrivals().empty());
  CHECK(again.top().capacity == 4);
  CHECK(std::filesystem::file_size(file) == 4'096 + 4 * sizeof(arrival));
}

TEST_CASE("a log of arrivals may be moved") {
  const vicket::testing::temporary_folder folder;
  auto first = arrival_log::create(folder.path() + "/first", 2);
  auto second = arrival_log::create(folder.path() + "/second", 2);
  first.add(numbered(1));
  second = std::move(first);
  second.add(numbered(2));
  const auto third = std::move(second);
  CHECK(third.arrivals().size() == 2);
}

TEST_CASE("a file that is no log of arrivals is refused") {
  const vicket::testing::temporary_folder folder;
  CHECK_THROWS_AS(arrival_log::open(folder.path() + "/missing"), std::runtime_error);
  CHECK_THROWS_AS(arrival_log::open(folder.file("short", "vksink01")), std::runtime_error);
  CHECK_THROWS_AS(arrival_log::open(folder.file("other", std::string(10'000, 'x'))), std::runtime_error);
  const auto cut = folder.path() + "/cut";
  static_cast<void>(arrival_log::create(cut, 100));
  std::filesystem::resize_file(cut, 4'096 + 99 * sizeof(arrival));
  CHECK_THROWS_AS(arrival_log::open(cut), std::runtime_error);
  CHECK_THROWS_AS(arrival_log::create(folder.path() + "/none", 0), std::runtime_error);
  CHECK_THROWS_AS(arrival_log::create(folder.path() + "/huge", ~0ull), std::runtime_error);
  CHECK_THROWS_AS(arrival_log::create(folder.path() + "/no/folder", 1), std::runtime_error);
}
