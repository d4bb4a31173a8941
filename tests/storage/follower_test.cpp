// A store that follows a cluster's log: what opening it leaves alone, its position, and how an owner takes it over.

#include "store_fixture.hpp"

#include "storage/round_log.hpp"
#include "storage/testing/sim_disk.hpp"

#include <catch2/catch_get_random_seed.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <variant>
#include <vector>

using namespace vicket;
using namespace vicket::test;

namespace {

constexpr auto unsynced = partition_store::durability::unsynced;

store_options follower_options(store_environment* environment, const char* folder) {
  auto options = small_options(environment, folder);
  options.follows = true;
  return options;
}

/// The next round of an owner with one event, which nobody has tried yet.
sealed_round next_round(const partition_store& store, std::uint64_t epoch) {
  auto header = store.last_round();
  header.epoch = epoch;
  ++header.number;
  const auto sequence = header.next_sequence++;
  auto batch = write_batch{};
  batch.add_event(event_of(sequence), false);
  return {std::move(batch), header};
}

sealed_round taken_over(partition_store& store, std::uint64_t epoch, std::uint32_t tag = 7) {
  auto first = store.take_over(epoch, tag);
  if (const auto* why = std::get_if<store_status>(&first))
    FAIL(why->detail);
  return std::get<sealed_round>(std::move(first));
}

} // namespace

TEST_CASE("opening a store that follows writes no round, whatever it has") {
  auto environment = make_memory_environment();
  auto store = open_store(follower_options(environment.get(), "/copy"));
  const auto made = store->last_round();
  REQUIRE(store->apply(next_round(*store, 2), unsynced, "here").ok());
  const auto last = store->last_round();
  CHECK(last.number == made.number + 1);
  store = nullptr;
  for (auto i = 0; i < 3; ++i) {
    store = open_store(follower_options(environment.get(), "/copy"));
    CHECK(store->last_round() == last);
    CHECK(store->epoch() == 2);
    CHECK(all_waiting(*store, "crm-prod").empty()); // its index entry is an owner's to write
    store = nullptr;
  }
}

TEST_CASE("a position comes back with the round that it was kept with, and alone") {
  auto environment = make_memory_environment();
  auto store = open_store(follower_options(environment.get(), "/copy"));
  CHECK(store->position().empty());
  REQUIRE(store->apply(next_round(*store, 2), unsynced, "record 5").ok());
  CHECK(store->position() == "record 5");
  REQUIRE(store->apply(next_round(*store, 2), unsynced).ok()); // without one it stays
  CHECK(store->position() == "record 5");
  const auto last = store->last_round();
  REQUIRE(store->keep_position("record 9").ok());
  CHECK(store->last_round() == last);
  store = nullptr;
  store = open_store(follower_options(environment.get(), "/copy"));
  CHECK(store->position() == "record 9");
  CHECK(store->last_round() == last);
}

TEST_CASE("a round is the same before and after it was applied with a position") {
  auto environment = make_memory_environment();
  auto store = open_store(follower_options(environment.get(), "/copy"));
  const auto round = next_round(*store, 2);
  const auto bytes = std::string{round.bytes().substr(8)}; // without the number that RocksDB puts in
  REQUIRE(store->apply(round, unsynced, "record 5").ok());
  CHECK(round.bytes().substr(8) == bytes);
}

TEST_CASE("an owner's first round puts what was never tried into the due index, on every copy") {
  auto environment = make_memory_environment();
  auto owner = open_store(follower_options(environment.get(), "/owner"));
  auto copy = open_store(follower_options(environment.get(), "/copy"));
  for (auto i = 0; i < 3; ++i) {
    const auto round = next_round(*owner, 2);
    REQUIRE(owner->apply(round, unsynced).ok());
    REQUIRE(copy->apply(round, unsynced).ok());
  }
  const auto first = taken_over(*owner, 3);
  CHECK(first.header().epoch == 3);
  CHECK(first.header().number == owner->last_round().number + 1);
  CHECK(all_waiting(*owner, "crm-prod").empty()); // it is not applied yet
  REQUIRE(owner->apply(first, unsynced).ok());
  const auto travelled = sealed_round::parse(std::string{first.bytes()});
  REQUIRE(travelled);
  REQUIRE(copy->apply(*travelled, unsynced).ok());
  for (const auto* store : {owner.get(), copy.get()}) {
    CHECK(all_waiting(*store, "crm-prod").size() == 3);
    CHECK(store->settled_below() == store->next_sequence());
    CHECK(store->last_round() == owner->last_round());
  }
  CHECK(owner->epoch() == 3);
}

