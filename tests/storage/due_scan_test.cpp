#include "storage/due_scan.hpp"

#include "store_fixture.hpp"

#include <string>
#include <tuple>
#include <vector>

using namespace vicket;
using namespace vicket::test;

namespace {

using seen = std::tuple<std::string, log_sequence, timestamp_ms>;

std::vector<seen> read_on(due_scan& scan, std::size_t limit, bool& more) {
  std::vector<seen> found;
  more = scan.read(limit, [&](const connector_id& connector, log_sequence sequence, timestamp_ms accepted) {
    found.emplace_back(connector.value, sequence, accepted);
  });
  return found;
}

std::vector<seen> read_all(due_scan& scan) {
  bool more = true;
  auto found = read_on(scan, 1u << 20, more);
  CHECK_FALSE(more);
  return found;
}

} // namespace

TEST_CASE("a scan tells when each event that waits was accepted, never tried, tried, or tried by an older "
          "program") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  const auto never_tried = accept(*store, true, {.connector = "a", .accepted_at = noon + 1});
  const auto tried = accept(*store, false, {.connector = "a", .accepted_at = noon + 2});
  const auto tried_by_an_older_program = accept(*store, false, {.connector = "ab", .accepted_at = noon + 3});
  const auto delivered = accept(*store, true, {.connector = "ab", .accepted_at = noon + 4});
  write_batch batch;
  const auto due = noon + 60'000;
  batch.add_attempt({"a"}, attempt_of(store->allocate_sequence(), tried, 1, due), {}, false,
                    write_batch::attempt_index::log, noon + 2);
  batch.add_attempt({"ab"}, attempt_of(store->allocate_sequence(), tried_by_an_older_program, 1, due), {},
                    false);
  batch.add_attempt({"ab"}, attempt_of(store->allocate_sequence(), delivered, 1), {noon + 4, delivered},
                    true);
  REQUIRE(store->commit(batch, 1).ok());

  const auto scan = store->scan_due();

  CHECK_FALSE(scan->at_end());
  CHECK(read_all(*scan) == std::vector<seen>{{"a", never_tried, noon + 1},
                                             {"a", tried, noon + 2},
                                             {"ab", tried_by_an_older_program, noon + 3}});
  CHECK(scan->at_end());
  CHECK(store->health().ok());
}

TEST_CASE("a scan shows the index as it stood when it was made, whatever is committed since") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  CHECK(store->scan_due()->at_end());
  const auto first = accept(*store, true, {.connector = "a"});
  const auto scan = store->scan_due();
  accept(*store, true, {.connector = "b"});
  write_batch batch;
  batch.add_attempt({"a"}, attempt_of(store->allocate_sequence(), first, 1), {noon, first}, true);
  REQUIRE(store->commit(batch, 1).ok());

  CHECK(read_all(*scan) == std::vector<seen>{{"a", first, noon}});
}

TEST_CASE("a scan is read in pieces that end with a connector, and ends when it is closed") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  std::vector<seen> all;
  for (const auto* const connector : {"a", "b"})
    for (std::size_t i = 0; i < due_scan::close_check + 3; ++i)
      all.emplace_back(connector, accept(*store, true, {.connector = connector}), noon);
  bool more = false;
  SECTION("to its end") {
    const auto scan = store->scan_due();
    auto found = read_on(*scan, 1, more);
    CHECK(more);
    CHECK(found.size() == all.size() / 2);
    for (auto& rest : read_on(*scan, 1, more))
      found.push_back(std::move(rest));
    CHECK_FALSE(more);
    CHECK(found == all);
  }
  SECTION("to the middle, and then it is closed") {
    const auto scan = store->scan_due();
    read_on(*scan, 1, more);
    scan->close();
    CHECK(read_on(*scan, 1, more).empty());
    CHECK_FALSE(more);
    CHECK(scan->at_end());
  }
}
