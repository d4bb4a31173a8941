// What goes wrong in RocksDB's own threads, where no commit and no read gets to know of it.

#include "store_fixture.hpp"

#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>

using namespace vicket;
using namespace vicket::test;

namespace {

using fault = faulty_environment::fault;
using tables = faulty_environment::tables;

/// Rung by the store.
class bell {
public:
  void ring() {
    const auto guard = std::lock_guard{mutex_};
    rung_ = true;
    heard_.notify_all();
  }
  [[nodiscard]] bool is_heard() {
    auto guard = std::unique_lock{mutex_};
    return heard_.wait_for(guard, std::chrono::seconds{10}, [this] { return rung_; });
  }

private:
  std::mutex mutex_;
  std::condition_variable heard_;
  bool rung_ = false;
};

struct troubled_store {
  troubled_store() {
    store->on_trouble([this] { trouble.ring(); });
  }
  /// Until a table was refused: a commit fills a memtable, and its flush, or a compaction, comes later.
  void write_until_refused() {
    while (!environment.await_refused_table(2)) { // slower than compactions, so that no tables pile up
      REQUIRE(accepted < 10'000);
      auto batch = write_batch{};
      for (auto i = 0; i < 100; ++i) // their ids are in no order, so that compactions have to write
        batch.add_event(event_of(store->allocate_sequence(), {.envelope_bytes = 10}), false);
      const auto status = store->commit(batch, store->next_sequence());
      if (status.code == store_errc::full) // a flush was
        return;
      INFO(status.detail);
      REQUIRE(status.ok());
      ++accepted;
    }
  }

  faulty_environment environment;
  bell trouble;
  std::unique_ptr<partition_store> store = open_store(small_options(&environment));
  std::uint64_t accepted = 0;
};

} // namespace

TEST_CASE(
    "a flush or compaction that met a full disk goes on when there is room, and needs no commit for that") {
  const auto which = GENERATE(tables::all, tables::compacted);
  const auto as = GENERATE(fault::no_space, fault::quota);
  troubled_store node;
  auto& store = *node.store;
  CHECK(!store.wants_resume());
  node.environment.refuse_tables(as, which);
  node.write_until_refused();

  REQUIRE(node.trouble.is_heard());
  CHECK(store.wants_resume());
  CHECK(store.health().ok());
  if (which == tables::compacted) { // commits go on, but for one that has to wait for a flush meanwhile
    auto batch = write_batch{};
    batch.add_event(event_of(store.allocate_sequence()), false);
    const auto status = store.commit(batch, store.settled_below());
    INFO(status.detail);
    CHECK((status.ok() || status.code == store_errc::full));
  }

  // not while a compaction would meet the same again
  node.environment.set_volume({1u << 20, 1u << 30});
  CHECK(store.resume().code == store_errc::full);
  CHECK(store.is_open());

  node.environment.set_volume({1u << 29, 1u << 30});
  node.environment.free_disk();
  const auto resumed = store.resume();
  INFO(resumed.detail);
  REQUIRE(resumed.ok());
  CHECK(!store.wants_resume());
  if (which == tables::compacted)
    CHECK(node.environment.await_compaction());
  accept(store, false);
  CHECK(store.health().ok());
}

TEST_CASE("tables that pile up on a full disk end in a refused commit, which is taken when there is room") {
  troubled_store node;
  auto& store = *node.store;
  node.environment.refuse_tables(fault::no_space, tables::compacted);
  auto batch = write_batch{};
  constexpr auto for_good = 100; // one alone may have met a flush that was just slow
  auto refused = 0;
  for (auto tries = 0; refused < for_good && tries < 50'000; ++tries) {
    if (refused == 0) {
      batch.clear();
      for (auto i = 0; i < 100; ++i) // their ids are in no order, so that compactions have to write
        batch.add_event(event_of(store.allocate_sequence(), {.envelope_bytes = 1'000}), false);
    }
    const auto status = store.commit(batch, 1);
    INFO(status.detail);
    REQUIRE((status.ok() || status.code == store_errc::full));
    refused = status.ok() ? 0 : refused + 1;
  }
  REQUIRE(refused == for_good);
  node.environment.free_disk();
  REQUIRE(store.resume().ok());
  REQUIRE(store.commit(batch, 1).ok());
  CHECK(store.read_event(store.next_sequence() - 1, false).has_value());
}

TEST_CASE("any other failure in the background is the store's, at once") {
  const auto which = GENERATE(tables::all, tables::compacted);
  troubled_store node;
  node.environment.refuse_tables(fault::broken, which);
  while (node.environment.tables_refused() == 0) {
    auto batch = write_batch{};
    batch.add_event(event_of(node.store->allocate_sequence(), {.envelope_bytes = 10'000}), false);
    if (!node.store->commit(batch, 1).ok())
      break;
  }
  REQUIRE(node.trouble.is_heard());
  CHECK(node.store->health().code == store_errc::failed);
  CHECK(node.store->health().detail.find(partition_folder) != std::string::npos);
  CHECK(!node.store->wants_resume());
}

TEST_CASE("whoever asks late to be told of trouble is told of what there was") {
  troubled_store node;
  node.environment.refuse_tables(fault::no_space);
  node.write_until_refused();
  REQUIRE(node.trouble.is_heard());
  auto late = 0;
  node.store->on_trouble([&] { ++late; });
  node.store->on_trouble({});
  CHECK(late == 1);
}
