// Rule 4: a full disk refuses, keeps what is there, and recovers by itself once there is room.

#include "storage/space_budget.hpp"

#include "store_fixture.hpp"
#include "system_faults.hpp"

#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sys/mount.h>
#include <unistd.h>

using namespace vicket;
using namespace vicket::test;

namespace {

/// Fills the store until a commit is refused, and returns what was acknowledged before.
std::vector<log_sequence> fill_until_full(partition_store& store, write_batch& refused,
                                          std::size_t envelope_bytes) {
  auto accepted = std::vector<log_sequence>{};
  for (;;) {
    refused.clear();
    const auto sequence = store.allocate_sequence();
    refused.add_event(event_of(sequence, {.envelope_bytes = envelope_bytes}), true);
    const auto status = store.commit(refused, 1);
    INFO(status.detail);
    if (status.ok()) {
      accepted.push_back(sequence);
      REQUIRE(accepted.size() < 100'000);
      continue;
    }
    REQUIRE(status.code == store_errc::full);
    CHECK(!store.read_event(sequence, false)); // nothing of it is visible
    CHECK(!store.find_event(id_of(sequence), {"crm-prod"}));
    return accepted;
  }
}

void require_waiting(const partition_store& store, const std::vector<log_sequence>& expected) {
  auto found = std::vector<log_sequence>{};
  for (const auto& event : all_waiting(store, "crm-prod"))
    found.push_back(event.position.sequence);
  std::sort(found.begin(), found.end());
  REQUIRE(found == expected);
}

} // namespace

TEST_CASE("a full disk refuses the commit, and takes the same one when there is room again") {
  // given a disk that fills up after so many bytes: within the first commit, within a later one, or within a
  // flush
  const auto bytes = GENERATE(0u, 1u, 50u, 5'000u, 40'000u, 700'000u, 1'500'000u);
  const auto restarts_at_once = GENERATE(false, true);
  INFO("bytes until full: " << bytes);
  auto environment = faulty_environment{};
  auto store = open_store(small_options(&environment));
  if (restarts_at_once) { // nothing was written since: RocksDB's memtables are empty, and its log is new
    store.reset();
    store = open_store(small_options(&environment));
  }
  environment.fill_disk_after(bytes);

  // when it does
  auto batch = write_batch{};
  auto accepted = fill_until_full(*store, batch, 1'000);

  // then reading goes on, and so it stays until there is room
  require_waiting(*store, accepted);
  CHECK(store->resume().code == store_errc::full);
  CHECK(store->commit(batch, 1).code == store_errc::full);
  CHECK(store->free_space().free_bytes == 0);

  // and then it recovers, again and again
  for (auto round = 0; round < 2; ++round) {
    environment.free_disk();
    const auto resumed = store->resume();
    INFO(resumed.detail);
    REQUIRE(resumed.ok());
    const auto committed = store->commit(batch, 1);
    INFO(committed.detail);
    REQUIRE(committed.ok());
    accepted.push_back(store->next_sequence() - 1);
    for (auto i = 0; i < 3; ++i)
      accepted.push_back(accept(*store, true));
    require_waiting(*store, accepted);
    if (restarts_at_once)
      break;
    environment.fill_disk_after(bytes);
    const auto more = fill_until_full(*store, batch, 1'000);
    accepted.insert(accepted.end(), more.begin(), more.end());
  }

  // and a crash afterwards loses nothing of it
  environment.crash();
  store.reset();
  environment.restart(bytes);
  store = open_store(small_options(&environment));
  require_waiting(*store, accepted);
}

TEST_CASE("a used-up quota is a full disk") {
  auto environment = faulty_environment{};
  auto store = open_store(small_options(&environment));
  environment.fill_disk_after(20'000, faulty_environment::fault::quota);
  auto batch = write_batch{};
  auto accepted = fill_until_full(*store, batch, 1'000);
  environment.free_disk();
  REQUIRE(store->resume().ok());
  REQUIRE(store->commit(batch, 1).ok());
  accepted.push_back(store->next_sequence() - 1);
  require_waiting(*store, accepted);
}

TEST_CASE("what the operating system says: an append without room or quota is a full disk, a sync never is") {
  using call = system_fault::call;
  const auto error = GENERATE(ENOSPC, EDQUOT);
  const auto folder = scratch_folder{};
  auto store = open_store(small_options(nullptr, folder.path() / "p"));
  auto accepted = std::vector{accept(*store, true)};
  auto batch = write_batch{};
  SECTION("an append") {
    {
      const auto full = system_fault{call::write, error, folder.path().string()};
      const auto refused = fill_until_full(*store, batch, 1'000);
      CHECK(refused.empty());
    }
    REQUIRE(store->resume().ok());
    REQUIRE(store->commit(batch, 1).ok());
    accepted.push_back(store->next_sequence() - 1);
  }
  SECTION("a sync") {
    {
      const auto failing = system_fault{call::sync, error, folder.path().string()};
      batch.add_event(event_of(store->allocate_sequence()), true);
      CHECK(store->commit(batch, 1).code == store_errc::failed);
    }
    CHECK(store->resume().code == store_errc::failed);
    CHECK(store->commit(batch, 1).code == store_errc::failed);
  }
  require_waiting(*store, accepted);
}

TEST_CASE("a crash while the disk is full loses nothing that was acknowledged") {
  const auto bytes = GENERATE(0u, 50u, 5'000u, 700'000u);
  auto environment = faulty_environment{};
  auto store = open_store(small_options(&environment));
  environment.fill_disk_after(bytes);
  auto batch = write_batch{};
  const auto accepted = fill_until_full(*store, batch, 1'000);
  static_cast<void>(store->resume());
  environment.crash();
  store.reset();
  environment.restart(7);
  store = open_store(small_options(&environment));
  require_waiting(*store, accepted);
}

TEST_CASE("what one partition is about to write is not there for the others") {
  auto budget = space_budget{};
  const auto free_bytes = [] { return std::uint64_t{100}; };
  {
    const auto first = budget.reserve(70, free_bytes);
    REQUIRE(first.has_value());
    CHECK(!budget.reserve(31, free_bytes));
    CHECK(budget.reserve(30, free_bytes).has_value());
    CHECK(budget.reserved_bytes() == 70);
    CHECK(!budget.reserve(1, [] { return std::uint64_t{60}; })); // some of it is written
  }
  CHECK(budget.reserve(100, free_bytes).has_value());
}

TEST_CASE("a partition waits with its recovery for room that another is using") {
  auto environment = faulty_environment{};
  auto options = small_options(&environment);
  options.budget = std::make_shared<space_budget>();
  auto store = open_store(options);
  environment.fill_disk_after(100'000);
  auto batch = write_batch{};
  auto accepted = fill_until_full(*store, batch, 1'000);
  environment.fill_disk_after(5u << 20);
  {
    const auto other = options.budget->reserve(4u << 20, [] { return std::uint64_t{5u << 20}; });
    CHECK(store->free_space().free_bytes == 1u << 20);
    CHECK(store->resume().code == store_errc::full);
    CHECK(store->is_open());
    require_waiting(*store, accepted);
  }
  REQUIRE(store->resume().ok());
  CHECK(options.budget->reserved_bytes() == 0);
  require_waiting(*store, accepted);
}

TEST_CASE(
    "a reopening that meets a full disk is no failure: closed until there is room, and then all is there") {
  // given a full disk on which there seems to be room
  auto environment = faulty_environment{};
  auto store = open_store(small_options(&environment));
  environment.fill_disk_after(100'000);
  auto batch = write_batch{};
  auto accepted = fill_until_full(*store, batch, 1'000);
  environment.free_disk();
  SECTION("no room for tables") {
    environment.refuse_tables(faulty_environment::fault::no_space);
  }
  SECTION("or after so many bytes") {
    environment.fill_disk_unseen_after(GENERATE(range(1u, 60'000u, 3'001u)),
                                       faulty_environment::fault::quota);
  }

  // when it is reopened
  for (auto again = 0; again < 2; ++again) {
    const auto resumed = store->resume();
    INFO(resumed.detail);
    REQUIRE(resumed.code == store_errc::full);
  }

  // then it is closed, which is not to be taken for "nothing there"
  CHECK(!store->is_open());
  CHECK(store->wants_resume());
  CHECK(store->health().ok());
  const auto refused = store->reads_refused();
  CHECK(!store->find_event(id_of(accepted.front()), {"crm-prod"}));
  CHECK(store->reads_refused() == refused + 1);
  CHECK(store->commit(batch, 1).code == store_errc::full);

  // and opens when there is room
  environment.free_disk();
  const auto resumed = store->resume();
  INFO(resumed.detail);
  REQUIRE(resumed.ok());
  CHECK(store->is_open());
  CHECK(!store->wants_resume());
  REQUIRE(store->commit(batch, 1).ok());
  accepted.push_back(store->next_sequence() - 1);
  require_waiting(*store, accepted);
  CHECK(store->reads_refused() == refused + 1);
}

TEST_CASE("opening on a full disk is refused, says what to do, and loses nothing") {
  auto environment = faulty_environment{};
  const auto sequence = accept(*open_store(small_options(&environment)), true);
  environment.fill_disk_after(GENERATE(0u, 100u, 3'000u));
  const auto status = open_refused(small_options(&environment));
  CHECK(status.code == store_errc::full);
  CHECK(status.detail.find("free some space, then start again; nothing is lost") != std::string::npos);
  environment.free_disk();
  require_waiting(*open_store(small_options(&environment)), {sequence});
}

TEST_CASE("the reserve is 5 % of the volume, within bounds, and at most a quarter of it") {
  struct row {
    std::uint64_t total_bytes;
    std::uint64_t reserve_bytes;
  };
  constexpr auto mib = std::uint64_t{1} << 20;
  const auto expected = GENERATE(row{1'000'000 * mib, 1024 * mib}, row{10'000 * mib, 500 * mib},
                                 row{100 * mib, 16 * mib}, row{64 * mib, 16 * mib}, row{32 * mib, 8 * mib});
  auto environment = faulty_environment{};
  environment.set_volume({123, expected.total_bytes});
  const auto store = open_store(small_options(&environment));
  CHECK(store->free_space().free_bytes == 123);
  CHECK(store->free_space().reserve_bytes == expected.reserve_bytes);
}

TEST_CASE("the free space of a real folder is the file system's") {
  const auto folder = scratch_folder{};
  const auto store = open_store(small_options(nullptr, folder.path() / "p"));
  const auto space = store->free_space();
  CHECK(space.free_bytes > 0);
  CHECK(space.free_bytes < std::uint64_t{1} << 50);
  CHECK(space.reserve_bytes >= 1u << 20);
}

TEST_CASE("on a real, small volume: full, then room again, then everything is there") {
  const auto folder = scratch_folder{};
  if (::geteuid() != 0 || ::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=12m") != 0)
    SKIP("needs root, to mount a small tmpfs");
  struct unmount {
    const std::filesystem::path& path;
    ~unmount() { ::umount2(path.c_str(), MNT_DETACH); }
  } const at_end{folder.path()};

  // given a volume of which something else takes half
  const auto ballast = folder.path() / "ballast";
  std::ofstream{ballast} << std::string(6u << 20, 'x');
  auto store = open_store(small_options(nullptr, folder.path() / "p"));
  auto batch = write_batch{};
  auto accepted = fill_until_full(*store, batch, 5'000);
  REQUIRE(accepted.size() > 100);
  require_waiting(*store, accepted);

  // when that goes
  std::filesystem::remove(ballast);
  const auto resumed = store->resume();
  INFO(resumed.detail);
  REQUIRE(resumed.ok());
  REQUIRE(store->commit(batch, 1).ok());
  accepted.push_back(store->next_sequence() - 1);

  // then all is there, also after a restart
  require_waiting(*store, accepted);
  store.reset();
  store = open_store(small_options(nullptr, folder.path() / "p"));
  require_waiting(*store, accepted);
}
