// What a connector keeps of its attempts: those of settled events below its mark are gone for every read at once, and from
// the disk when their files are rewritten.

#include "store_fixture.hpp"

#include "storage/key_codec.hpp"

#include <filesystem>
#include <limits>

using namespace vicket;
using namespace vicket::test;

namespace {

constexpr auto no_limit = std::numeric_limits<std::size_t>::max();
const auto crm = codec::account_of({"crm-prod"});

/// An attempt at the event, which is tried again afterwards, or settled.
stored_attempt try_it(partition_store& store, log_sequence event, std::uint32_t number, bool again,
                      const std::string& connector = "crm-prod") {
  auto made = attempt_of(store.allocate_sequence(), event, number,
                         again ? std::optional{noon + number} : std::nullopt);
  made.account = codec::account_of({connector});
  auto batch = write_batch{};
  batch.add_attempt({connector}, made, {noon + (number - 1), event}, number > 1);
  REQUIRE(store.commit(batch, store.next_sequence()).ok());
  return made;
}

/// An event with so many attempts, of which the last settles it.
log_sequence settled(partition_store& store, std::uint32_t attempts,
                     const std::string& connector = "crm-prod") {
  const auto event = accept(store, false, {.connector = connector});
  for (auto number = 1u; number <= attempts; ++number)
    static_cast<void>(try_it(store, event, number, number < attempts, connector));
  return event;
}

void set_mark(partition_store& store, log_sequence attempts_from) {
  auto batch = write_batch{};
  batch.put_history(crm, {attempts_from, attempts_from, store.next_sequence(), {}});
  REQUIRE(store.commit(batch, store.next_sequence()).ok());
}

void check_dropped(const partition_store& store, log_sequence event, std::uint32_t attempts) {
  REQUIRE(store.read_event(event, false));
  CHECK(store.attempts_of(event).empty());
  const auto last = store.last_attempt_of(event);
  REQUIRE(last);
  CHECK(last->dropped);
  CHECK(last->number == attempts);
  CHECK(last->state_after == event_state::delivered);
}

std::uint64_t table_bytes(const std::filesystem::path& folder) {
  auto result = std::uint64_t{0};
  for (const auto& entry : std::filesystem::directory_iterator{folder})
    if (entry.path().extension() == ".sst")
      result += entry.file_size();
  return result;
}

void move_edge(partition_store& store, log_sequence edge, const std::vector<log_sequence>& kept) {
  auto batch = write_batch{};
  for (const auto& each : store.read_carry(kept, edge, 0, no_limit).carried)
    batch.carry(each);
  auto header = store.last_round();
  ++header.number;
  header.next_sequence = header.settled_below = store.next_sequence();
  header.oldest_kept = edge;
  REQUIRE(store.apply(sealed_round{std::move(batch), header}, partition_store::durability::synced).ok());
}

} // namespace

TEST_CASE(
    "an event that was settled below the mark has lost its attempts, and says how many and how it ended") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  const auto once = settled(*store, 1);
  const auto thrice = settled(*store, 3);
  const auto other = settled(*store, 2, "erp");
  const auto pending = accept(*store, false);
  static_cast<void>(try_it(*store, pending, 1, true));
  const auto late = accept(*store, false);
  static_cast<void>(try_it(*store, late, 1, true));
  const auto edge = store->next_sequence();
  static_cast<void>(try_it(*store, late, 2, false));
  CHECK(store->attempts_of(thrice).size() == 3);
  CHECK(store->attempts_after(0, 100, no_limit).size() == 9);
  CHECK_FALSE(store->last_attempt_of(once)->dropped);

  set_mark(*store, edge);
  for (auto restarts = 0; restarts < 2; ++restarts) {
    check_dropped(*store, once, 1);
    check_dropped(*store, thrice, 3);
    CHECK(store->attempts_of(other).size() == 2);
    CHECK(store->attempts_of(pending).size() == 1); // its retry's state
    CHECK(store->attempts_of(late).size() == 2);    // settled at the mark: all of its attempts are kept
    const auto log = store->read_log(0, 100, no_limit);
    REQUIRE(log.attempts.size() == 5);
    CHECK(log.attempts[0].event_sequence == other);
    CHECK(log.attempts[2].event_sequence == pending);
    CHECK(log.attempts[3].event_sequence == late);
    CHECK(log.through == edge);
    CHECK_FALSE(log.more);
    CHECK(store->health().ok());
    store.reset();
    store = open_store(small_options(environment.get()));
  }
  // and when the mark has passed the last one of them, they go together
  set_mark(*store, edge + 1);
  check_dropped(*store, late, 2);
  CHECK(store->attempts_after(0, 100, no_limit).size() == 3);
}

