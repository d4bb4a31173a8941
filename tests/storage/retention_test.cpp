// History is kept for a retention time and then dropped, without a scan of single deletes.

#include "store_fixture.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>

using namespace vicket;
using namespace vicket::test;

namespace {

constexpr auto no_limit = std::numeric_limits<std::size_t>::max();

/// Accepts events one minute apart and settles each at its first attempt, in batches of a hundred.
std::vector<log_sequence> deliver(partition_store& store, int count, std::size_t envelope_bytes = 100) {
  auto result = std::vector<log_sequence>{};
  auto batch = write_batch{};
  for (auto i = 0; i < count; ++i) {
    const auto sequence = store.allocate_sequence();
    batch.add_event(event_of(sequence, {.accepted_at = noon + 60'000 * i, .envelope_bytes = envelope_bytes}),
                    false);
    batch.add_attempt({"crm-prod"}, attempt_of(store.allocate_sequence(), sequence, 1), {}, false);
    result.push_back(sequence);
    if (i % 100 == 99 || i + 1 == count) {
      REQUIRE(store.commit(batch, store.next_sequence()).ok());
      batch.clear();
    }
  }
  return result;
}

store_status drop_history(partition_store& store, timestamp_ms before) {
  return store.drop_history_below(store.history_horizon(before));
}

/// The feed as far as its events are kept.
std::vector<stored_attempt> kept_feed(const partition_store& store) {
  auto feed = store.attempts_after(0, 1'000, no_limit);
  std::erase_if(feed, [&](const auto& attempt) { return !store.read_event(attempt.event_sequence, false); });
  return feed;
}

std::uint64_t table_bytes(const std::filesystem::path& folder) {
  auto result = std::uint64_t{0};
  for (const auto& entry : std::filesystem::directory_iterator{folder})
    if (entry.path().extension() == ".sst")
      result += entry.file_size();
  return result;
}

} // namespace

TEST_CASE("settled events older than the retention vanish from every lookup at once, and stay gone") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  const auto events = deliver(*store, 10);

  REQUIRE(drop_history(*store, noon + 60'000 * 4).ok()); // the fourth is kept: accepted at, not before

  for (auto restarts = 0; restarts < 2; ++restarts) {
    CHECK(store->oldest_kept() > events[3]);
    CHECK(store->oldest_kept() <= events[4]);
    for (auto i = std::size_t{0}; i < events.size(); ++i) {
      const auto kept = i >= 4;
      CHECK(store->read_event(events[i], true).has_value() == kept);
      CHECK(store->find_event(id_of(events[i])).has_value() == kept);
      CHECK(store->attempts_of(events[i]).size() == (kept ? 1 : 0));
    }
    CHECK(store->events_of_run("run-42", 0, 100).size() == 6);
    CHECK(kept_feed(*store).size() == 6);
    CHECK(kept_feed(*store).front().event_sequence == events[4]);
    CHECK(store->health().ok());
    store.reset();
    store = open_store(small_options(environment.get()));
  }

  // an id may be used again once it is forgotten
  auto batch = write_batch{};
  auto again = event_of(store->allocate_sequence());
  again.id = id_of(events[0]);
  batch.add_event(again, true);
  REQUIRE(store->commit(batch, store->settled_below()).ok());
  CHECK(store->find_event(again.id) == again.sequence);
}

TEST_CASE("an old event that still waits keeps its history, and that of what came after it") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  deliver(*store, 3);
  const auto waiting = accept(*store, false, {.accepted_at = noon + 60'000 * 3});
  auto batch = write_batch{};
  const auto due = noon + 500'000'000;
  batch.add_attempt({"crm-prod"}, attempt_of(store->allocate_sequence(), waiting, 1, due), {}, false);
  REQUIRE(store->commit(batch, store->next_sequence()).ok());
  deliver(*store, 3);

  const auto far = noon + 1'000'000'000;
  REQUIRE(drop_history(*store, far).ok());
  CHECK(store->oldest_kept() == waiting);
  CHECK(store->read_event(waiting, true).has_value());
  CHECK(store->attempts_of(waiting).size() == 1);
  CHECK(kept_feed(*store).size() == 4);

  // when it is settled at last, it goes too
  batch.clear();
  batch.add_attempt({"crm-prod"}, attempt_of(store->allocate_sequence(), waiting, 2), {due, waiting}, true);
  REQUIRE(store->commit(batch, store->next_sequence()).ok());
  REQUIRE(drop_history(*store, far).ok());
  CHECK(!store->read_event(waiting, false));
  CHECK(kept_feed(*store).empty());
}

TEST_CASE("what is not known to be settled is kept, however old") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  const auto in_flight = accept(*store, false); // settled_below stays below it
  deliver(*store, 0);
  REQUIRE(drop_history(*store, noon + 1'000'000'000).ok());
  CHECK(store->oldest_kept() <= in_flight);
  CHECK(store->read_event(in_flight, true).has_value());
}

TEST_CASE("an attempt that came after the retention's edge goes with its event, and the feed still sees that "
          "it was "
          "there") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  const auto old_event = accept(*store, false);
  const auto young_event = accept(*store, false, {.accepted_at = noon + 1'000});
  auto batch = write_batch{};
  for (const auto event : {old_event, young_event})
    batch.add_attempt({"crm-prod"}, attempt_of(store->allocate_sequence(), event, 1), {}, false);
  REQUIRE(store->commit(batch, store->next_sequence()).ok());
  REQUIRE(drop_history(*store, noon + 500).ok());
  REQUIRE(kept_feed(*store).size() == 1);
  CHECK(kept_feed(*store)[0].event_sequence == young_event);

  CHECK(store->attempts_after(0, 10, no_limit).front().event_sequence == old_event);
  CHECK(store->attempts_of(old_event).empty());
}

TEST_CASE("nothing is dropped before its time, and never twice") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  REQUIRE(drop_history(*store, noon).ok());
  CHECK(store->oldest_kept() == 1);
  const auto events = deliver(*store, 5);
  REQUIRE(drop_history(*store, noon).ok());
  CHECK(store->oldest_kept() <= events[0]);
  REQUIRE(drop_history(*store, noon + 60'000 * 3).ok());
  REQUIRE(drop_history(*store, noon + 60'000 * 2).ok()); // the clock went back
  CHECK(store->oldest_kept() > events[2]);
  CHECK(store->oldest_kept() <= events[3]);
}

TEST_CASE("the bytes of dropped history go") {
  const auto folder = scratch_folder{};
  const auto path = folder.path() / "p";
  auto store = open_store(small_options(nullptr, path));
  const auto events = deliver(*store, 12'000, 1'000);
  const auto before = table_bytes(path);
  REQUIRE(before > 6'000'000);
  REQUIRE(drop_history(*store, noon + 60'000 * 11'000).ok());
  // What is in the newest files goes when they are merged with what comes next.
  deliver(*store, 1'000, 1'000);
  store.reset();
  store = open_store(small_options(nullptr, path));
  CHECK(store->read_event(events.back(), true).has_value());
  store.reset();
  INFO("before " << before << ", after " << table_bytes(path));
  CHECK(table_bytes(path) < before / 2);
}
