// A store that gets what another one has, file by file, or nothing: one of the two, whenever the machine dies.

#include "store_fixture.hpp"

#include "storage/store_copy.hpp"
#include "storage/testing/sim_disk.hpp"

#include <catch2/generators/catch_generators.hpp>

#include <rocksdb/env.h>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

using namespace vicket;
using namespace vicket::test;

namespace {

constexpr auto source_folder = "/source";
constexpr auto checkpoint_folder = "/checkpoint";

store_options follower(store_environment* environment,
                       const std::filesystem::path& folder = partition_folder) {
  auto options = small_options(environment, folder);
  options.follows = true;
  return options;
}

/// Rounds with an event each, and a setting, so that something is in memory, too.
void fill(partition_store& store, int rounds, const std::string& position) {
  for (auto i = 0; i < rounds; ++i) {
    auto header = store.last_round();
    ++header.number;
    auto batch = write_batch{};
    batch.add_event(event_of(header.next_sequence++), true);
    batch.put_setting({{setting_kind::rule, position}, std::to_string(i)});
    REQUIRE(store.apply({std::move(batch), header}, partition_store::durability::unsynced, position).ok());
  }
}

struct summary {
  std::string position;
  std::uint64_t round = 0;
  std::size_t events = 0;
  std::size_t settings = 0;

