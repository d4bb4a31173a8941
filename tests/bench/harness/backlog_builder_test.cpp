#include "bench/harness/backlog_builder.hpp"

#include "bench/cost/scratch_folder.hpp"
#include "policy/envelope.hpp"
#include "policy/partitioning.hpp"
#include "storage/data_folder.hpp"
#include "storage/due_scan.hpp"
#include "storage/partition_store.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

using namespace vicket;
using namespace vicket::bench;

namespace {

constexpr std::uint32_t connector_count = 20;
constexpr timestamp_ms came_at{1'779'537'600'000};
constexpr timestamp_ms due{came_at.value + 7'200'000};
constexpr backlog_times later{came_at, due, 3'600'000};

std::vector<connector> some_connectors() {
  std::vector<connector> made(connector_count);
  for (std::uint32_t i = 0; i < connector_count; ++i) {
    made[i].id = {"c-" + std::to_string(i)};
    made[i].url = "https://127.0.0.1:4433/ok/" + std::to_string(i);
    made[i].secret.value = "a secret";
  }
  return made;
}

std::vector<connector_id> ids_of(const std::vector<connector>& connectors) {
  std::vector<connector_id> ids;
  for (const auto& one : connectors)
    ids.push_back(one.id);
  return ids;
}

/// A built folder, opened again as a node would.
class opened_folder {
public:
  explicit opened_folder(const std::filesystem::path& path) {
    auto folder = data_folder::open(path, 1);
    REQUIRE(std::holds_alternative<std::unique_ptr<data_folder>>(folder));
    folder_ = std::move(std::get<0>(folder));
    for (std::uint32_t i = 0; i < folder_->partitions(); ++i) {
      store_options options;
      options.folder = folder_->partition_path(i);
      auto store = partition_store::open(std::move(options));
      REQUIRE(std::holds_alternative<std::unique_ptr<partition_store>>(store));
      stores_.push_back(std::move(std::get<0>(store)));
    }
  }

