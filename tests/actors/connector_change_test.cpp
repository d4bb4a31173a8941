// Connectors that change, and those that can't be used, of a whole node.

#include "tests/actors/node_fixture.hpp"

#include "storage/partition_store.hpp"

#include <catch2/catch_test_macros.hpp>

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
