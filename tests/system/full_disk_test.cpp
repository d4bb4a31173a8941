// A disk that is full, for real: a small tmpfs below the node's data folder.

#include "tests/system/endpoints.hpp"
#include "tests/system/node_client.hpp"
#include "tests/system/real_node.hpp"
#include "tests/system/real_time.hpp"
#include "tests/system/small_disk.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

using namespace vicket;
using namespace vicket::testing;

namespace {

constexpr std::uint64_t mib = 1u << 20;
// On this disk the node keeps 16 MiB for the attempts of pending events (storage/partition_store.cpp).
constexpr std::uint64_t disk_bytes = 128 * mib;
constexpr std::uint64_t below_reserve_bytes = 8 * mib;

/// Skips the test where the system has no mounts for us.
small_disk disk_or_skip(std::uint64_t total_bytes = disk_bytes) {
  if (mounts_refused())
    SKIP("needs a mount of its own: " + *mounts_refused());
  return small_disk{total_bytes};
}

bool is_full(const send_result& result) {
  const auto* no = std::get_if<refusal>(&result);
  return no != nullptr && no->code == errc::storage_full && !no->detail.empty();
}

std::vector<event_id> accepted_ids(const std::vector<send_result>& results) {
  std::vector<event_id> ids;
  for (const auto& result : results)
    if (const auto* yes = std::get_if<accepted>(&result))
      ids.push_back(yes->id);
  return ids;
}

std::vector<event_id> send_all(node_client& client, const std::string& to, std::size_t count) {
  auto ids = accepted_ids(client.send(batch_for({to}, count)));
  REQUIRE(ids.size() == count);
  return ids;
}

bool all_delivered(node_client& client, const std::vector<event_id>& ids) {
  return std::all_of(ids.begin(), ids.end(), [&](const event_id& id) {
    const auto history = client.history(id);
    return history && history->summary.state == event_state::delivered;
  });
}

bool takes_again(node_client& client, const std::string& to) {
  return eventually([&] { return !accepted_ids(client.send(batch_for({to}, 1))).empty(); });
}

} // namespace

TEST_CASE(
    "full disk: new events are refused with storage_full, item by item, pending ones go on, and it recovers "
    "without a restart when space returns") {
  const auto disk = disk_or_skip();
  event_receiver later;
  later.answer_with(503);
  real_node node{disk.path() / "data"};
  node_client client{node.port()};
  client.put(connector_to("later", later.url()));
  const auto pending = send_all(client, "later", 200);
  REQUIRE(later.wait_for_distinct(20)); // the breaker may hold the rest back for a while

  disk.fill(below_reserve_bytes);
  auto batch = batch_for({"later"}, 10);
  batch.items[3].connector = {"nobody"};
  const auto refused = client.send(batch);
  REQUIRE(refused.size() == 10);
  for (std::size_t i = 0; i < refused.size(); ++i) {
    if (i == 3)
      CHECK(std::get<refusal>(refused[i]).code == errc::unknown_connector);
    else
      CHECK(is_full(refused[i]));
  }
  later.answer_with(200);
  for (const auto& id : pending)
    REQUIRE(later.wait_for(id));
  CHECK(eventually([&] { return all_delivered(client, pending); })); // settled, on the full disk
  CHECK(is_full(client.send(batch_for({"later"}, 1)).at(0)));

  disk.remove_ballast();
  CHECK(takes_again(client, "later"));
  CHECK(eventually([&] { return client.pending({"later"}) == 0; }));
}

TEST_CASE("full disk: a node with nothing pending recovers without a restart, too") {
  const auto disk = disk_or_skip();
  const event_receiver receiver;
  real_node node{disk.path() / "data"};
  node_client client{node.port()};
  client.put(connector_to("crm", receiver.url()));
  disk.fill(below_reserve_bytes);
  REQUIRE(is_full(client.send(batch_for({"crm"}, 1)).at(0)));
  disk.remove_ballast();
  CHECK(takes_again(client, "crm"));
}

TEST_CASE("a disk that is full to the last byte: nothing is accepted, pending events are attempted, none is "
          "lost, and "
          "it recovers without a restart") {
  const auto disk = disk_or_skip();
  event_receiver later;
  later.answer_with(503);
  const auto data = disk.path() / "data";
  std::vector<event_id> pending;
  {
    real_node node{data};
    node_client client{node.port()};
    client.put(connector_to("later", later.url()));
    pending = send_all(client, "later", 200);
    REQUIRE(later.wait_for_requests(100));

    disk.fill(0);
    const auto before = later.requests();
    for (const auto& result : client.send(batch_for({"later"}, 10, 5'000)))
      CHECK(is_full(result));
    later.answer_with(200);
    CHECK(later.wait_for_requests(before + 5));
    disk.fill(0); // whatever the node has given up meanwhile
    for (const auto& result : client.send(batch_for({"later"}, 10, 5'000)))
      CHECK(is_full(result));

    disk.remove_ballast();
    CHECK(takes_again(client, "later"));
    for (const auto& id : pending)
      REQUIRE(later.wait_for(id));
    CHECK(eventually([&] { return client.pending({"later"}) == 0; }));
    CHECK(all_delivered(client, pending));
    node.kill();
  }
  real_node successor{data};
  node_client client{successor.port()};
  CHECK(eventually([&] { return all_delivered(client, pending); }));
}

TEST_CASE("a disk that the node's own events fill: what was accepted is delivered, and it recovers without a "
          "restart "
          "when the disk grows") {
  const auto disk = disk_or_skip();
  event_receiver later;
  later.answer_with(503);
  real_node node{disk.path() / "data"};
  node_client client{node.port()};
  client.put(connector_to("later", later.url()));
  std::vector<event_id> ids;
  std::size_t refused = 0;
  std::size_t batches = 0;
  const auto answered = client.feed(
      2, 60'000,
      [&]() -> std::optional<send_batch> {
        return ++batches <= 1'000 ? std::optional{batch_for({"later"}, 200, 4'000)} : std::nullopt;
      },
      [&](const batch_result& answer) {
        const auto some = accepted_ids(answer.results);
        ids.insert(ids.end(), some.begin(), some.end());
        for (const auto& result : answer.results)
          refused += is_full(result) ? 1 : 0;
        return refused == 0;
      });
  REQUIRE(answered);
  REQUIRE(refused > 0);
  WARN(ids.size() << " events of 4 KB until the disk of " << disk_bytes / mib << " MiB was full, "
                  << disk.free_bytes() / mib << " MiB left");
  REQUIRE(!ids.empty());

  later.answer_with(200);
  CHECK(eventually([&] { return later.acknowledged() == ids.size(); }));
  CHECK(eventually([&] { return client.pending({"later"}) == 0; }));
  disk.fill(0); // whatever the node has given up meanwhile
  CHECK(is_full(client.send(batch_for({"later"}, 1, 4'000)).at(0)));

  disk.resize(2 * disk_bytes);
  CHECK(takes_again(client, "later"));
  for (const auto& id : ids)
    CHECK(later.has(id));
}