TEST_CASE("an owner of a later epoch writes its feed under a tag of its own, which all copies learn") {
  auto environment = make_memory_environment();
  auto owner = open_store(follower_options(environment.get(), "/owner"));
  auto copy = open_store(follower_options(environment.get(), "/copy"));
  const auto write = [&](partition_store& by, partition_store& other, std::uint64_t epoch) {
    auto header = by.last_round();
    header.epoch = epoch;
    ++header.number;
    const auto sequence = header.next_sequence++;
    auto batch = write_batch{};
    batch.add_event(event_of(sequence), true);
    if (by.needs_lineage(header))
      batch.put_lineage(by.lineage());
    const auto round = sealed_round{std::move(batch), header};
    REQUIRE(by.apply(round, unsynced).ok());
    REQUIRE(other.apply(round, unsynced).ok());
  };
  const auto begin = [&](partition_store& by, partition_store& other, std::uint64_t epoch,
                         std::uint32_t tag) {
    const auto first = taken_over(by, epoch, tag);
    REQUIRE(by.apply(first, unsynced).ok());
    REQUIRE(other.apply(first, unsynced).ok());
  };
  begin(*owner, *copy, 2, 11);
  write(*owner, *copy, 2);
  begin(*copy, *owner, 3, 22); // the copy is the owner now, and what it writes follows on what it has read
  write(*copy, *owner, 3);
  CHECK(copy->lineage().tag_of(1) == 11);
  CHECK(copy->lineage().tag_of(2) == 22);
  begin(*owner, *copy, 4, 33);
  CHECK(owner->lineage().tag_of(1) == 11);
  CHECK(owner->lineage().tag_of(2) == 22);
}

TEST_CASE("a store can be taken over again and again without anything being written under its tag") {
  auto environment = make_memory_environment();
  auto store = open_store(follower_options(environment.get(), "/copy"));
  for (std::uint32_t tag = 1; tag < 4; ++tag)
    REQUIRE(store->apply(taken_over(*store, 1 + tag, tag), unsynced).ok());
  auto header = store->last_round();
  ++header.number;
  const auto sequence = header.next_sequence++;
  CHECK(store->needs_lineage(header));
  CHECK(store->lineage().tag_of(sequence) == 3);
}

TEST_CASE("a round of an older epoch is not applied") {
  auto environment = make_memory_environment();
  auto store = open_store(follower_options(environment.get(), "/copy"));
  REQUIRE(store->apply(taken_over(*store, 5), unsynced).ok());
  CHECK(store->apply(next_round(*store, 4), unsynced).code == store_errc::foreign);
}

namespace {

/// A copy on a disk of its own, which loses power again and again.
struct copy_without_power {
  explicit copy_without_power(std::uint64_t seed) : disk{seed}, random{seed} { open(); }

  void open() {
    auto options = follower_options(&disk, "/copy");
    options.write_buffer_bytes = 96 * 1024;
    store = open_store(options);
  }

  /// Follows from where it stands; what of it is safe, it says itself.
  void follow(const std::vector<sealed_round>& log) {
    for (auto count = random() % 60; count > 0 && position() < log.size(); --count) {
      const auto next = position() + 1;
      REQUIRE(store->apply(log[next - 1], unsynced, std::to_string(next)).ok());
      if (random() % 20 == 0) {
        REQUIRE(store->keep_position(std::to_string(next)).ok());
        safe = next;
      }
      if (random() % 3 == 0 && !disk.pending_jobs().empty())
        disk.run_job(random() % disk.pending_jobs().size());
    }
  }

  void lose_power() {
    disk.crash();
    store = nullptr;
    disk.restart(random());
    open();
  }