  friend bool operator==(const summary&, const summary&) = default;
};

summary of(const partition_store& store) {
  summary found{store.position(), store.last_round().number, 0, store.settings()->size()};
  for (log_sequence at = 1; at < store.next_sequence(); ++at)
    found.events += store.read_event(at, true) ? 1 : 0;
  CHECK(store.health().ok());
  return found;
}

/// What is in the one is put beside the other; `piece`: bytes at a time.
store_status send(outgoing_copy& from, incoming_copy& to, std::size_t piece) {
  for (std::size_t i = 0; i < from.files().size(); ++i) {
    auto status = to.begin_file(from.files()[i].name);
    for (std::uint64_t at = 0; status.ok() && at < from.files()[i].bytes;) {
      auto bytes = from.read(i, at, piece);
      if (auto* why = std::get_if<store_status>(&bytes))
        return *why;
      at += std::get<std::string>(bytes).size();
      status = to.append(std::get<std::string>(bytes));
    }
    if (status.ok())
      status = to.end_file();
    if (!status.ok())
      return status;
  }
  const auto finished = to.finish();
  const auto* why = std::get_if<store_status>(&finished);
  return why == nullptr ? store_status{} : *why;
}

store_status take_over_from(partition_store& to, outgoing_copy& from) {
  auto copy = to.begin_replacement();
  if (auto* why = std::get_if<store_status>(&copy))
    return *why;
  auto status = send(from, *std::get<0>(copy), 10'000);
  copy = store_status{};
  return status.ok() ? to.replace() : status;
}

std::unique_ptr<outgoing_copy> checkpoint_of(partition_store& store, store_environment* environment) {
  REQUIRE(store.checkpoint(checkpoint_folder).ok());
  auto opened = outgoing_copy::open(checkpoint_folder, environment);
  REQUIRE(std::holds_alternative<std::unique_ptr<outgoing_copy>>(opened));
  return std::get<0>(std::move(opened));
}

} // namespace

TEST_CASE("a running store gets what another one has, and goes on from there") {
  auto environment = make_memory_environment();
  auto source = open_store(follower(environment.get(), source_folder));
  fill(*source, 300, "new");
  auto target = open_store(follower(environment.get()));
  fill(*target, 20, "old");
  const auto wanted = of(*source);
  CHECK(take_over_from(*target, *checkpoint_of(*source, environment.get())).ok());
  CHECK(of(*target) == wanted);
  CHECK(target->settings()->find({setting_kind::rule, "old"}) == nullptr);
  fill(*target, 3, "newer");
  const auto later = of(*target);
  CHECK(later.round == wanted.round + 3);
  target = nullptr;
  target = open_store(follower(environment.get()));
  CHECK(of(*target) == later);
  CHECK(of(*source) == wanted);

  CHECK(target->clear().ok());
  CHECK(target->position().empty());
  CHECK(target->next_sequence() == 1);
  CHECK(target->settings()->size() == 0);
  fill(*target, 2, "again");
  target = nullptr;
  CHECK(of(*open_store(follower(environment.get()))).events == 2);
}

TEST_CASE("a checkpoint's folder goes with it, and what a process left is removed") {
  auto disk = sim_disk{1};
  auto source = open_store(follower(&disk, source_folder));
  fill(*source, 5, "new");
  checkpoint_of(*source, &disk) = nullptr;
  CHECK(std::holds_alternative<store_status>(outgoing_copy::open(checkpoint_folder, &disk)));
  REQUIRE(outgoing_copy::prepare_folder("/all", &disk).ok());
  REQUIRE(source->checkpoint("/all/7").ok());
  REQUIRE(std::holds_alternative<std::unique_ptr<outgoing_copy>>(outgoing_copy::open("/all/7", &disk)));
  REQUIRE(source->checkpoint("/all/7").ok());
  REQUIRE(outgoing_copy::prepare_folder("/all", &disk).ok());
  CHECK(source->checkpoint("/all/7").ok()); // it is not there
}

TEST_CASE("what is no file of a checkpoint, or no whole checkpoint, is not taken") {
  auto environment = make_memory_environment();
  auto source = open_store(follower(environment.get(), source_folder));
  fill(*source, 300, "new");
  auto target = open_store(follower(environment.get()));
  fill(*target, 20, "old");
  const auto before = of(*target);
  auto copy = target->begin_replacement();
  auto& it = *std::get<std::unique_ptr<incoming_copy>>(copy);
  for (const auto* const name : {"", "..", "../x", "a/b", ".hidden"})
    CHECK_FALSE(it.begin_file(name).ok());
  // One table is missing.
  REQUIRE(source->flush().ok());
  auto from = checkpoint_of(*source, environment.get());
  bool left_out = false;
  for (std::size_t i = 0; i < from->files().size(); ++i) {
    const auto& file = from->files()[i];
    if (!left_out && file.name.ends_with(".sst")) {
      left_out = true;
      continue;
    }
    REQUIRE(it.begin_file(file.name).ok());
    REQUIRE(it.append(std::get<std::string>(from->read(i, 0, 1u << 30))).ok());
    REQUIRE(it.end_file().ok());
  }
  REQUIRE(left_out);
  CHECK(std::holds_alternative<store_status>(it.finish()));
  copy = store_status{};
  CHECK(of(*target) == before);
  fill(*target, 1, "old");
}

TEST_CASE("the machine dies while a store is replaced: it has what it had, or what it was to get") {
  const auto loss = GENERATE(power_loss::chance, power_loss::dropped, power_loss::none);
  const auto clears = GENERATE(false, true);
  std::set<std::string> met;
  // Operations that change the disk; each of the ways tries others of them.
  const auto step = std::uint64_t{clears ? 7u : 37u};
  for (auto after = static_cast<std::uint64_t>(loss) * 4 % step;; after += step) {
    INFO("crash after " << after);
    auto disk = sim_disk{after + 1};
    auto source = open_store(follower(&disk, source_folder));
    fill(*source, 60, "new");
    auto target = open_store(follower(&disk));
    fill(*target, 20, "old");
    REQUIRE(target->keep_position("old").ok());
    const auto before = of(*target);
    const auto wanted = clears ? summary{} : of(*source);
    auto from = checkpoint_of(*source, &disk);
    disk.crash_after(after);
    const auto done = clears ? target->clear() : take_over_from(*target, *from);
    const auto crashed = disk.crashed();
    CHECK((done.ok() || crashed));
    disk.crash();
    from = nullptr;
    target = nullptr;
    source = nullptr;
    disk.restart(after, loss);
    target = open_store(follower(&disk));
    const auto found = of(*target);
    met.insert(found.position);
    if (found.position == "old") {
      CHECK(found == before);
      CHECK_FALSE(done.ok());
    } else {
      CHECK(found.position == wanted.position);
      CHECK(found.events == wanted.events);
      CHECK(found.settings == wanted.settings);
    }
    fill(*target, 1, "later");
    // And nothing is left of what was put together.
    std::vector<std::string> names;
    CHECK_FALSE(disk.env().GetChildren(std::string{partition_folder} + ".new", &names).ok());
    if (!crashed)
      break;
  }
  CHECK(met.size() == 2);
}
