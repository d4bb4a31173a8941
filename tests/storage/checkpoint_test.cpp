// A copy of a store at one moment: equal to it, apart from what is written later, and never taken for whole when it is not.

#include "store_fixture.hpp"

#include "storage/round_log.hpp"
#include "storage/testing/sim_disk.hpp"

#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>

using namespace vicket;
using namespace vicket::test;

namespace {

constexpr auto copy_folder = "/copy";

void make_checkpoint(partition_store& store, const std::filesystem::path& to) {
  const auto made = store.checkpoint(to);
  INFO(made.detail);
  REQUIRE(made.ok());
}

/// All that is in it, position and last round included.
std::string content_of(const partition_store& store) {
  auto result = std::string{};
  const auto status = store.copy_as_rounds(1, 1u << 20, [&](const sealed_round& round) {
    result += round.bytes();
    return store_status{};
  });
  REQUIRE(status.ok());
  const auto last = store.last_round();
  return result + " " + store.position() + " " + std::to_string(last.number) + " " +
         std::to_string(last.next_sequence) + " " + std::to_string(last.settled_below) + " " +
         std::to_string(last.oldest_kept);
}

/// With some that are delivered, some that wait, and a connector; enough for flushes and compactions of `small_options`.
void fill(partition_store& store, int events) {
  auto shape = event_shape{};
  shape.envelope_bytes = 2'000;
  for (auto i = 0; i < events; ++i) {
    const auto waits = i % 3 == 0;
    const auto event = accept(store, waits, shape);
    auto batch = write_batch{};
    const auto next = waits ? std::optional{timestamp_ms{noon + i}} : std::nullopt;
    batch.add_attempt({shape.connector}, attempt_of(store.allocate_sequence(), event, 1, next), {noon, event},
                      waits);
    REQUIRE(store.commit(batch, store.settled_below()).ok());
  }
  auto batch = write_batch{};
  batch.put_connector_state({shape.connector}, "open");
  REQUIRE(store.commit(batch, store.settled_below()).ok());
}

store_options opened_as_it_is(store_environment* environment, const std::filesystem::path& folder) {
  auto options = small_options(environment, folder);
  options.follows = true; // writes nothing at the opening
  return options;
}

sealed_round next_round(const partition_store& store) {
  auto header = store.last_round();
  ++header.number;
  const auto sequence = header.next_sequence++;
  auto batch = write_batch{};
  batch.add_event(event_of(sequence), true);
  return {std::move(batch), header};
}

std::uintmax_t links_of_tables(const std::filesystem::path& folder) {
  auto links = std::uintmax_t{0};
  for (const auto& entry : std::filesystem::directory_iterator{folder})
    if (entry.path().extension() == ".sst")
      links = std::max(links, std::filesystem::hard_link_count(entry.path()));
  return links;
}

} // namespace

TEST_CASE("a checkpoint is the store as it was, also when it is written to afterwards") {
  const auto flushed = GENERATE(false, true);
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  fill(*store, 800);
  if (flushed)
    REQUIRE(store->flush().ok());
  fill(*store, 5);
  const auto as_it_was = content_of(*store);
  make_checkpoint(*store, copy_folder);
  fill(*store, 400); // files of before are replaced meanwhile
  REQUIRE(store->flush().ok());
  const auto later = content_of(*store);
  {
    const auto copy = open_store(opened_as_it_is(environment.get(), copy_folder));
    CHECK(content_of(*copy) == as_it_was);
    CHECK(copy->health().ok());
  }
  store = nullptr;
  store = open_store(opened_as_it_is(environment.get(), partition_folder)); // of its own files none is shared
  CHECK(content_of(*store) == later);
}

