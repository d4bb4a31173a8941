#include "store_fixture.hpp"

#include "storage/column_families.hpp"
#include "storage/key_codec.hpp"

#include <rocksdb/db.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>

using namespace vicket;
using namespace vicket::test;

namespace {

constexpr auto forever = timestamp_ms{std::numeric_limits<std::int64_t>::max()};
constexpr auto no_limit = std::numeric_limits<std::size_t>::max();

/// By this process so far, from files.
std::uint64_t bytes_read() {
  auto file = std::ifstream{"/proc/self/io"};
  auto word = std::string{};
  auto bytes = std::uint64_t{0};
  REQUIRE(file >> word >> bytes);
  REQUIRE(word == "rchar:");
  return bytes;
}

/// As a program of that format has left it.
void set_format(const std::string& folder, std::uint32_t version) {
  auto families = std::vector<rocksdb::ColumnFamilyDescriptor>{};
  for (const auto& name : family_names)
    families.emplace_back(name, rocksdb::ColumnFamilyOptions{});
  auto handles = std::vector<rocksdb::ColumnFamilyHandle*>{};
  auto* opened = static_cast<rocksdb::DB*>(nullptr);
  REQUIRE(rocksdb::DB::Open({}, folder, families, &handles, &opened).ok());
  const auto db = std::unique_ptr<rocksdb::DB>{opened};
  CHECK(db->Put({}, handles[0], std::string{codec::format_key}, codec::encode_format(version)).ok());
  for (auto* handle : handles)
    CHECK(db->DestroyColumnFamilyHandle(handle).ok());
}

} // namespace

TEST_CASE("a folder of the format before is opened, and is of today's from then on; another one is refused") {
  const auto scratch = scratch_folder{};
  const auto folder = scratch.path() / "partition-0";
  auto store = open_store(small_options(nullptr, folder));
  const auto event = accept(*store, true);
  store.reset();
  set_format(folder, codec::oldest_format_version);
  store = open_store(small_options(nullptr, folder));
  CHECK(store->read_event(event, true));
  CHECK(all_waiting(*store, "crm-prod").size() == 1);
  store.reset();
  for (const auto version : {codec::oldest_format_version - 1, codec::format_version + 1}) {
    set_format(folder, version);
    CHECK(open_refused(small_options(nullptr, folder)).detail.find("has format " + std::to_string(version)) !=
          std::string::npos);
  }
  set_format(folder, codec::format_version);
  CHECK(open_store(small_options(nullptr, folder))->read_event(event, true));
}

TEST_CASE("an accepted event is found again by sequence, id and run, also after a restart") {
  // given a store with three events of two runs
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  const auto first = accept(*store, false);
  const auto second = accept(*store, false, {.run = "run-43"});
  const auto third = accept(*store, true);

  for (auto restarts = 0; restarts < 2; ++restarts) {
    // then each is there as it was accepted
    require_same(store->read_event(second, true).value(), event_of(second, {.run = "run-43"}));
    CHECK(store->read_event(first, false).value().envelope == nullptr);
    CHECK(store->find_event(id_of(second), {"crm-prod"}) == second);
    CHECK(store->events_of_run("run-42", 0, 10) == std::vector{first, third});
    CHECK(store->events_of_run("run-42", first, 10) == std::vector{third});
    CHECK(store->events_of_run("run-42", 0, 1) == std::vector{first});
    // and nothing else
    CHECK(!store->find_event(id_of(99), {"crm-prod"}));
    CHECK(!store->read_event(99, true));
    CHECK(store->events_of_run("run-44", 0, 10).empty());
    CHECK(store->health().ok());

    // when the store is closed and opened again
    store.reset();
    store = open_store(small_options(environment.get()));
  }
}