TEST_CASE("dropped attempts leave the disk when their files are rewritten, those of pending events do not") {
  const auto scratch = scratch_folder{};
  const auto folder = scratch.path() / "partition-0";
  auto store = open_store(small_options(nullptr, folder));
  auto events = std::vector<log_sequence>{};
  auto pending = std::vector<log_sequence>{};
  for (auto i = 0; i < 3'000; ++i) {
    const auto event = accept(*store, false, {.envelope_bytes = 1});
    auto batch = write_batch{};
    const auto attempts = i % 10 == 0 ? 4u : 5u;
    for (auto number = 1u; number <= attempts; ++number) {
      auto made = attempt_of(store->allocate_sequence(), event, number,
                             number < 5 ? std::optional{noon + number} : std::nullopt);
      made.account = crm;
      for (auto x = static_cast<std::uint64_t>(made.sequence), j = std::uint64_t{0}; j < 30;
           ++j) // incompressible
        made.value.error += static_cast<char>('!' + (x = x * 6'364'136'223'846'793'005ULL + 1) % 90);
      batch.add_attempt({"crm-prod"}, made, {noon + (number - 1), event}, number > 1);
    }
    REQUIRE(store->commit(batch, store->next_sequence()).ok());
    (attempts == 5 ? events : pending).push_back(event);
  }
  const auto attempts_left = store->attempts_after(0, 100'000, no_limit).size();
  CHECK(attempts_left == events.size() * 5 + pending.size() * 4);
  CHECK_FALSE(store->sweep_history()); // nothing is dropped
  const auto before = table_bytes(folder);
  set_mark(*store, events[2'000] + 1);
  auto swept = 0;
  while (store->sweep_history() && swept < 1'000)
    ++swept;
  CHECK(swept > 0);
  CHECK(swept < 1'000); // what belongs to pending events is not rewritten for ever
  CHECK(table_bytes(folder) < before * 9 / 10);
  for (auto restarts = 0; restarts < 2; ++restarts) {
    for (const auto i : {0u, 1'000u, 1'999u})
      check_dropped(*store, events[i], 5);
    for (const auto i : {2'000u, 2'500u})
      CHECK(store->attempts_of(events[i]).size() == 5);
    for (const auto i : {0u, 100u, 299u})
      CHECK(store->attempts_of(pending[i]).size() == 4);
    CHECK(store->attempts_after(0, 100'000, no_limit).size() == attempts_left - 2'000 * 5);
    CHECK(store->health().ok());
    store.reset();
    store = open_store(small_options(nullptr, folder));
  }
}

TEST_CASE("what is carried over the retention's edge says as well that its attempts are dropped") {
  const auto scratch = scratch_folder{};
  const auto folder = scratch.path() / "partition-0";
  auto store = open_store(small_options(nullptr, folder));
  const auto before = accept(*store, false); // carried when its attempts are dropped already
  static_cast<void>(try_it(*store, before, 1, true));
  const auto after = accept(*store, false); // carried in part, then dropped, then carried further
  static_cast<void>(try_it(*store, after, 1, true));
  const auto pending = accept(*store, false);
  static_cast<void>(try_it(*store, pending, 1, true));
  static_cast<void>(try_it(*store, before, 2, false));
  const auto mark = store->next_sequence();
  const auto filler = settled(*store, 1, "erp");
  set_mark(*store, mark);
  move_edge(*store, filler, {before, after, pending});
  check_dropped(*store, before, 2);
  CHECK(store->attempts_of(after).size() == 1);
  CHECK(store->attempts_of(pending).size() == 1);
  // what happens to an event that is carried is noted there
  auto batch = write_batch{};
  for (auto number = 2u; number <= 3; ++number) {
    auto made = attempt_of(store->allocate_sequence(), after, number,
                           number == 2 ? std::optional{noon + 2} : std::nullopt);
    made.account = crm;
    batch.add_attempt({"crm-prod"}, made, {noon + (number - 1), after}, true,
                      write_batch::attempt_index::carried);
  }
  REQUIRE(store->commit(batch, store->next_sequence()).ok());
  CHECK(store->attempts_of(after).size() == 3);
  set_mark(*store, store->next_sequence());
  check_dropped(*store, after, 3);
  static_cast<void>(store->sweep_history());
  const auto last = settled(*store, 1, "erp");
  move_edge(*store, last, {before, after, pending});
  for (auto restarts = 0; restarts < 2; ++restarts) {
    check_dropped(*store, before, 2);
    check_dropped(*store, after, 3);
    CHECK(store->attempts_of(pending).size() == 1);
    CHECK(store->health().ok());
    store.reset();
    store = open_store(small_options(nullptr, folder));
  }
}

TEST_CASE("a read of the log passes over only so many attempts that are dropped, and says where it is") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  const auto event = accept(*store, false);
  auto batch = write_batch{};
  const auto most = partition_store::max_passed_over;
  for (auto i = std::size_t{0}; i <= most; ++i) {
    auto made = attempt_of(store->allocate_sequence(), event, static_cast<std::uint32_t>(i + 1));
    made.account = crm;
    batch.add_attempt({"crm-prod"}, made, {}, false);
  }
  REQUIRE(store->commit(batch, store->next_sequence()).ok());
  const auto kept = settled(*store, 1, "erp");
  set_mark(*store, kept);
  const auto log = store->read_log(0, 10, no_limit);
  CHECK(log.attempts.empty());
  CHECK(log.more);
  CHECK(log.through == event + most);
  const auto next = store->read_log(log.through, 10, no_limit);
  CHECK(next.attempts.size() == 1);
  CHECK_FALSE(next.more);
}

TEST_CASE("a round that comes from elsewhere brings along what the feed is missing, and a restart knows it") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  static_cast<void>(settled(*store, 1));
  auto drops = feed_drops{};
  drops.add(7, 3);
  auto batch = write_batch{};
  batch.put_drops(drops);
  auto header = store->last_round();
  ++header.number;
  const auto parsed = sealed_round::parse(std::string{sealed_round{std::move(batch), header}.bytes()});
  REQUIRE(parsed);
  CHECK(store->drops() == feed_drops{});
  REQUIRE(store->apply(*parsed, partition_store::durability::synced).ok());
  CHECK(store->drops() == drops);
  store.reset();
  store = open_store(small_options(environment.get()));
  CHECK(store->drops() == drops);
}