TEST_CASE("on a disk tables are shared, and both stores go on with their own") {
  const auto scratch = scratch_folder{};
  auto options = small_options(nullptr, scratch.path() / "store");
  auto store = open_store(options);
  fill(*store, 800);
  const auto as_it_was = content_of(*store);
  make_checkpoint(*store, scratch.path() / "copy");
  CHECK(links_of_tables(scratch.path() / "copy") == 2);
  options.folder = scratch.path() / "copy";
  {
    auto copy = open_store(opened_as_it_is(nullptr, options.folder));
    CHECK(content_of(*copy) == as_it_was);
    copy = nullptr;
    copy = open_store(options);
    fill(*copy, 800);
    fill(*store, 100);
  }
  store = nullptr;
  store = open_store(opened_as_it_is(nullptr, scratch.path() / "store"));
  CHECK(content_of(*store) != as_it_was);
  CHECK(store->health().ok());
}

TEST_CASE("a follower's checkpoint has its position, and is synced although its rounds were not") {
  auto disk = sim_disk{7};
  auto options = small_options(&disk);
  options.follows = true;
  auto store = open_store(options);
  for (auto i = 0; i < 200; ++i)
    REQUIRE(
        store->apply(next_round(*store), partition_store::durability::unsynced, "record " + std::to_string(i))
            .ok());
  const auto as_it_was = content_of(*store);
  make_checkpoint(*store, copy_folder);
  store = nullptr;
  disk.restart(1, power_loss::dropped);
  const auto copy = open_store(opened_as_it_is(&disk, copy_folder));
  CHECK(copy->position() == "record 199");
  CHECK(content_of(*copy) == as_it_was);
}

TEST_CASE("a checkpoint that a crash cut off is refused, and the store is as it was") {
  const auto loss = GENERATE(power_loss::chance, power_loss::none);
  for (auto after = std::uint64_t{0};; after += 7) { // operations that change the disk
    INFO("crash after " << after);
    auto disk = sim_disk{after};
    auto store = open_store(small_options(&disk));
    fill(*store, 150);
    const auto as_it_was = content_of(*store);
    disk.crash_after(after);
    const auto made = store->checkpoint(copy_folder);
    const auto crashed = disk.crashed();
    CHECK(made.ok() == !crashed);
    disk.crash();
    store = nullptr;
    disk.restart(after, loss);
    auto copy = partition_store::open(opened_as_it_is(&disk, copy_folder));
    if (const auto* why = std::get_if<store_status>(&copy)) {
      CHECK(crashed);
      CHECK(why->detail.find("cut off") != std::string::npos);
    } else { // all of it, or nothing: not even its mark
      const auto content = content_of(*std::get<0>(copy));
      CHECK((content == as_it_was || (crashed && after < 7)));
    }
    copy = store_status{};
    store = open_store(opened_as_it_is(&disk, partition_folder));
    CHECK(content_of(*store) == as_it_was);
    if (!crashed)
      break;
  }
}

TEST_CASE("a full disk ends a checkpoint and not the store") {
  auto disk = sim_disk{3};
  auto store = open_store(small_options(&disk));
  fill(*store, 300);
  disk.set_capacity_bytes(disk.used_bytes() + 50'000);
  const auto made = store->checkpoint(copy_folder);
  CHECK(made.code == store_errc::full);
  CHECK(made.detail.find(copy_folder) != std::string::npos);
  CHECK(open_refused(opened_as_it_is(&disk, copy_folder)).detail.find("cut off") != std::string::npos);
  disk.set_capacity_bytes(disk_fault::always);
  fill(*store, 10);
  CHECK(store->checkpoint("/second").ok());
  CHECK(content_of(*open_store(opened_as_it_is(&disk, "/second"))) == content_of(*store));
}

TEST_CASE("a checkpoint is not made where something lies, and a log that is cut later is found") {
  auto disk = sim_disk{5};
  auto store = open_store(small_options(&disk));
  fill(*store, 20);
  make_checkpoint(*store, copy_folder);
  CHECK(store->checkpoint(copy_folder).detail.find("not empty") != std::string::npos);
  const auto files = disk.copy(copy_folder);
  auto cut = 0;
  for (const auto& [name, bytes] : files)
    if (name.ends_with(".log") && bytes->size() > 1'000 && ++cut > 0)
      disk.write_file(std::filesystem::path{copy_folder} / name, bytes->substr(0, bytes->size() / 2));
  REQUIRE(cut > 0);
  CHECK(open_refused(opened_as_it_is(&disk, copy_folder)).code == store_errc::corrupt);
}