  [[nodiscard]] std::uint32_t partitions() const { return static_cast<std::uint32_t>(stores_.size()); }
  [[nodiscard]] const partition_store& partition(std::uint32_t number) const { return *stores_[number]; }
  [[nodiscard]] const partition_store& partition(const connector_id& id) const {
    return *stores_[partition_of(id, partitions())];
  }
  [[nodiscard]] std::uint64_t waiting() const {
    std::uint64_t sum = 0;
    for (const auto& store : stores_)
      for (const auto scan = store->scan_due();
           scan->read(1'000, [&](const connector_id&, log_sequence, timestamp_ms) { ++sum; });)
        continue;
    return sum;
  }
  [[nodiscard]] std::vector<waiting_event> due_by(timestamp_ms until) const {
    std::vector<waiting_event> found;
    for (const auto& one : some_connectors()) {
      auto page = partition(one.id).read_due(one.id, {}, until, 10'000, 100u << 20,
                                             [](log_sequence) { return false; });
      for (auto& event : page.events)
        found.push_back(std::move(event));
    }
    return found;
  }

private:
  std::unique_ptr<data_folder> folder_;
  std::vector<std::unique_ptr<partition_store>> stores_;
};

} // namespace

TEST_CASE("a built backlog waits as events do that were tried once and answered 503", "[bench]") {
  const scratch_folder scratch;
  const auto folder = scratch.path() / "data";
  const auto connectors = some_connectors();
  const event_source source{7, ids_of(connectors)};
  constexpr std::uint32_t events = 5'000; // more than one commit in each partition

  {
    backlog_builder building{folder};
    building.put(connectors);
    building.add(source, 0, events, later);
  }

  const opened_folder found{folder};
  REQUIRE(found.partitions() == 2);
  CHECK(found.waiting() == events);
  CHECK(found.due_by(due - 1).empty());
  const auto waiting = found.due_by(due + 3'600'000);
  REQUIRE(waiting.size() == events);
  for (const auto& one : waiting) {
    const auto index = source.index_of(one.event.id);
    REQUIRE(index);
    const auto sent = source.event(*index);
    CHECK(one.attempts_made == 1);
    CHECK(one.event.connector == sent.connector);
    CHECK(one.event.run == sent.run);
    CHECK(one.event.accepted_at == came_at + std::int64_t{*index});
    CHECK(*one.event.envelope == std::get<std::string>(compose_envelope(sent, one.event.id, 500)));
    const auto& store = found.partition(one.event.connector);
    CHECK(store.find_event(one.event.id, one.event.connector) == one.event.sequence);
    const auto attempts = store.attempts_of(one.event.sequence);
    REQUIRE(attempts.size() == 1);
    CHECK(attempts[0].state_after == event_state::pending);
    CHECK(attempts[0].value.status == std::uint16_t{503});
    CHECK(attempts[0].value.next_attempt_at == one.position.due);
  }
}

TEST_CASE("a node that starts on a built backlog finds its connectors and has nothing to scan", "[bench]") {
  const scratch_folder scratch;
  const auto folder = scratch.path() / "data";
  const auto connectors = some_connectors();
  const event_source source{7, ids_of(connectors)};

  {
    backlog_builder building{folder, 3};
    building.put(connectors);
    building.add(source, 0, 100, later);
  }

  const opened_folder found{folder};
  REQUIRE(found.partitions() == 3);
  std::size_t known = 0;
  for (std::uint32_t i = 0; i < found.partitions(); ++i) {
    CHECK(found.partition(i).settled_below() == found.partition(i).next_sequence());
    for (const auto& one : found.partition(i).connectors()) {
      CHECK(partition_of(one.id, 3) == i);
      ++known;
    }
  }
  CHECK(known == connector_count);
}

TEST_CASE("a backlog grows by what is added to it, due or not", "[bench]") {
  const scratch_folder scratch;
  const auto folder = scratch.path() / "data";
  const auto connectors = some_connectors();
  const event_source source{7, ids_of(connectors)};
  { backlog_builder{folder}.put(connectors); }

  { backlog_builder{folder}.add(source, 0, 300, later); }
  { backlog_builder{folder}.add(source, 300, 64, {came_at, came_at, 1}); }

  const opened_folder found{folder};
  CHECK(found.waiting() == 364);
  const auto due_now = found.due_by(came_at);
  CHECK(due_now.size() == 64);
  for (const auto& one : due_now)
    CHECK(source.index_of(one.event.id).value_or(0) >= 300);
}

TEST_CASE("a backlog is not built into a folder that somebody else has open", "[bench]") {
  const scratch_folder scratch;
  const auto folder = scratch.path() / "data";
  const backlog_builder first{folder};

  CHECK_THROWS_AS(backlog_builder{folder}, std::runtime_error);
}

TEST_CASE("a backlog of large events has bodies of that length", "[bench]") {
  const scratch_folder scratch;
  const auto folder = scratch.path() / "data";
  const auto connectors = some_connectors();
  constexpr std::size_t bytes = 100'000;
  const event_source source{7, ids_of(connectors), id_kind::time_ordered, 0, bytes};

  {
    backlog_builder building{folder};
    building.put(connectors);
    building.add(source, 0, 40, {came_at, came_at, 1});
  }

  const opened_folder found{folder};
  const auto waiting = found.due_by(came_at);
  REQUIRE(waiting.size() == 40);
  for (const auto& one : waiting)
    CHECK(one.event.envelope->size() == bytes);
}

TEST_CASE("more connectors than one commit takes are all there, each once", "[bench]") {
  const scratch_folder scratch;
  const auto folder = scratch.path() / "data";
  constexpr std::uint32_t many = 5'001;
  std::set<connector_id> made;

  {
    backlog_builder building{folder};
    building.put(many, [&](std::uint32_t number) {
      auto one = some_connectors().front();
      one.id = {"c-" + std::to_string(number)};
      made.insert(one.id);
      return one;
    });
  }

  const opened_folder found{folder};
  std::vector<connector_id> stored;
  for (std::uint32_t i = 0; i < found.partitions(); ++i)
    for (const auto& one : found.partition(i).connectors())
      stored.push_back(one.id);
  CHECK(stored.size() == many);
  CHECK(std::set<connector_id>{stored.begin(), stored.end()} == made);
}
