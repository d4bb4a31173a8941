// A million events for an endpoint that is down.

#include "policy/partitioning.hpp"
#include "tests/system/endpoints.hpp"
#include "tests/system/node_client.hpp"
#include "tests/system/real_node.hpp"
#include "tests/system/real_time.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

using namespace vicket;
using namespace vicket::testing;

namespace {

constexpr std::size_t backlog_events = 1'000'000;
constexpr std::size_t data_bytes = 200;
constexpr std::size_t batches_in_flight = 8;
constexpr std::uint64_t memory_limit_bytes = 300'000'000; // the requirement's
constexpr std::int64_t restart_limit_us = 5'000'000;      // the requirement's
constexpr std::size_t probes = 400;
constexpr std::uint32_t partitions = 2;
constexpr double slower_at_most = 5.0;
constexpr std::int64_t slower_slack_us = 20'000;

/// The healthy neighbours: one shares the partition of the connector that is down, the other does not.
std::vector<connector_id> neighbours_of(const connector_id& down) {
  std::vector<connector_id> result(2);
  for (int i = 0; result[0].value.empty() || result[1].value.empty(); ++i) {
    const connector_id id{"neighbour-" + std::to_string(i)};
    result[partition_of(id, partitions) == partition_of(down, partitions) ? 0 : 1] = id;
  }
  return result;
}

struct latency {
  std::vector<std::int64_t> accepted_us;  ///< from sending to `accepted`
  std::vector<std::int64_t> delivered_us; ///< from `accepted` to the POST

  void probe(node_client& client, const event_receiver& receiver, const connector_id& to) {
    const auto sent_us = steady_us();
    const auto id = client.send(event_for(to));
    const auto answered_us = steady_us();
    const auto arrived_us = receiver.wait_for(id);
    if (!arrived_us)
      throw std::runtime_error{"an event of the healthy connector " + to.value + " did not arrive"};
    accepted_us.push_back(answered_us - sent_us);
    delivered_us.push_back(
        std::max<std::int64_t>(*arrived_us - answered_us, 0)); // the POST may overtake the answer
  }
};

std::int64_t quantile(std::vector<std::int64_t> values, double share) {
  std::sort(values.begin(), values.end());
  return values.at(static_cast<std::size_t>(share * static_cast<double>(values.size() - 1)));
}

std::string describe(const latency& one) {
  const auto text = [](const std::vector<std::int64_t>& values) {
    return std::to_string(quantile(values, 0.5)) + " / " + std::to_string(quantile(values, 0.99)) + " us";
  };
  return "sent to accepted " + text(one.accepted_us) + ", accepted to received " + text(one.delivered_us) +
         " (median / 99 %) of " + std::to_string(one.accepted_us.size());
}

latency probe_all(node_client& client, const event_receiver& receiver,
                  const std::vector<connector_id>& neighbours) {
  latency result;
  for (std::size_t i = 0; i < probes; ++i)
    result.probe(client, receiver, neighbours[i % neighbours.size()]);
  return result;
}

/// Events that were accepted.
std::size_t feed_backlog(std::uint16_t port, const connector_id& down) {
  node_client client{port};
  const auto batch = batch_for(down, send_batch::max_items, data_bytes);
  std::size_t sent = 0;
  std::size_t taken = 0;
  client.feed(
      batches_in_flight, 60'000,
      [&]() -> std::optional<send_batch> {
        if (sent >= backlog_events)
          return std::nullopt;
        sent += batch.items.size();
        return batch;
      },
      [&](const batch_result& answer) {
        taken += static_cast<std::size_t>(
            std::count_if(answer.results.begin(), answer.results.end(),
                          [](const auto& r) { return std::holds_alternative<accepted>(r); }));
        return true;
      });
  return taken;
}

void check_as_before(const latency& without, const latency& with) {
  const auto bound =
      static_cast<double>(quantile(without.delivered_us, 0.5)) * slower_at_most + slower_slack_us;
  CHECK(static_cast<double>(quantile(with.delivered_us, 0.5)) <= bound);
}

} // namespace

TEST_CASE(
    "1,000,000 events accepted for an endpoint that is down: memory of the node stays under 300 MB, other "
    "connectors deliver as before, a restart is delivering again within 5 s") {
  const temporary_folder folder;
  const auto data = folder.path() + "/data";
  const std::vector<std::string> flags{"--partitions", std::to_string(partitions)};
  const refusing_port nobody;
  const connector_id down{"down"};
  const auto neighbours = neighbours_of(down);
  const event_receiver receiver;
  const event_receiver revived;
  {
    real_node node{data, flags};
    node_client client{node.port()};
    connector dead = connector_to(down.value, nobody.url());
    dead.retry = {}; // the defaults, as in life
    client.put(dead);
    for (const auto& id : neighbours)
      client.put(connector_to(id.value, receiver.url()));
    const auto before = probe_all(client, receiver, neighbours);

    std::atomic<bool> feeding{true};
    std::size_t taken = 0;
    const auto begin_us = steady_us();
    std::thread feeder{[&, port = node.port()] {
      taken = feed_backlog(port, down);
      feeding = false;
    }};
    latency during;
    try {
      for (std::size_t i = 0; feeding; ++i)
        during.probe(client, receiver, neighbours[i % neighbours.size()]);
    } catch (const std::exception& why) {
      FAIL_CHECK(why.what());
    }
    feeder.join();
    const auto fed_us = steady_us() - begin_us;
    REQUIRE(taken == backlog_events);
    const auto after = probe_all(client, receiver, neighbours);
    const auto peak_bytes = node.memory_bytes("VmHWM");
    const auto bytes_on_disk = folder_bytes(data);
    WARN("accepted " << taken * 1'000'000 / static_cast<std::size_t>(fed_us) << " events/s, memory at most "
                     << peak_bytes / 1'000'000 << " MB, on disk " << bytes_on_disk / taken
                     << " bytes per event\n"
                     << "before: " << describe(before) << "\nduring: " << describe(during)
                     << "\nafter:  " << describe(after));
    if (memory_is_ours)
      CHECK(peak_bytes < memory_limit_bytes);
    check_as_before(before, during);
    check_as_before(before, after);
    CHECK(client.pending(down) == backlog_events);
    node.kill();
  }
  const auto start_us = steady_us();
  real_node successor{data, flags};
  const auto ready_us = steady_us() - start_us;
  node_client client{successor.port()};
  for (const auto& id : neighbours)
    REQUIRE(receiver.wait_for(client.send(event_for(id))));
  const auto delivering_us = steady_us() - start_us;
  CHECK(delivering_us < restart_limit_us);
  CHECK(client.pending(down) == backlog_events);

  client.put(connector_to(down.value, revived.url()));
  const auto revived_at_us = steady_us();
  CHECK(revived.wait_for_distinct(1'000));
  const auto first_us = steady_us() - revived_at_us;
  const auto peak_bytes = successor.memory_bytes("VmHWM");
  WARN("restart: ready after " << ready_us / 1'000 << " ms, both neighbours delivered after "
                               << delivering_us / 1'000
                               << " ms; the endpoint up again: 1,000 of the backlog after "
                               << first_us / 1'000 << " ms; memory at most " << peak_bytes / 1'000'000
                               << " MB");
  if (memory_is_ours)
    CHECK(peak_bytes < memory_limit_bytes);
}
