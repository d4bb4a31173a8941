// Connectors that change, and those that can't be used, of a whole node.

#include "tests/actors/node_fixture.hpp"

#include "actors/interfaces.hpp"
#include "actors/persistence.hpp"
#include "storage/partition_store.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include <algorithm>
#include <utility>
#include <vector>

using namespace vicket;
using namespace vicket::testing;

namespace {

/// As a program with other rules may have stored it.
void store_unusable(node_fixture& node, const std::string& id) {
  store_options options;
  options.folder = node.options.data_dir / "partition-0";
  options.environment = &node.disk;
  auto opened = partition_store::open(options);
  REQUIRE(std::holds_alternative<std::unique_ptr<partition_store>>(opened));
  auto& store = *std::get<0>(opened);
  connector config;
  config.id = {id};
  config.url = "no URL at all";
  write_batch batch;
  batch.put_connector(config);
  REQUIRE(store.commit(batch, store.settled_below()).ok());
}

bool is_deleted(node_fixture& node, const std::string& id) {
  const auto asked = node.ask<connector_view>(get_connector{{id}});
  return std::holds_alternative<refusal>(asked) && std::get<refusal>(asked).code == errc::not_found;
}

/// Each of them is failed, its last attempt says that it was not sent, and the feed has that attempt as its last.
void check_given_up(node_fixture& node, const std::vector<event_id>& events, std::uint32_t attempt) {
  outcome_page page;
  std::vector<std::pair<event_id, outcome_entry>> last;
  std::string cursor;
  do {
    page = std::get<outcome_page>(node.ask<outcome_page>(read_outcomes{cursor, 1'000, 0}));
    cursor = page.cursor;
    for (const auto& entry : page.entries)
      last.emplace_back(entry.summary.id, entry);
  } while (!page.entries.empty());
  for (const auto& id : events) {
    const auto history = node.event(id);
    REQUIRE(history.summary.state == event_state::failed);
    REQUIRE(history.attempts.size() == attempt);
    REQUIRE(history.attempts.back().number == attempt);
    REQUIRE(history.attempts.back().result == outcome::blocked);
    REQUIRE(history.attempts.back().error.find("deleted") != std::string::npos);
    const auto told =
        std::find_if(last.rbegin(), last.rend(), [&](const auto& one) { return one.first == id; });
    REQUIRE(told != last.rend());
    REQUIRE(told->second.value.number == attempt);
  }
}

} // namespace

TEST_CASE("a stored connector that can't be used is set aside, says why, and delivers when it is put again") {
  node_fixture node;
  node.put("well");
  node.kill();
  store_unusable(node, "odd");
  node.start();
  CHECK(node.failures.empty());

  // The first event shows it. It was accepted, so it waits.
  const auto first = node.send("odd").id;
  CHECK(node.transport->count("odd.example.com") == 0);
  const auto second = node.ask<accepted>(node_fixture::event_for("odd"));
  REQUIRE(std::holds_alternative<refusal>(second));
  CHECK(std::get<refusal>(second).code == errc::connector_disabled);
  CHECK(std::get<refusal>(second).detail.find("can't be used") != std::string::npos);
  const auto status = node.status();
  REQUIRE(status.connectors.size() == 1);
  CHECK(status.connectors[0].pending == 1);
  CHECK_FALSE(status.connectors[0].problem.empty());
  CHECK_FALSE(node.warnings.empty());
  CHECK(node.send("well").duplicate == false); // the others go on

  SECTION("at once") {}
  SECTION("after a restart") {
    node.restart();
  }
  node.put("odd");
  CHECK(node.event(first).summary.state == event_state::delivered);
  CHECK(node.send("odd").duplicate == false);
  CHECK(node.transport->count("odd.example.com") == 2);
  CHECK(node.failures.empty());
}

TEST_CASE("what is shown of a connector while its put is refused is what it still is") {
  node_fixture node;
  node.put("crm");
  connector other;
  other.id = {"crm"};
  other.url = "https://elsewhere.example.com/";
  node.disk.fill_disk_after(0);
  auto put = node.ask_later<connector_view>(put_connector{other});
  auto get = node.ask_later<connector_view>(get_connector{{"crm"}});
  auto list = node.ask_later<connector_page>(list_connectors{});
  node.run();
  const auto refused = put();
  REQUIRE(std::holds_alternative<refusal>(refused));
  CHECK(std::get<refusal>(refused).code == errc::storage_full);
  const auto shown = get();
  REQUIRE(std::holds_alternative<connector_view>(shown));
  CHECK(std::get<connector_view>(shown).value.url == "https://crm.example.com/hook");
  const auto page = list();
  REQUIRE(std::holds_alternative<connector_page>(page));
  CHECK(std::get<connector_page>(page).connectors.at(0).value.url == "https://crm.example.com/hook");
}

TEST_CASE("a second delete is answered not_found only if the first one holds") {
  node_fixture node;
  node.put("crm");
  node.disk.fill_disk_after(0);
  auto first = node.ask_later<std::monostate>(delete_connector{{"crm"}});
  auto second = node.ask_later<std::monostate>(delete_connector{{"crm"}});
  node.run();
  for (const auto& answer : {first(), second()}) {
    REQUIRE(std::holds_alternative<refusal>(answer));
    CHECK(std::get<refusal>(answer).code == errc::storage_full);
  }
  node.disk.free_disk();
  node.advance_ms(2'000);
  first = node.ask_later<std::monostate>(delete_connector{{"crm"}});
  second = node.ask_later<std::monostate>(delete_connector{{"crm"}});
  node.run();
  CHECK(std::holds_alternative<std::monostate>(first()));
  const auto gone = second();
  REQUIRE(std::holds_alternative<refusal>(gone));
  CHECK(std::get<refusal>(gone).code == errc::not_found);
}

TEST_CASE("a delete by force fails what is pending, wherever it is, and then deletes") {
  node_fixture node;
  node.put("crm", [](connector& config) { config.max_in_flight = 2; });
  node.put("other");
  node.transport->on("crm.example.com", [](const http_request&) { return scripted_transport::status(500); });
  std::vector<event_id> retried;
  for (auto i = 0; i < 3; ++i)
    retried.push_back(node.send("crm").id); // these wait for their second attempt, in the index
  node.transport->hang("crm.example.com");
  std::vector<event_id> in_flight;
  for (auto i = 0; i < 2; ++i)
    in_flight.push_back(node.send("crm").id);
  std::vector<event_id> waiting;
  for (auto i = 0; i < 600; ++i) // more than a window holds
    waiting.push_back(node.send("crm").id);

  auto asked = node.ask_later<std::monostate>(delete_connector{{"crm"}, true});
  auto asked_twice = node.ask_later<std::monostate>(delete_connector{{"crm"}, true});
  node.run();
  CHECK(std::get<refusal>(asked()).detail == "no answer"); // two are in flight
  check_given_up(node, retried, 2);
  check_given_up(node, waiting, 1);
  CHECK(std::get<refusal>(node.ask<accepted>(node_fixture::event_for("crm"))).code ==
        errc::connector_disabled);
  connector again;
  again.id = {"crm"};
  again.url = "https://crm.example.com/hook";
  CHECK(std::get<refusal>(node.ask<connector_view>(put_connector{again})).code == errc::connector_busy);
  // What is there meanwhile is shown as what it is, with what is left.
  const auto view = std::get<connector_view>(node.ask<connector_view>(get_connector{{"crm"}}));
  CHECK(view.being_deleted);
  CHECK(view.pending == in_flight.size());
  CHECK_FALSE(std::get<connector_view>(node.ask<connector_view>(get_connector{{"other"}})).being_deleted);
  const auto list = std::get<connector_page>(node.ask<connector_page>(list_connectors{})).connectors;
  REQUIRE(list.size() == 2);
  CHECK(list[0].being_deleted);
  CHECK_FALSE(list[1].being_deleted);
  REQUIRE(node.status().connectors.size() == 1);
  CHECK(node.status().connectors[0].being_deleted);

  SECTION("what was in flight and fails is not tried again") {
    node.transport->release(scripted_transport::status(503));
    node.run();
    for (const auto& id : in_flight) {
      CHECK(node.event(id).summary.state == event_state::failed);
      CHECK(node.event(id).attempts.size() == 1);
    }
  }
  SECTION("what was in flight and arrives is delivered") {
    node.transport->release(scripted_transport::status(200));
    node.run();
    for (const auto& id : in_flight)
      CHECK(node.event(id).summary.state == event_state::delivered);
  }
  CHECK(std::holds_alternative<std::monostate>(asked()));
  CHECK(std::holds_alternative<std::monostate>(asked_twice()));
  CHECK(is_deleted(node, "crm"));
  CHECK(node.send("other").duplicate == false);
  CHECK(node.failures.empty());
  CHECK(std::holds_alternative<connector_view>(node.ask<connector_view>(put_connector{again})));
  CHECK_FALSE(std::get<connector_view>(node.ask<connector_view>(get_connector{{"crm"}})).being_deleted);
  asked = asked_twice = nullptr; // or the node's end waits for the clients
  node.restart();
  CHECK(node.status().connectors.empty());
}

TEST_CASE("a delete by force goes on when it is asked for again after a kill, whenever that came") {
  const auto messages = GENERATE(range(std::size_t{1}, std::size_t{60}));
  node_fixture node;
  node.put("crm", [](connector& config) { config.max_in_flight = 1; });
  node.transport->hang("crm.example.com");
  std::vector<event_id> waiting;
  for (auto i = 0; i < 20; ++i)
    waiting.push_back(node.send("crm").id);
  auto asked = node.ask_later<std::monostate>(delete_connector{{"crm"}, true});
  node.run(messages);
  asked = nullptr;
  node.kill();
  node.start();
  // It may be as it was, or disabled with some of them, also without any but the one that was in flight. Never gone.
  const auto view = node.ask<connector_view>(get_connector{{"crm"}});
  REQUIRE(std::holds_alternative<connector_view>(view));
  REQUIRE_FALSE(std::get<connector_view>(view).being_deleted); // nobody has asked this node for it
  asked = node.ask_later<std::monostate>(delete_connector{{"crm"}, true});
  node.run();
  node.transport->release(scripted_transport::status(500));
  node.run();
  REQUIRE(std::holds_alternative<std::monostate>(asked()));
  REQUIRE(is_deleted(node, "crm"));
  for (const auto& id : waiting)
    REQUIRE(node.event(id).summary.state == event_state::failed);
  REQUIRE(node.failures.empty());
}

TEST_CASE("a connector that can't be used is deleted by force with what waits for it") {
  node_fixture node;
  node.put("well");
  node.kill();
  store_unusable(node, "odd");
  node.start();
  const auto waits = node.send("odd").id;
  SECTION("at once") {}
  SECTION("after a restart") {
    node.restart();
  }
  CHECK(std::get<refusal>(node.ask<std::monostate>(delete_connector{{"odd"}})).code == errc::connector_busy);
  CHECK(std::holds_alternative<std::monostate>(node.ask<std::monostate>(delete_connector{{"odd"}, true})));
  check_given_up(node, {waits}, 1);
  CHECK(is_deleted(node, "odd"));
  CHECK(node.send("well").duplicate == false);
  CHECK(node.failures.empty());
}

TEST_CASE("a disk that is full while a connector is deleted by force ends neither") {
  node_fixture node;
  node.put("crm", [](connector& config) { config.max_in_flight = 1; });
  node.transport->on("crm.example.com", [](const http_request&) { return scripted_transport::status(500); });
  std::vector<event_id> waiting;
  for (auto i = 0; i < 20; ++i)
    waiting.push_back(node.send("crm").id);
  SECTION("before it begins: refused") {
    node.disk.fill_disk_after(0);
    const auto no = node.ask<std::monostate>(delete_connector{{"crm"}, true});
    REQUIRE(std::holds_alternative<refusal>(no));
    CHECK(std::get<refusal>(no).code == errc::storage_full);
    node.disk.free_disk();
    node.advance_ms(2'000);
    CHECK(std::holds_alternative<std::monostate>(node.ask<std::monostate>(delete_connector{{"crm"}, true})));
  }
  SECTION("after it was disabled: it goes on when there is room") {
    node.disk.fill_disk_after(300);
    const auto asked = node.ask_later<std::monostate>(delete_connector{{"crm"}, true});
    node.run();
    node.disk.free_disk();
    node.advance_ms(2'000);
    if (auto answer = asked(); std::holds_alternative<refusal>(answer)) {
      CHECK(std::get<refusal>(answer).code == errc::storage_full);
      CHECK(
          std::holds_alternative<std::monostate>(node.ask<std::monostate>(delete_connector{{"crm"}, true})));
    }
  }
  check_given_up(node, waiting, 2);
  CHECK(is_deleted(node, "crm"));
  CHECK(node.failures.empty());
}

TEST_CASE(
    "below the disk's reserve a delete by force waits with all but what is in memory, and others go on") {
  node_fixture node;
  node.put("crm", [](connector& config) { config.max_in_flight = 1; });
  node.put("other");
  node.transport->hang("crm.example.com");
  std::vector<event_id> waiting;
  for (auto i = 0; i < 2'000; ++i) // several windows
    waiting.push_back(node.send("crm").id);
  const auto pending = [&] {
    const auto status = node.status();
    return status.connectors.empty() ? 0 : status.connectors.at(0).pending;
  };
  node.disk.set_volume({.free_bytes = 1u << 20, .total_bytes = 1u << 30});
  const auto asked = node.ask_later<std::monostate>(delete_connector{{"crm"}, true});
  node.run();
  const auto left = pending();
  CHECK(left > 1'000);
  node.advance_ms(5'000);
  CHECK(pending() >= left - 1); // the one in flight has timed out
  node.disk.set_volume({.free_bytes = 1u << 29, .total_bytes = 1u << 30});
  node.transport->release(scripted_transport::status(500));
  node.advance_ms(1'000);
  CHECK(std::holds_alternative<std::monostate>(asked()));
  CHECK(is_deleted(node, "crm"));
  for (const auto& id : waiting)
    REQUIRE(node.event(id).summary.state == event_state::failed);
  CHECK(node.failures.empty());
}

TEST_CASE("who asks for a delete that as many wait for as may is told so") {
  node_fixture node;
  node.put("crm");
  node.transport->hang("crm.example.com");
  static_cast<void>(node.send("crm"));
  const auto ask = [&] { return node.ask_later<std::monostate>(delete_connector{{"crm"}, true}); };
  std::vector<decltype(ask())> waiting;
  for (std::size_t i = 0; i < persistence::max_waiting_for_delete; ++i)
    waiting.push_back(ask());
  node.run();
  const auto one_too_many = ask();
  node.run();
  const auto answer = one_too_many();
  REQUIRE(std::holds_alternative<refusal>(answer));
  CHECK(std::get<refusal>(answer).code == errc::connector_busy);
  node.transport->release(scripted_transport::status(200));
  node.run();
  CHECK(std::holds_alternative<std::monostate>(waiting.front()()));
  CHECK(is_deleted(node, "crm"));
}

TEST_CASE("what a defect of the gateway let through is refused by the partition, and stored by nobody") {
  node_fixture node;
  node.put("crm");
  connector bad;
  bad.id = {"odd"};
  SECTION("a connector") {
    SECTION("whose URL is none") {
      bad.url = "no URL at all";
    }
    SECTION("whose header ends its line") {
      bad.url = "https://odd.example.com/";
      bad.headers.emplace_back("X-Team", "a\r\nX-Admin: yes");
    }
    SECTION("whose factor is below one") {
      bad.url = "https://odd.example.com/";
      bad.retry.factor = 0.5;
    }
    const auto no = node.ask_inside<connector_view, persistence_actor>("persistence", put_connector{bad});
    REQUIRE(std::holds_alternative<refusal>(no));
    CHECK(std::get<refusal>(no).code == errc::invalid_connector);
    CHECK(is_deleted(node, "odd"));
  }
  SECTION("an event") {
    composed_event event;
    event.id = event_id::parse("9f2c1b7e-0000-7000-8000-000000000001").value();
    event.connector = {"crm"};
    event.event = "ticket.updated";
    event.envelope = R"({"id":"9f2c1b7e-0000-7000-8000-000000000001","event":"ticket.updated",)"
                     R"("occurred_at":"2026-05-23T14:21:11.412Z","data":{}})";
    auto is_stored = true;
    SECTION("that is whole is taken") {}
    SECTION("whose envelope is none") {
      event.envelope = "GET / HTTP/1.1\r\n\r\n";
      is_stored = false;
    }
    SECTION("whose envelope is another's") {
      event.id = event_id::parse("9f2c1b7e-0000-7000-8000-000000000002").value();
      is_stored = false;
    }
    SECTION("whose run is too long") {
      event.run.assign(257, 'r');
      is_stored = false;
    }
    const auto answer =
        node.ask_inside<batch_result, persistence_actor>("persistence", accept_events{0, {event}});
    REQUIRE(std::holds_alternative<batch_result>(answer));
    const auto& result = std::get<batch_result>(answer).results.at(0);
    CHECK(std::holds_alternative<accepted>(result) == is_stored);
    CHECK(node.transport->count("crm.example.com") == (is_stored ? 1 : 0));
    CHECK(node.warnings.empty() == is_stored);
  }
  node.restart();
  CHECK(node.send("crm").duplicate == false);
  CHECK(node.failures.empty());
}
