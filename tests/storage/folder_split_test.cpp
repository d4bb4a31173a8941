// More partitions of fewer: each connector's data is in the one that it belongs to then, at the positions that it had.

#include "storage/folder_split.hpp"

#include "policy/partitioning.hpp"
#include "storage/key_codec.hpp"
#include "store_fixture.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

using namespace vicket;
using namespace vicket::test;

namespace {

constexpr std::uint32_t parents = 2;
constexpr std::uint32_t children = 6;
constexpr auto no_limit = std::numeric_limits<std::size_t>::max();

std::unique_ptr<data_folder> open_folder(const std::filesystem::path& path, std::uint32_t partitions) {
  auto opened = data_folder::open(path, partitions);
  if (const auto* why = std::get_if<store_status>(&opened))
    FAIL(why->detail);
  return std::get<std::unique_ptr<data_folder>>(std::move(opened));
}

store_options options_for(std::uint32_t) {
  auto options = small_options(nullptr);
  options.lineage_tag = 77;
  return options;
}

std::vector<std::string> connectors_of(std::uint32_t partition, std::uint32_t count, std::size_t wanted) {
  std::vector<std::string> found;
  for (int i = 0; found.size() < wanted; ++i)
    if (const auto name = "customer-" + std::to_string(i); partition_of({name}, count) == partition)
      found.push_back(name);
  return found;
}

/// Events of several connectors, delivered, waiting after an attempt, and never tried; some of them carried past the
/// retention's edge.
void fill(partition_store& store, std::uint32_t partition) {
  const auto names = connectors_of(partition, parents, 9);
  for (const auto& name : names) {
    auto batch = write_batch{};
    connector config;
    config.id = {name};
    config.url = "https://" + name + ".example.com";
    batch.put_connector(config);
    batch.put_connector_state(config.id, "state of " + name);
    history_ledger::account account;
    account.answers_from = 5;
    account.attempts_from = 0;
    account.counted_to = 10;
    batch.put_history(codec::account_of(config.id), account);
    REQUIRE(store.commit(batch, store.settled_below()).ok());
  }
  for (int i = 0; i < 360; ++i) {
    const auto& name = names[static_cast<std::size_t>(i) % names.size()];
    const auto accepted_at = noon + 60'000 * i;
    const auto waits = i % 4 == 0;
    const auto event = accept(store, waits, {name, "run-" + std::to_string(i % 5), accepted_at, 300});
    if (i % 7 == 0)
      continue;
    auto batch = write_batch{};
    const auto next = waits ? std::optional{timestamp_ms{accepted_at + 1'000'000}} : std::nullopt;
    auto made = attempt_of(store.allocate_sequence(), event, 1, next);
    made.account = i % 11 == 0 ? 0 : codec::account_of({name});
    batch.add_attempt({name}, made, {accepted_at, event}, waits);
    REQUIRE(store.commit(batch, 1).ok());
  }
  const auto edge = store.first_position_since(noon + 60'000 * 100);
  auto batch = write_batch{};
  const auto page = store.read_carry(store.kept_below(edge, noon + 60'000 * 100), edge, 0, no_limit);
  REQUIRE_FALSE(page.carried.empty());
  for (const auto& each : page.carried)
    batch.carry(each);
  batch.note_late({noon + 60'000 * 200, page.carried.front().sequence});
  feed_drops drops;
  drops.add(20, 10);
  batch.put_drops(drops);
  batch.put_lost(3);
  auto header = store.last_round();
  ++header.number;
  header.next_sequence = store.next_sequence();
  header.settled_below = store.next_sequence();
  header.oldest_kept = edge;
  REQUIRE(store.apply(sealed_round{std::move(batch), header}, partition_store::durability::synced).ok());
}

/// What readers see of a store, or of several that together are to be the same, by connector or position.
struct content {
  std::set<std::string> connectors;
  std::set<std::pair<std::string, std::string>> states;
  std::set<std::uint64_t> accounts;
  std::set<std::tuple<std::string, std::int64_t, log_sequence, std::uint32_t, std::string>> waiting;
  std::set<std::tuple<log_sequence, log_sequence, std::string>> attempts; ///< of the feed
  std::set<std::pair<std::string, log_sequence>> runs;
  std::set<std::tuple<std::string, log_sequence, std::size_t>>
      events; ///< by their ids, with how many attempts
  std::set<log_sequence> late;

  friend bool operator==(const content&, const content&) = default;
};

void add(content& to, const partition_store& store, log_sequence end) {
  for (const auto& each : store.connectors()) {
    CHECK(to.connectors.insert(each.id.value).second);
    for (const auto& one : all_waiting(store, each.id.value))
      CHECK(to.waiting
                .emplace(each.id.value, one.position.due.value, one.position.sequence, one.attempts_made,
                         *one.event.envelope)
                .second);
  }
  for (const auto& [id, state] : store.connector_states())
    CHECK(to.states.emplace(id.value, state).second);
  for (const auto& [account, ignored] : store.history_accounts())
    CHECK(to.accounts.insert(account).second);
  for (const auto& each : store.attempts_after(0, no_limit, no_limit))
    CHECK(to.attempts.emplace(each.sequence, each.event_sequence, each.value.response_body).second);
  for (int run = 0; run < 5; ++run)
    for (const auto sequence : store.events_of_run("run-" + std::to_string(run), 0, no_limit))
      CHECK(to.runs.emplace("run-" + std::to_string(run), sequence).second);
  for (log_sequence sequence = 1; sequence < end; ++sequence)
    for (const auto found : store.find_events(id_of(sequence))) {
      const auto event = store.read_event(found, true);
      REQUIRE(event);
      CHECK(to.events.emplace(event->connector.value, found, store.attempts_of(found).size()).second);
    }
  for (const auto& each : store.late_before(noon + 1'000'000'000, no_limit))
    CHECK(to.late.insert(each.sequence).second);
  CHECK(store.health().ok());
}

std::unique_ptr<partition_store> open_part(const data_folder& folder, std::uint32_t number) {
  auto options = options_for(number);
  options.folder = folder.partition_path(number);
  return open_store(std::move(options));
}

/// A folder with `parents` partitions, and what is in each.
std::vector<content> make_folder(const std::filesystem::path& path) {
  auto folder = open_folder(path, parents);
  REQUIRE(folder->take_key(box_of('k')->fingerprint()).ok());
  std::vector<content> all(parents);
  for (std::uint32_t i = 0; i < parents; ++i) {
    fill(*open_part(*folder, i), i);
    const auto store = open_part(*folder, i);
    add(all[i], *store, store->next_sequence());
  }
  return all;
}

void check_split(const data_folder& folder, const std::vector<content>& before) {
  REQUIRE(folder.partitions() == children);
  std::vector<content> after(parents);
  for (std::uint32_t i = 0; i < children; ++i) {
    const auto store = open_part(folder, i);
    for (const auto& each : store->connectors())
      CHECK(partition_of(each.id, children) == i);
    CHECK(store->lineage().tag_of(store->committed_end()) == 77);
    CHECK(store->drops().reach_since(0) == 10);
    CHECK(store->last_lost_attempt() == 3);
    CHECK(store->oldest_kept() > 1);
    add(after[i % parents], *store, store->next_sequence());
  }
  for (std::uint32_t i = 0; i < parents; ++i) {
    CHECK_FALSE(before[i].events.empty());
    CHECK(after[i].connectors == before[i].connectors);
    CHECK(after[i].states == before[i].states);
    CHECK(after[i].accounts == before[i].accounts);
    CHECK(after[i].waiting == before[i].waiting);
    CHECK(after[i].attempts == before[i].attempts);
    CHECK(after[i].runs == before[i].runs);
    CHECK(after[i].events == before[i].events);
    CHECK(after[i].late == before[i].late);
  }
}

} // namespace

TEST_CASE("a folder that is split has everything once, where it belongs, and at its position") {
  const scratch_folder scratch;
  const auto path = scratch.path() / "data";
  const auto before = make_folder(path);
  {
    auto folder = open_folder(path, 1);
    const auto status = split_folder(*folder, children, options_for, box_of('k'));
    INFO(status.detail);
    REQUIRE(status.ok());
    CHECK(folder->partitions() == children);
    CHECK_FALSE(std::filesystem::exists(folder->split_path()));
  }
  auto folder = open_folder(path, 1);
  check_split(*folder, before);
  CHECK(folder->key_fingerprint() == box_of('k')->fingerprint());
  const auto ends = [&](std::uint32_t part) { return open_part(*folder, part)->next_sequence(); };
  CHECK(ends(0) == ends(2));
  CHECK(ends(1) == ends(5));
  CHECK(split_folder(*folder, children, options_for, box_of('k')).ok()); // as it is
  for (const std::uint32_t wrong : {0u, 1u, 3u, 9u, 258u}) {
    const auto refused = split_folder(*folder, wrong, options_for, box_of('k'));
    CHECK_FALSE(refused.ok());
    CHECK(refused.detail.find("multiple") != std::string::npos);
  }
}

TEST_CASE("a folder whose partitions are being replaced is finished by whoever opens it") {
  const scratch_folder scratch;
  const auto path = scratch.path() / "data";
  const auto before = make_folder(path);
  // As it is at each moment of the replacing, which moves one folder after the other.
  const auto ready = scratch.path() / "ready";
  {
    auto folder = open_folder(path, 1);
    REQUIRE(split_folder(*folder, children, options_for, box_of('k')).ok());
  }
  std::filesystem::rename(path, ready);
  for (std::uint32_t moved = 0; moved <= children; ++moved)
    for (const bool old_one_is_gone : {false, true}) {
      INFO(moved << " moved");
      const auto name = [](std::uint32_t i) { return "partition-" + std::to_string(i); };
      std::filesystem::remove_all(path);
      std::filesystem::copy(ready, path, std::filesystem::copy_options::recursive);
      std::filesystem::create_directory(path / "split");
      for (std::uint32_t i = moved; i < children; ++i)
        std::filesystem::rename(path / name(i), path / "split" / name(i));
      for (std::uint32_t i = old_one_is_gone ? moved + 1 : moved; i < parents; ++i)
        std::filesystem::create_directory(path / name(i)); // stands for one of those that there were
      std::ofstream{path / "VICKET", std::ios::app} << "splitting\n";
      const auto folder = open_folder(path, 1);
      CHECK_FALSE(std::filesystem::exists(folder->split_path()));
      check_split(*folder, before);
    }
}

TEST_CASE("what a split that was cut off has left goes at the next opening, and the folder is what it was") {
  const scratch_folder scratch;
  const auto path = scratch.path() / "data";
  make_folder(path);
  std::filesystem::create_directories(path / "split" / "partition-3");
  std::ofstream{path / "split" / "partition-3" / "000001.sst"} << "half";
  const auto folder = open_folder(path, 1);
  CHECK(folder->partitions() == parents);
  CHECK_FALSE(std::filesystem::exists(path / "split"));
}