  [[nodiscard]] std::size_t position() const {
    const auto text = store->position();
    return text.empty() ? 0 : std::stoull(text);
  }

  sim_disk disk;
  std::mt19937_64 random;
  std::unique_ptr<partition_store> store;
  std::size_t safe = 0;
};

/// So many rounds of an owner that loses nothing, as a cluster's log has them.
std::vector<sealed_round> rounds_of_an_owner(std::size_t count, std::size_t envelope_bytes) {
  auto environment = make_memory_environment();
  auto owner = open_store(follower_options(environment.get(), "/owner"));
  std::vector<sealed_round> log;
  while (log.size() < count) {
    auto header = owner->last_round();
    header.epoch = 2;
    ++header.number;
    const auto sequence = header.next_sequence++;
    auto event = event_of(sequence);
    event.envelope = std::make_shared<const std::string>(std::string(envelope_bytes, 'e'));
    auto batch = write_batch{};
    batch.add_event(event, true);
    const auto round = sealed_round{std::move(batch), header};
    log.push_back(*sealed_round::parse(std::string{round.bytes()}));
    REQUIRE(owner->apply(round, unsynced).ok());
  }
  return log;
}

} // namespace

TEST_CASE("whatever a power cut leaves of what a copy did not sync, it is the copy as it was at one round") {
  const auto log = rounds_of_an_owner(1'500, 1'500);
  const auto seed = std::uint64_t{Catch::getSeed()};
  // Two of them, each on a disk of its own.
  copy_without_power copies[]{copy_without_power{seed}, copy_without_power{seed + 1}};
  auto cuts_that_cost = 0;
  for (auto any_left = true; any_left;) {
    any_left = false;
    for (auto& copy : copies) {
      copy.follow(log);
      const auto before = copy.position();
      copy.lose_power();
      const auto left = copy.position();
      CHECK(left >= copy.safe);
      CHECK(left <= before);
      cuts_that_cost += left < before ? 1 : 0;
      CHECK(copy.store->last_round().number == (left == 0 ? 1 : log[left - 1].header().number));
      for (auto sequence = log_sequence{1}; sequence < copy.store->last_round().next_sequence; ++sequence)
        CHECK(copy.store->read_event(sequence, true));
      CHECK(copy.store->health().ok());
      any_left = any_left || left < log.size();
    }
  }
  CHECK(cuts_that_cost > 10);
}

TEST_CASE("a copy whose synced bytes are damaged is refused: its tables have what came after them") {
  const auto log = rounds_of_an_owner(400, 1'500);
  copy_without_power copy{1};
  const auto all_logs = [&] {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : copy.disk.copy("/copy"))
      if (name.ends_with(".log"))
        names.push_back(name);
    return names;
  };
  auto flushed = false;
  for (std::size_t i = 0; i < log.size() && !flushed; ++i) {
    REQUIRE(copy.store->apply(log[i], unsynced, std::to_string(i + 1)).ok());
    if (copy.disk.pending_jobs().empty())
      continue;
    copy.disk.run_job(0); // the events' family: what others have of its rounds is in the logs alone
    REQUIRE(copy.store->keep_position(std::to_string(i + 1)).ok());
    flushed = all_logs().size() > 1;
  }
  REQUIRE(flushed);
  copy.disk.crash();
  copy.store = nullptr;
  copy.disk.restart(1, power_loss::none);
  const auto path = "/copy/" + all_logs().front();
  auto bytes = copy.disk.read_file(path);
  bytes[bytes.size() / 2] ^= 1;
  copy.disk.write_file(path, bytes);
  auto options = follower_options(&copy.disk, "/copy");
  for (auto i = 0; i < 2; ++i) { // nothing is changed by the first try
    const auto opened = partition_store::open(options);
    REQUIRE(std::holds_alternative<store_status>(opened));
    CHECK(std::get<store_status>(opened).code == store_errc::corrupt);
    CHECK(std::get<store_status>(opened).detail.find("tables have what came after it") != std::string::npos);
    CHECK(std::get<store_status>(opened).detail.ends_with("the node follows the cluster's log anew"));
  }
}
