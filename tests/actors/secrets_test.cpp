// A connector's secrets between the put and the request: sealed everywhere, shown nowhere.

#include "node_fixture.hpp"

#include "policy/connector_secrets.hpp"
#include "storage/secret_key.hpp"

#include <catch2/catch_test_macros.hpp>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

using namespace vicket;
using namespace vicket::testing;

namespace {

constexpr auto token = "Bearer token-of-crm";

connector with_token() {
  connector config;
  config.id = {"crm"};
  config.url = "https://crm.example.com/hook";
  config.secret = {"plain-secret-of-crm"};
  config.secret_headers = {{"Authorization", {token}}, {"Accept", {"text/secret"}}};
  return config;
}

connector_view put(node_fixture& node, const connector& config) {
  auto answer = node.ask<connector_view>(put_connector{config});
  if (const auto* why = std::get_if<refusal>(&answer))
    FAIL(why->detail);
  return std::get<connector_view>(std::move(answer));
}

std::string refused(node_fixture& node, const connector& config) {
  const auto answer = node.ask<connector_view>(put_connector{config});
  REQUIRE(std::holds_alternative<refusal>(answer));
  CHECK(std::get<refusal>(answer).code == errc::invalid_connector);
  return std::get<refusal>(answer).detail;
}

std::optional<std::string> last_header(const node_fixture& node, std::string_view name) {
  return header(node.transport->requests("crm.example.com").back(), name);
}

} // namespace

TEST_CASE("secret headers are sent with each request, and never shown") {
  node_fixture node;
  const auto shown = put(node, with_token());
  const auto got = std::get<connector_view>(node.ask<connector_view>(get_connector{{"crm"}}));
  const auto listed = std::get<connector_page>(node.ask<connector_page>(list_connectors{}));
  for (const auto* view : {&shown, &got, &listed.connectors.at(0)}) {
    CHECK(view->value.secret.empty());
    REQUIRE(view->value.secret_headers.size() == 2);
    CHECK(view->value.secret_headers[0] == std::pair<std::string, secret_text>{"Authorization", {"***"}});
  }
  node.send("crm");
  CHECK(last_header(node, "Authorization") == token);
  CHECK(last_header(node, "Accept") == "text/secret");
  CHECK(last_header(node, "X-Vicket-Signature") ==
        vicket_signature(signing_key{"plain-secret-of-crm"}, 1779546071,
                         node.transport->requests("crm.example.com").back().body));
  SECTION("what was shown is put again: nothing changes") {
    auto again = got.value;
    again.secret = {"***"};
    put(node, again);
    node.send("crm");
    CHECK(last_header(node, "Authorization") == token);
    CHECK(last_header(node, "X-Vicket-Signature") ==
          vicket_signature(signing_key{"plain-secret-of-crm"}, 1779546071,
                           node.transport->requests("crm.example.com").back().body));
  }
  SECTION("after a restart") {
    node.restart();
    node.send("crm");
    CHECK(last_header(node, "Authorization") == token);
  }
  SECTION("left out they are gone, and another value is taken") {
    auto changed = with_token();
    changed.secret_headers = {{"authorization", {"Bearer another"}}};
    put(node, changed);
    node.send("crm");
    CHECK(last_header(node, "authorization") == "Bearer another");
    CHECK(last_header(node, "Accept") == "*/*");
  }
}

TEST_CASE("*** is refused where there is nothing to keep, and nothing changes") {
  node_fixture node;
  auto config = with_token();
  config.secret = {"***"};
  CHECK(refused(node, config).find("secret: \"***\" keeps the one that there is, and 'crm' does not exist") !=
        std::string::npos);
  put(node, with_token());
  config.secret_headers.emplace_back("X-Key", "***");
  CHECK(refused(node, config)
            .find("secret_headers.X-Key: \"***\" keeps the one that there is, and 'crm' has "
                  "none") != std::string::npos);
  node.send("crm");
  CHECK(last_header(node, "Authorization") == token);
}

TEST_CASE("the store of a running node has secrets sealed with its key alone") {
  node_fixture node{1, faulty_environment::below::disk};
  put(node, with_token());
  node.kill();
  store_options options;
  options.folder = node.options.data_dir / "partition-0";
  options.environment = &node.disk;
  auto opened = partition_store::open(options);
  REQUIRE(std::holds_alternative<std::unique_ptr<partition_store>>(opened));
  const auto stored = std::get<0>(opened)->read_connector({"crm"});
  REQUIRE(stored);
  CHECK(secrets_are_sealed(*stored));
  const secret_box box{std::get<secret_bytes>(read_secret_key(node.options.data_dir / "secret.key"))};
  REQUIRE(open_secrets(*stored, box));
  CHECK(open_secrets(*stored, box)->secret.view() == "plain-secret-of-crm");
}

TEST_CASE("a stored secret that the key does not open sets its connector aside, and the node goes on") {
  node_fixture node;
  put(node, with_token());
  node.put("well");
  node.kill();
  {
    store_options options;
    options.folder = node.options.data_dir / "partition-0";
    options.environment = &node.disk;
    auto opened = partition_store::open(options);
    REQUIRE(std::holds_alternative<std::unique_ptr<partition_store>>(opened));
    auto& store = *std::get<0>(opened);
    auto config = store.read_connector({"crm"});
    REQUIRE(config);
    config->secret.value.back() ^= 1;
    write_batch batch;
    batch.put_connector(*config);
    REQUIRE(store.commit(batch, store.settled_below()).ok());
  }
  node.start();
  CHECK(node.failures.empty());
  const auto waiting = node.send("crm").id;
  node.send("well");
  CHECK(node.transport->count("well.example.com") == 1);
  CHECK(node.transport->count("crm.example.com") == 0);
  REQUIRE_FALSE(node.status().connectors.empty());
  CHECK(node.status().connectors[0].problem.find("can't be decrypted") != std::string::npos);
  put(node, with_token());
  CHECK(node.event(waiting).summary.state == event_state::delivered);
}
