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

TEST_CASE("a folder of an older format is opened, and is of today's from then on; another one is refused") {
  const auto scratch = scratch_folder{};
  const auto folder = scratch.path() / "partition-0";
  auto store = open_store(small_options(nullptr, folder));
  const auto event = accept(*store, true);
  store.reset();
  for (auto version = codec::oldest_format_version; version < codec::format_version; ++version) {
    set_format(folder, version);
    store = open_store(small_options(nullptr, folder));
    CHECK(store->read_event(event, true));
    CHECK(all_waiting(*store, "crm-prod").size() == 1);
    CHECK(store->history_counted_below() == store->next_sequence()); // it has no accounts of what was there
    store.reset();
    store = open_store(small_options(nullptr, folder)); // and is of today's format
    store.reset();
  }
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

TEST_CASE(
    "an event's attempts come in pages that are bounded in bytes, each with one at least, bodies whole") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  const auto event = accept(*store, false);
  const auto other = accept(*store, false);
  CHECK_FALSE(store->last_attempt_of(event));
  CHECK(store->read_attempts(event, {}).attempts.empty());
  // given five attempts, of which the first two have 1,000 bytes each, and the others the body of the second
  auto expected = std::vector<stored_attempt>{};
  for (auto number = 1u; number <= 5; ++number) {
    const auto due = noon + 1'000 * static_cast<std::int64_t>(number);
    auto made = attempt_of(store->allocate_sequence(), event, number, due);
    made.value.response_body = std::string(1'000, number == 1 ? 'a' : 'b');
    if (number > 2)
      made.same_body_as = 2;
    expected.push_back(made);
    auto batch = write_batch{};
    batch.add_attempt({"crm-prod"}, made, {due - 1'000, event}, number > 1);
    REQUIRE(store->commit(batch, event).ok());
  }
  const auto one = page_bytes_of(expected[0].value);
  REQUIRE(one == page_bytes_of(expected[4].value));
  struct row {
    partition_store::attempt_range which;
    std::vector<std::uint32_t> numbers;
    bool more;
  };
  const auto table = std::vector<row>{
      {{}, {1, 2, 3, 4, 5}, false},
      {{1, 5, 5 * one}, {1, 2, 3, 4, 5}, false},
      {{1, 5, 5 * one - 1}, {1, 2, 3, 4}, true},
      {{1, 4, 4 * one}, {1, 2, 3, 4}, false},
      {{3, 5, 2 * one}, {3, 4}, true},
      {{5, 5, 0}, {5}, false},
      {{4, 5, 0}, {4}, true},
      {{6, 9, no_limit}, {}, false},
      {{2, 1, no_limit}, {}, false},
  };
  const auto check_all = [&] {
    for (const auto& [which, numbers, more] : table) {
      INFO(which.first << " to " << which.last << ", " << which.max_bytes << " bytes");
      const auto page = store->read_attempts(event, which);
      CHECK(page.more == more);
      REQUIRE(page.attempts.size() == numbers.size());
      for (auto i = 0u; i < numbers.size(); ++i) {
        CHECK(page.attempts[i].value == expected[numbers[i] - 1].value);
        CHECK(page.attempts[i].sequence == expected[numbers[i] - 1].sequence);
      }
    }
    REQUIRE(store->last_attempt_of(event));
    CHECK(store->last_attempt_of(event)->number == 5);
    CHECK(store->last_attempt_of(event)->state_after == event_state::pending);
    CHECK(store->last_attempt_of(event)->next_attempt_at == noon + 5'000);
    CHECK_FALSE(store->last_attempt_of(other));
    CHECK(store->health().ok());
  };
  check_all();

  // and the same when they are carried below the retention's edge
  const auto edge = store->next_sequence();
  auto batch = write_batch{};
  for (const auto& each : store->read_carry({event}, edge, 0, no_limit).carried)
    batch.carry(each);
  auto header = store->last_round();
  ++header.number;
  header.next_sequence = header.settled_below = header.oldest_kept = edge;
  REQUIRE(store->apply(sealed_round{std::move(batch), header}, partition_store::durability::synced).ok());
  check_all();
}

TEST_CASE("the events of an id are found from a connector on, so many at a time") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  auto sequences = std::vector<log_sequence>{};
  auto batch = write_batch{};
  for (const auto* connector : {"d", "b", "a", "c"}) {
    auto event = event_of(store->allocate_sequence(), {.connector = connector});
    event.id = id_of(7);
    sequences.push_back(event.sequence);
    batch.add_event(event, true);
  }
  REQUIRE(store->commit(batch, store->next_sequence()).ok());
  const auto by_connector = std::vector<log_sequence>{sequences[2], sequences[1], sequences[3], sequences[0]};
  CHECK(store->find_events(id_of(7)) == by_connector);
  CHECK(store->find_events(id_of(7), {"a"}, 2) == std::vector{by_connector[0], by_connector[1]});
  CHECK(store->find_events(id_of(7), {"b"}) ==
        std::vector{by_connector[1], by_connector[2], by_connector[3]});
  CHECK(store->find_events(id_of(7), {"bb"}, 1) == std::vector{by_connector[2]});
  CHECK(store->find_events(id_of(7), {"e"}).empty());
  CHECK(store->find_events(id_of(8)).empty());
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
  SECTION("its first due time, its last, and whether something among the first was never attempted") {
    std::vector<waiting_connector> waiting;
    store->for_each_waiting([&](const waiting_connector& one) { waiting.push_back(one); });
    REQUIRE(waiting.size() == 3);
    CHECK(waiting[1].connector.value == "crm");
    CHECK(waiting[1].first_due == noon - 9);
    CHECK(waiting[1].last_due == noon);
    CHECK(waiting[1].unattempted_due == noon);
  }
  CHECK(store->health().ok());
}

TEST_CASE("of a connector with much that waits the first entries and the last are looked at") {
  auto environment = make_memory_environment();
  const auto store = open_store(small_options(environment.get()));
  auto batch = write_batch{};
  const auto wait = [&](const std::string& connector, std::int64_t minutes, std::uint32_t attempts_made) {
    const auto sequence = store->allocate_sequence();
    const auto due = noon + minutes;
    batch.add_event(
        event_of(sequence, {.connector = connector, .accepted_at = attempts_made > 0 ? noon : due}),
        attempts_made == 0);
    if (attempts_made > 0)
      batch.add_attempt({connector}, attempt_of(store->allocate_sequence(), sequence, attempts_made, due), {},
                        false);
  };
  constexpr auto looked_at = static_cast<std::int64_t>(partition_store::max_looked_at);
  for (auto i = std::int64_t{0}; i < looked_at; ++i)
    wait("just", i, i == looked_at - 1 ? 0 : 1);
  for (auto i = std::int64_t{0}; i < 40; ++i)
    wait("many", i, i == looked_at ? 0 : 1);
  wait("next", 7, 3);
  REQUIRE(store->commit(batch, store->next_sequence()).ok());
  std::vector<waiting_connector> waiting;
  store->for_each_waiting([&](const waiting_connector& one) { waiting.push_back(one); });
  REQUIRE(waiting.size() == 3);
  CHECK(waiting[0].last_due == noon + (looked_at - 1));
  CHECK(waiting[0].unattempted_due == noon + (looked_at - 1));
  CHECK(waiting[1].first_due == noon);
  CHECK(waiting[1].last_due == noon + 39);
  CHECK_FALSE(waiting[1].unattempted_due.has_value()); // it lies behind those
  CHECK(waiting[2].connector.value == "next");
  CHECK(waiting[2].first_due == noon + 7);
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
  full.secret = {"\1sealed-sealed-sealed-sealed-sealed"};
  full.secret_headers = {{"Authorization", {"\1sealed-sealed-sealed-sealed-sealed"}}};
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
  CHECK(store->read_connector(full.id) == full);
  CHECK_FALSE(store->read_connector({"crm-pro"}).has_value());
  const auto after = [&](const connector_id& id, std::size_t most) {
    std::vector<connector> found;
    store->visit_connectors_after(id, [&](connector value) {
      found.push_back(std::move(value));
      return found.size() < most;
    });
    return found;
  };
  CHECK(after({}, 1) == std::vector{plain});
  CHECK(after({}, 5) == std::vector{plain, full});
  CHECK(after(plain.id, 5) == std::vector{full});
  CHECK(after({"crm-"}, 5) == std::vector{full});
  CHECK(after(full.id, 5).empty());
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