TEST_CASE("an attempt keeps what its answer said, beside a body that is stored once") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  const auto event = accept(*store, false);
  auto first = attempt_of(store->allocate_sequence(), event, 1, noon + 5'000);
  first.value.response_body = std::string(1'000, 'x');
  first.value.response_headers = {{"Location", "https://elsewhere.example.com/"}, {"X-Request-Id", "7"}};
  first.value.retry_after = retry_hint{"30.0", noon + 30'000, noon + 30'000};
  auto second = first;
  second.sequence = store->allocate_sequence();
  second.value.number = 2;
  second.same_body_as = 1;
  auto batch = write_batch{};
  batch.add_attempt({"crm-prod"}, first, {noon, event}, false);
  batch.add_attempt({"crm-prod"}, second, {noon + 5'000, event}, true);
  REQUIRE(store->commit(batch, event).ok());
  for (auto restarts = 0; restarts < 2; ++restarts) {
    const auto history = store->attempts_of(event);
    REQUIRE(history.size() == 2);
    CHECK(history[0].value == first.value);
    CHECK(history[1].value == second.value);
    const auto feed = store->attempts_after(0, 10, no_limit);
    REQUIRE(feed.size() == 2);
    CHECK(feed[0].value == first.value);
    CHECK(feed[1].value == second.value);
    store.reset();
    store = open_store(small_options(environment.get()));
  }
}

TEST_CASE("every attempt is remembered, per event and in the order of the feed") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  const auto event = accept(*store, false);
  const auto other = accept(*store, false);
  auto expected = std::vector<stored_attempt>{};
  for (auto number = 1u; number <= 3; ++number) {
    auto batch = write_batch{};
    const auto due = noon + 1'000 * static_cast<std::int64_t>(number);
    expected.push_back(attempt_of(store->allocate_sequence(), event, number,
                                  number < 3 ? std::optional{due} : std::nullopt));
    batch.add_attempt({"crm-prod"}, expected.back(), {due - 1'000, event}, number > 1);
    REQUIRE(store->commit(batch, event).ok());
  }

  const auto attempts = store->attempts_of(event);
  REQUIRE(attempts.size() == 3);
  const auto feed = store->attempts_after(0, 10, no_limit);
  REQUIRE(feed.size() == 3);
  for (auto i = 0u; i < 3; ++i) {
    CHECK(attempts[i].value == expected[i].value);
    CHECK(attempts[i].state_after == expected[i].state_after);
    CHECK(feed[i].sequence == expected[i].sequence);
    CHECK(feed[i].event_sequence == event);
    CHECK(feed[i].value == expected[i].value);
  }
  CHECK(store->attempts_of(other).empty());
  CHECK(store->attempts_after(feed[0].sequence, 1, no_limit).front().sequence == feed[1].sequence);
  CHECK(store->attempts_after(0, 10, 1).size() == 1); // past the first, at most one byte: still one
  CHECK(store->attempts_after(feed[2].sequence, 10, no_limit).empty());
}

TEST_CASE("waiting events come in the order of their due time, in pages, without those in flight") {
  // given due times against the order of acceptance, and neighbours whose ids begin alike
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  auto by_due = std::vector<log_sequence>{};
  for (auto i = 0; i < 10; ++i)
    by_due.insert(by_due.begin(), accept(*store, true, {.connector = "crm", .accepted_at = noon - i}));
  accept(*store, true, {.connector = "crm-prod"});
  accept(*store, true, {.connector = "cr"});

  SECTION("in order, with what the supervisor needs") {
    const auto all = all_waiting(*store, "crm");
    REQUIRE(all.size() == 10);
    for (auto i = std::size_t{0}; i < all.size(); ++i) {
      CHECK(all[i].position.sequence == by_due[i]);
      CHECK(all[i].attempts_made == 0);
      require_same(all[i].event,
                   event_of(by_due[i], {.connector = "crm", .accepted_at = all[i].position.due}));
    }
  }
  SECTION("only what is due, and when the next one will be") {
    const auto page = store->read_due({"crm"}, {}, noon - 7, 10, no_limit, {});
    CHECK(page.events.size() == 3);
    CHECK(page.next_due == noon - 6);
  }
  SECTION("at most the limit, and past the first at most so many bytes") {
    CHECK(store->read_due({"crm"}, {}, forever, 4, no_limit, {}).events.size() == 4);
    CHECK(store->read_due({"crm"}, {}, forever, 4, no_limit, {}).next_due == noon - 5);
    CHECK(store->read_due({"crm"}, {}, forever, 10, 250, {}).events.size() == 2);
    CHECK(store->read_due({"crm"}, {}, forever, 10, 1, {}).events.size() == 1);
    CHECK(store->read_due({"crm"}, {}, forever, 0, no_limit, {}).next_due == noon - 9);
  }
  SECTION("what is skipped is neither returned nor counted nor the next one") {
    const auto skip = [&](log_sequence sequence) { return sequence != by_due[2] && sequence != by_due[9]; };
    const auto page = store->read_due({"crm"}, {}, forever, 1, no_limit, skip);
    REQUIRE(page.events.size() == 1);
    CHECK(page.events[0].position.sequence == by_due[2]);
    CHECK(page.next_due == noon);
  }
  SECTION("each connector that waits") {
    const auto waiting = store->waiting_connectors();
    REQUIRE(waiting.size() == 3);
    CHECK(waiting[0] == std::pair{connector_id{"cr"}, noon});
    CHECK(waiting[1] == std::pair{connector_id{"crm"}, noon - 9});
    CHECK(waiting[2] == std::pair{connector_id{"crm-prod"}, noon});
  }
  CHECK(store->health().ok());
}

TEST_CASE(
    "attempt number and next due time are part of the commit: no retry comes early, no count starts over") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  const auto event = accept(*store, false);
  const auto due = noon + 5'000;
  auto batch = write_batch{};
  batch.add_attempt({"crm-prod"}, attempt_of(store->allocate_sequence(), event, 1, due), {}, false);
  REQUIRE(store->commit(batch, event).ok());

  store.reset(); // settled_below still is the event's own: the restart scans it
  store = open_store(small_options(environment.get()));

  const auto waiting = all_waiting(*store, "crm-prod");
  REQUIRE(waiting.size() == 1);
  CHECK(waiting[0].position == due_position{due, event});
  CHECK(waiting[0].attempts_made == 1);
  CHECK(store->read_due({"crm-prod"}, {}, due - 1, 10, no_limit, {}).events.empty());
}

TEST_CASE("an event that was accepted but never tried waits after a restart, once") {
  // given events in every stage
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  const auto handed_over = accept(*store, false);
  const auto waits = accept(*store, true);
  const auto delivered = accept(*store, false);
  const auto waited_and_delivered = accept(*store, true);
  const auto indexed_later = accept(*store, false);
  auto batch = write_batch{};
  batch.add_attempt({"crm-prod"}, attempt_of(store->allocate_sequence(), delivered, 1), {}, false);
  batch.add_attempt({"crm-prod"}, attempt_of(store->allocate_sequence(), waited_and_delivered, 1),
                    {noon, waited_and_delivered}, true);
  batch.index_waiting({"crm-prod"}, {noon, indexed_later});
  REQUIRE(store->commit(batch, handed_over).ok());

  // when the node restarts, any number of times
  for (auto restarts = 0; restarts < 3; ++restarts) {
    store.reset();
    store = open_store(small_options(environment.get()));
    const auto waiting = all_waiting(*store, "crm-prod");
    auto sequences = std::vector<log_sequence>{};
    for (const auto& event : waiting)
      sequences.push_back(event.position.sequence);
    CHECK(sequences == std::vector{handed_over, waits, indexed_later});
    CHECK(store->settled_below() == store->next_sequence());
  }
}

TEST_CASE("connectors and their states survive a restart, and go when deleted") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  auto full = connector{};
  full.id = {"crm-prod"};
  full.name = "CRM, production";
  full.url = "https://hooks.example.com/vicket";
  full.secret = {"whsec_abc"};
  full.headers = {{"X-Team", "support"}};
  full.events = {"ticket.*"};
  full.rate = rate_limit{100, 1'000, 10};
  auto plain = connector{};
  plain.id = {"crm"};
  plain.url = "https://example.com/";
  plain.enabled = false;
  auto batch = write_batch{};
  batch.put_connector(full);
  batch.put_connector(plain);
  batch.put_connector_state(full.id, "42");
  batch.put_connector_state(plain.id, "-42");
  REQUIRE(store->commit(batch, 1).ok());

  store.reset();
  store = open_store(small_options(environment.get()));
  CHECK(store->connectors() == std::vector{plain, full});
  CHECK(store->connector_states() ==
        std::vector<std::pair<connector_id, std::string>>{{plain.id, "-42"}, {full.id, "42"}});

  batch.clear();
  batch.delete_connector(full.id);
  REQUIRE(store->commit(batch, 1).ok());
  CHECK(store->connectors() == std::vector{plain});
  CHECK(store->connector_states().size() == 1);
}

TEST_CASE("a batch knows whether and how much it holds, and may be filled again after clear") {
  auto batch = write_batch{};
  CHECK(batch.empty());
  batch.add_event(event_of(1), false);
  CHECK(!batch.empty());
  CHECK(batch.bytes() > event_of(1).envelope->size());
  batch.clear();
  CHECK(batch.empty());
}

TEST_CASE("a commit's own bookkeeping stays out of the caller's batch") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  auto batch = write_batch{};
  batch.add_event(event_of(store->allocate_sequence()), false);
  const auto bytes = batch.bytes();
  REQUIRE(store->commit(batch, 1).ok());
  CHECK(batch.bytes() == bytes);
}

TEST_CASE("a partition that another process holds is refused, with a clear line") {
  const auto folder = scratch_folder{};
  const auto store = open_store(small_options(nullptr, folder.path() / "p"));
  const auto status = open_refused(small_options(nullptr, folder.path() / "p"));
  CHECK(status.code == store_errc::locked);
  CHECK(status.detail.find("is in use") != std::string::npos);
}

TEST_CASE("an owner of an earlier epoch is refused: the partition has moved on") {
  auto environment = make_memory_environment();
  auto options = small_options(environment.get());
  options.epoch = 7;
  accept(*open_store(options), true);
  options.epoch = 6;
  CHECK(open_refused(options).code == store_errc::foreign);
  options.epoch = 8;
  CHECK(all_waiting(*open_store(options), "crm-prod").size() == 1);
}

TEST_CASE("a partition without CURRENT is refused, not replaced by an empty one") {
  const auto folder = scratch_folder{};
  const auto path = folder.path() / "p";
  accept(*open_store(small_options(nullptr, path)), true);
  std::filesystem::remove(path / "CURRENT");
  const auto status = open_refused(small_options(nullptr, path));
  CHECK(status.code == store_errc::corrupt);
  CHECK(status.detail.find("CURRENT") != std::string::npos);
}

TEST_CASE("a damaged table is reported by the read that meets it, not taken for missing") {
  // given an event in a table file (a restart flushes the log into one)
  const auto folder = scratch_folder{};
  const auto path = folder.path() / "p";
  const auto sequence = accept(*open_store(small_options(nullptr, path)), true, {.envelope_bytes = 5'000});
  open_store(small_options(nullptr, path)).reset();

  // when its bytes are damaged
  auto damaged = 0;
  for (const auto& entry : std::filesystem::directory_iterator{path}) {
    if (entry.path().extension() != ".sst" || entry.file_size() < 4'000)
      continue;
    auto file = std::fstream{entry.path(), std::ios::in | std::ios::out | std::ios::binary};
    file.seekp(1'000);
    file.write("damaged", 7);
    ++damaged;
  }
  REQUIRE(damaged == 1);

  // then it is not there, and the store says why
  const auto store = open_store(small_options(nullptr, path));
  CHECK(store->health().ok());
  const auto page = store->read_due({"crm-prod"}, {}, forever, 10, no_limit, {});
  CHECK(page.events.empty());
  CHECK(page.unreadable == 1);
  CHECK(!store->find_event(id_of(sequence), {"crm-prod"}));
  CHECK(store->health().code == store_errc::corrupt);
  CHECK(store->health().detail.find(path.string()) != std::string::npos);
}

TEST_CASE("asking for an unknown id reads little, however many ids there are and however small the cache") {
  const auto folder = scratch_folder{};
  auto options = store_options{};
  options.folder = folder.path() / "p";
  options.block_cache_bytes = 4u << 20;
  const auto store = open_store(options);
  constexpr auto commits = 80;
  constexpr auto events = 10'000; // in all, their filter takes a megabyte
  for (auto i = 0; i < commits; ++i) {
    auto batch = write_batch{};
    for (auto j = 0; j < events; ++j)
      batch.add_event(event_of(store->allocate_sequence(), {.envelope_bytes = 1}), false);
    REQUIRE(store->commit(batch, store->next_sequence()).ok());
  }
  constexpr auto lookups = 2'000;
  const auto before = bytes_read();
  for (auto i = std::uint64_t{0}; i < lookups; ++i)
    CHECK(!store->find_event(id_of(std::uint64_t{1} << 40 | i), {"crm-prod"}));
  const auto each = (bytes_read() - before) / lookups;
  CAPTURE(each);
  CHECK(each < 32 * 1024);
}
