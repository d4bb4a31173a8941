// A sync that fails, injected at RocksDB's file system interface of a node that is a process of its own.

#include "tests/system/endpoints.hpp"
#include "tests/system/node_client.hpp"
#include "tests/system/real_node.hpp"
#include "tests/system/real_time.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <csignal>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

using namespace vicket;
using namespace vicket::testing;

namespace {

constexpr std::int64_t answer_ms = 3'000; // a node that failed answers nothing: what waits for it has to end
constexpr std::int64_t fault_patience_us = 60'000'000;
constexpr std::size_t accepted_before_fault = 2'000;
constexpr int exit_node_failed = 70;
constexpr std::array<const char*, 3> connectors{"down-a", "down-b", "crm"};

std::vector<event_id> ids_in(const batch_result& answer) {
  std::vector<event_id> ids;
  for (const auto& result : answer.results)
    if (const auto* yes = std::get_if<accepted>(&result))
      ids.push_back(yes->id);
  return ids;
}

void put_connectors(node_client& client, const std::string& down_url, const std::string& healthy_url) {
  for (const auto* id : connectors)
    client.put(connector_to(id, std::string{id} == "crm" ? healthy_url : down_url));
}

/// Feeds until nothing is accepted any more, and lets the node's syncs fail on the way. What was acknowledged. Whether
/// what comes then is silence or a refusal is the node's to choose: it depends on what was in the commit that failed.
std::vector<event_id> feed_into_fault(const process& node, node_client& client) {
  std::vector<event_id> acknowledged;
  bool fault_ordered = false;
  bool refused = false;
  std::size_t number = 0;
  std::int64_t end_us = steady_us() + fault_patience_us;
  const auto next = [&] {
    return std::optional{batch_for({connectors.at(number++ % connectors.size())}, 50)};
  };
  const auto all_answered = client.feed(8, answer_ms, next, [&](const batch_result& answer) {
    const auto ids = ids_in(answer);
    acknowledged.insert(acknowledged.end(), ids.begin(), ids.end());
    if (!fault_ordered && acknowledged.size() >= accepted_before_fault) {
      fault_ordered = true;
      end_us = steady_us() + fault_patience_us;
      node.signal(SIGUSR1);
    }
    refused = fault_ordered && ids.empty();
    return !refused && steady_us() < end_us;
  });
  CHECK((refused || !all_answered)); // else the node went on accepting
  REQUIRE(acknowledged.size() >= accepted_before_fault);
  return acknowledged;
}

std::size_t accepted_of(node_client& client, send_batch batch) {
  std::size_t count = 0;
  std::optional<send_batch> once{std::move(batch)};
  client.feed(
      1, answer_ms / 3, [&] { return std::exchange(once, std::nullopt); },
      [&](const batch_result& answer) {
        count += ids_in(answer).size();
        return true;
      });
  return count;
}

/// A real node on what the faulty one left: all that was acknowledged is there, and arrives.
void check_nothing_missing(const std::string& data, const std::vector<event_id>& acknowledged) {
  const event_receiver receiver;
  real_node successor{data};
  node_client client{successor.port()};
  std::size_t missing = 0;
  for (const auto& id : acknowledged)
    missing += client.history(id) ? 0 : 1;
  CHECK(missing == 0);
  put_connectors(client, receiver.url(), receiver.url());
  CHECK(eventually([&] { return client.pending({"down-a"}) + client.pending({"down-b"}) == 0; }));
  std::size_t arrived = 0;
  std::size_t down_events = 0;
  for (const auto& id : acknowledged) {
    const auto history = client.history(id);
    if (!history || history->summary.connector.value == "crm")
      continue;
    ++down_events;
    arrived += receiver.has(id) ? 1 : 0;
  }
  CHECK(down_events > 0);
  CHECK(arrived == down_events);
  WARN(acknowledged.size() << " events acknowledged before the sync failed, " << missing << " missing");
}

} // namespace

TEST_CASE("a failing sync: no further accepted, and nothing acknowledged is missing after the restart, even "
          "if what was "
          "not synced is lost") {
  const auto seed = std::random_device{}();
  WARN("seed " << seed);
  const temporary_folder folder;
  const auto data = folder.path() + "/data";
  const refusing_port down; // its events are still pending after the restart
  const event_receiver receiver;
  std::vector<event_id> acknowledged;
  {
    process node{{FAULTY_NODE_PATH, data, "linger", std::to_string(seed)}};
    node_client client{port_in(node.line_with("faulty ready"))};
    put_connectors(client, down.url(), receiver.url());
    acknowledged = feed_into_fault(node, client);
    static_cast<void>(node.line_with("node failed"));
    for (const auto* to : connectors) // asked after the sync failed
      CHECK(accepted_of(client, batch_for({to}, 5)) == 0);
    node.signal(SIGTERM);
    CHECK(node.wait() == exit_node_failed);
  }
  check_nothing_missing(data, acknowledged);
}

TEST_CASE(
    "a failing sync: the node exits with code 70 by itself, and nothing acknowledged is missing after the "
    "restart") {
  const temporary_folder folder;
  const auto data = folder.path() + "/data";
  const refusing_port down;
  const event_receiver receiver;
  std::vector<event_id> acknowledged;
  {
    process node{{FAULTY_NODE_PATH, data, "exit", "0"}};
    node_client client{port_in(node.line_with("faulty ready"))};
    put_connectors(client, down.url(), receiver.url());
    acknowledged = feed_into_fault(node, client);
    CHECK(node.wait() == exit_node_failed);
  }
  check_nothing_missing(data, acknowledged);
}

TEST_CASE(
    "a failing sync of a record that nobody waits for: what is sent then is refused or not answered, and the "
    "node exits with code 70 by itself") {
  const temporary_folder folder;
  const refusing_port down;
  for (const auto* mode : {"linger", "exit"}) {
    INFO(mode);
    process node{{FAULTY_NODE_PATH, folder.path() + "/" + mode, mode, "0"}};
    node_client client{port_in(node.line_with("faulty ready"))};
    client.put(connector_to("down", down.url())); // tried again, and recorded, every half second
    static_cast<void>(client.send(event_for({"down"})));
    node.signal(SIGUSR1);
    static_cast<void>(node.line_with("node failed"));
    CHECK(accepted_of(client, batch_for({"down"}, 5)) == 0);
    if (std::string{mode} == "linger")
      node.signal(SIGTERM);
    const auto code = node.wait();
    INFO(node.errors());
    CHECK(code == exit_node_failed);
  }
}
