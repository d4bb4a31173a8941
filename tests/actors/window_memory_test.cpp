// What all windows of a node hold together, and that nobody waits for ever for room in them.

#include "tests/actors/node_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <string>
#include <vector>

using namespace vicket;
using namespace vicket::testing;

namespace {

constexpr std::size_t kib = 1'024;

send_to_connector large_event_for(const std::string& connector, std::size_t bytes = 60 * kib) {
  auto event = node_fixture::event_for(connector);
  event.data_json = R"({"filling":")" + std::string(bytes, 'x') + R"("})";
  return event;
}

/// The memory has room for four events of `large_event_for`.
void start_with_little_memory(node_fixture& node) {
  node.options.window_memory_bytes = 256 * kib;
  node.restart();
}

} // namespace

TEST_CASE("with windows full of hanging deliveries small events go on at once, and large ones as soon as "
          "there is room") {
  node_fixture node;
  start_with_little_memory(node);
  node.transport->hang("slow.example.com");
  node.put("slow");
  for (const auto* id : {"fine", "large"})
    node.put(id);
  for (int i = 0; i < 6; ++i)
    node.send(large_event_for("slow"));
  const auto in_flight = node.transport->hanging();
  CHECK(in_flight >= 3);
  CHECK(in_flight < 6); // the rest finds no room

  node.send("fine");
  CHECK(node.transport->count("fine.example.com") == 1);
  node.send(large_event_for("large"));
  node.send(large_event_for("large"));
  node.transport->release(scripted_transport::status(200));
  node.run();
  CHECK(node.transport->count("large.example.com") == 2);
  while (node.transport->hanging() > 0) {
    node.transport->release(scripted_transport::status(200));
    node.run();
  }
  CHECK(node.transport->count("slow.example.com") == 6);
  CHECK(node.status().connectors.empty());
}

TEST_CASE(
    "who holds events that it can't send gives them back for those that hold nothing, and sends them later") {
  struct row {
    std::string what;
    http_result answer; ///< of the one in flight
    void (*stop)(node_fixture&);
    void (*go_on)(node_fixture&);
  };
  const std::vector<row> table = {
      {"disabled", scripted_transport::status(500),
       [](node_fixture& node) { node.put("busy", [](connector& c) { c.enabled = false; }); },
       [](node_fixture& node) { node.put("busy"); }},
      {"held", scripted_transport::status(503, "", "300"), [](node_fixture&) {},
       [](node_fixture& node) { node.advance_ms(301'000); }},
  };
  for (const auto& one : table) {
    INFO(one.what);
    node_fixture node;
    start_with_little_memory(node);
    node.put("busy", [](connector& c) { c.max_in_flight = 1; });
    for (const auto* id : {"one", "two", "three"})
      node.put(id);
    node.transport->hang("busy.example.com");
    for (int i = 0; i < 5; ++i)
      node.send(large_event_for("busy"));
    one.stop(node);
    node.transport->on("busy.example.com",
                       [](const http_request&) { return scripted_transport::status(200); });
    node.transport->release(one.answer);
    node.run();
    const auto before = node.transport->count("busy.example.com");

    for (const auto* id : {"one", "two", "three"})
      node.transport->hang(node_fixture::host_of(id));
    for (const auto* id : {"one", "two", "three"})
      node.send(large_event_for(id));
    for (const auto* id : {"one", "two", "three"})
      CHECK(node.transport->count(node_fixture::host_of(id)) == 1);
    CHECK(node.transport->count("busy.example.com") == before);
    node.transport->release(scripted_transport::status(200));
    node.run();

    one.go_on(node);
    node.advance_ms(20'000);
    CHECK(node.transport->count("busy.example.com") == before + 5);
    CHECK(node.status().connectors.empty());
  }
}

TEST_CASE("after a restart large events that are all due come in turn, and none is forgotten") {
  node_fixture node;
  start_with_little_memory(node);
  constexpr int connectors = 12;
  std::vector<std::string> ids;
  for (int i = 0; i < connectors; ++i) {
    ids.emplace_back("c").append(std::to_string(i));
    node.put(ids.back());
    node.transport->hang(node_fixture::host_of(ids.back()));
    node.send(large_event_for(ids.back()));
    node.send(large_event_for(ids.back()));
  }
  node.restart();
  std::size_t most = 0;
  for (int turns = 0; turns < 100 && node.transport->hanging() > 0; ++turns) {
    most = std::max(most, node.transport->hanging());
    node.transport->release(scripted_transport::status(200));
    node.run();
  }
  CHECK(node.status().connectors.empty());
  for (const auto& id : ids)
    CHECK(node.transport->count(node_fixture::host_of(id)) >= 2);
}

TEST_CASE("a supervisor that dies with its share, or while it waits for room, takes none of it along") {
  node_fixture node;
  start_with_little_memory(node);
  for (const auto* id : {"a", "b"}) {
    node.put(id);
    node.transport->hang(node_fixture::host_of(id));
  }
  for (int i = 0; i < 6; ++i)
    node.send(large_event_for("a"));
  node.send(large_event_for("b"));
  node.random.fail_once();
  node.transport->release(scripted_transport::status(500));
  node.run();
  CHECK_FALSE(node.warnings.empty());
  for (int second = 0; second < 60 && !node.status().connectors.empty(); ++second) {
    node.transport->release(scripted_transport::status(200));
    node.advance_ms(1'000);
  }
  CHECK(node.status().connectors.empty());
}

TEST_CASE("while the disk is full the answers of attempts are kept up to the budget, and then cut") {
  node_fixture node;
  start_with_little_memory(node);
  const std::string page(60 * kib, 'p');
  node.put("crm", [](connector& c) { c.max_in_flight = 16; });
  node.transport->hang("crm.example.com");
  std::vector<event_id> sent;
  for (int i = 0; i < 10; ++i)
    sent.push_back(node.send("crm").id);
  REQUIRE(node.transport->hanging() == 10);
  node.disk.fill_disk_after(0);
  static_cast<void>(node.ask<accepted>(node_fixture::event_for("crm")));
  node.transport->release(scripted_transport::status(200, page));
  node.advance_ms(3'000);

  node.disk.free_disk();
  node.advance_ms(3'000);
  std::size_t whole = 0;
  for (const auto& id : sent) {
    const auto history = node.event(id);
    CHECK(history.summary.state == event_state::delivered);
    const auto& attempt = history.attempts.at(0);
    CHECK(attempt.response_body_bytes == page.size());
    CHECK(attempt.response_truncated == attempt.response_body.empty());
    whole += attempt.response_truncated ? 0 : 1;
  }
  CHECK(whole == 4); // 240 KiB of the 256
  node.transport->on("crm.example.com",
                     [&](const http_request&) { return scripted_transport::status(200, page); });
  CHECK_FALSE(node.event(node.send("crm").id).attempts.at(0).response_truncated); // there is room again
}
