// Two nodes of a cluster, over real sockets.

#include "link/connect.hpp"
#include "link/connect_peer.hpp"
#include "link/port.hpp"
#include "net/tls_contexts.hpp"
#include "tests/link/echoing_peer.hpp"
#include "tests/link/quiet_config.hpp"
#include "tests/link/scripted_node.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/identity_files.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <catch2/catch_test_macros.hpp>

#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

using namespace vicket;
using internal::role_peer;
using internal::role_sender;
using namespace vicket::testing;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 30s;

struct world {
  world() : self{system} {}

  quiet_config config;
  caf::actor_system system{config};
  caf::scoped_actor self;

  [[nodiscard]] std::unique_ptr<actor_port> open(const std::function<void(actor_port::options&)>& change) {
    actor_port::options options;
    options.listen = {std::get<place>(parse_place("127.0.0.1:0"))};
    options.log_warning = [](const std::string&) {};
    change(options);
    auto opened = actor_port::open(system, system.spawn(scripted_node), std::move(options));
    if (auto* why = std::get_if<std::string>(&opened))
      throw std::runtime_error{*why};
    return std::get<0>(std::move(opened));
  }

  template <class Answer, class Handle, class Request>
  std::variant<Answer, refusal> ask(const Handle& whom, Request request) {
    std::variant<Answer, refusal> result;
    auto pending = self->request(whom, patience, std::move(request));
    if constexpr (std::is_same_v<Answer, std::monostate>)
      pending.receive([&] { result = std::monostate{}; }, [&](caf::error& why) { result = refusal_of(why); });
    else
      pending.receive([&](Answer& answer) { result = std::move(answer); },
                      [&](caf::error& why) { result = refusal_of(why); });
    return result;
  }

  [[nodiscard]] link_state next_state() {
    std::optional<link_state> state;
    self->receive([&](link_state& one) { state = std::move(one); }, caf::after(patience) >> [] {});
    if (!state)
      throw std::runtime_error{"no state came"};
    return *state;
  }
};

link_options to(const actor_port& port, caf::actor_addr watcher = {}) {
  link_options options;
  options.nodes = {port.places().front().to_string()};
  options.watcher = std::move(watcher);
  return options;
}

template <class T>
const T& value(const std::variant<T, refusal>& from) {
  if (const auto* why = std::get_if<refusal>(&from))
    FAIL("refused: " << to_string(why->code) << ": " << why->detail);
  return std::get<T>(from);
}

} // namespace

TEST_CASE("every kind that nodes ask each other goes through, with its answer and its refusals",
          "[link][peer]") {
  world w;
  const auto port = w.open([&](actor_port::options& options) {
    options.peer = w.system.spawn(echoing_peer);
    options.local_peers = true;
  });
  const auto peer = connect_peer(w.system, to(*port));
  composed_event event;
  event.id = {{1}};
  event.connector = {"crm"};
  event.workflow = "w";
  event.run = "r";
  event.envelope = "{}";
  const auto results =
      value(w.ask<batch_result>(peer, of_partition<accept_events>{3, {3, {event, event}}})).results;
  REQUIRE(results.size() == 2);
  CHECK(std::get<refusal>(results[1]) == refusal{errc::filtered, "{}rw"});
  CHECK(std::get<refusal>(w.ask<batch_result>(peer, of_partition<accept_events>{9, {9, {event}}})) ==
        refusal{errc::not_owner, "not this node's"});
  connector some;
  some.id = {"crm"};
  some.secret = {"whsec_x"};
  some.headers = {{"a", "b"}};
  const auto put = value(w.ask<connector_view>(peer, of_partition<put_connector>{3, {some}}));
  CHECK(put.value == some);
  CHECK(put.pending == 3);
  CHECK(value(w.ask<connector_view>(peer, of_partition<get_connector>{3, {{"crm"}}})).value.id.value ==
        "crm");
  bool deleted = false;
  std::optional<refusal> busy;
  w.self->request(peer, patience, of_partition<delete_connector>{3, {{"crm"}, true}})
      .receive([&] { deleted = true; }, [](const caf::error&) {});
  w.self->request(peer, patience, of_partition<delete_connector>{3, {{"crm"}}})
      .receive([] {}, [&](const caf::error& why) { busy = refusal_of(why); });
  CHECK(deleted);
  CHECK(busy == refusal{errc::connector_busy, "crm"});
  CHECK(value(w.ask<connector_page>(peer, of_partition<list_connectors>{3, {{}, 7}})).more);
  const auto overview =
      value(w.ask<partition_overview>(peer, of_partition<get_partition_overview>{3, {{"b"}, 1}}));
  CHECK(overview.partition.number == 3);
  CHECK(overview.partition.owner == "b");
  CHECK(overview.connectors.size() == 1);
  const auto found =
      value(w.ask<found_events>(peer, of_partition<find_partition_events>{3, {event_id{{5}}, {"crm"}, 4}}));
  CHECK(found.more);
  CHECK(found.events.at(0).sequence == 4);
  CHECK(found.events.at(0).connector.value == "crm");
  CHECK(value(w.ask<found_events>(peer, of_partition<find_partition_run>{3, {"run", 8, 1}}))
            .events.at(0)
            .sequence == 8);
  const auto histories = value(w.ask<partition_histories>(
      peer, of_partition<read_partition_histories>{3, {{{2, attempts_left{4, 5}}, {0, {}}}, 100, true}}));
  REQUIRE(histories.histories.size() == 2);
  REQUIRE(histories.histories[0]);
  CHECK(histories.histories[0]->history.attempts.size() == 2);
  CHECK(histories.histories[0]->left == attempts_left{4, 5});
  CHECK_FALSE(histories.histories[1]);
  const feed_position at{1, 2, 3, 4};
  const auto outcomes =
      value(w.ask<partition_outcomes>(peer, of_partition<read_partition_outcomes>{3, {at, 5, 6}}));
  CHECK_FALSE(outcomes.gap);
  CHECK(outcomes.from == at);
  CHECK(outcomes.entries.at(0).at == at);
  CHECK(outcomes.through == feed_position{6, 1, 2, 3});
  CHECK(value(w.ask<partition_outcomes>(peer, of_partition<read_partition_outcomes>{3, {{}, 5, 6}})).gap);
  CHECK(value(w.ask<feed_awaited>(peer, await_feed{3, 7, 7})).grew);
  const setting_key key{setting_kind::rule, "r"};
  const auto no = std::get<refusal>(w.ask<std::monostate>(peer, of_partition<put_setting>{3, {{key, "=1"}}}));
  CHECK(no.code == errc::too_large);
  CHECK(no.detail == "r=1");
  CHECK(std::holds_alternative<std::monostate>(
      w.ask<std::monostate>(peer, of_partition<delete_setting>{9, {key}})));
  const auto got = value(w.ask<setting>(peer, of_partition<get_setting>{3, {key}}));
  CHECK(got.key == key);
  CHECK(got.bytes == "bytes");
  const auto page = value(w.ask<settings_page>(peer, of_partition<list_settings>{3, {key.kind, "r", 7}}));
  CHECK(page.more);
  CHECK(page.settings.at(0).key == key);
}

TEST_CASE("who comes in locally is no peer unless the port is told so, and then needs no rule",
          "[link][peer]") {
  world w;
  const auto closed =
      w.open([&](actor_port::options& options) { options.peer = w.system.spawn(echoing_peer); });
  const auto refused = connect_peer(w.system, to(*closed, w.self->address()));
  const auto state = w.next_state();
  CHECK_FALSE(state.connected);
  CHECK(state.why == "it refused the link (403): its certificate may not be all of: peer");
  CHECK(std::get<refusal>(w.ask<feed_awaited>(refused, await_feed{})).code == errc::unavailable);
  // An engine there asks as before.
  const auto open = w.open([&](actor_port::options& options) {
    options.peer = w.system.spawn(echoing_peer);
    options.local_peers = true;
  });
  CHECK(value(w.ask<node_status>(connect_operator(w.system, to(*open)), get_status{})).version == "scripted");
}

TEST_CASE("a port without a peer behind it closes a link that asks as one", "[link][peer]") {
  world w;
  const auto port = w.open([&](actor_port::options& options) { options.local_peers = true; });
  const auto peer = connect_peer(w.system, to(*port));
  CHECK(std::get<refusal>(w.ask<feed_awaited>(peer, await_feed{})).code == errc::unavailable);
}

TEST_CASE("over TLS a certificate is a peer by a rule alone", "[link][peer]") {
  world w;
  const certificate_authority authority;
  const identity_files node{authority, authority.good()};
  const identity_files other{authority, authority.issue({.dns_names = {"b.nodes.test"}})};
  const identity_files engine{authority, authority.issue({.dns_names = {"a.engines.test"}})};
  const auto port = w.open([&](actor_port::options& options) {
    options.tls = node.files();
    options.roles = {{"*.nodes.test", role_peer}, {"*.engines.test", role_sender}};
    options.peer = w.system.spawn(echoing_peer);
    options.local_peers = true; // says nothing of who has a certificate
  });
  auto options = to(*port, w.self->address());
  options.tls = other.files();
  const auto peer = connect_peer(w.system, options);
  CHECK(w.next_state().connected);
  CHECK(value(w.ask<feed_awaited>(peer, await_feed{3, 7, 7})).grew);
  options.tls = engine.files();
  const auto wrong = connect_peer(w.system, options);
  CHECK_FALSE(w.next_state().connected);
}

TEST_CASE("a link that dials again does so with the files as they were read last", "[link][peer]") {
  world w;
  const certificate_authority authority;
  const identity_files node{authority, authority.good()};
  const identity_files other{authority, authority.issue({.dns_names = {"b.engines.test"}})};
  const auto port = w.open([&](actor_port::options& options) {
    options.tls = node.files();
    options.roles = {{"*.nodes.test", role_peer}, {"*.engines.test", role_sender}};
    options.peer = w.system.spawn(echoing_peer);
  });
  auto made = internal::tls_contexts::make(other.files());
  REQUIRE(std::holds_alternative<std::shared_ptr<internal::tls_contexts>>(made));
  const auto files = std::get<0>(made);
  const auto peer = connect_peer(w.system, to(*port, w.self->address()), files);
  CHECK(w.next_state().why == "it refused the link (403): its certificate may not be all of: peer");
  const auto renewed = authority.issue({.dns_names = {"b.nodes.test"}});
  std::ofstream{other.cert.path()} << renewed.pem;
  std::ofstream{other.key.path()} << renewed.key_pem;
  CHECK(files->reload() == std::nullopt);
  auto state = w.next_state();
  while (!state.connected && state.why.find("403") != std::string::npos) // tries of before
    state = w.next_state();
  CHECK(state.connected);
  CHECK(value(w.ask<feed_awaited>(peer, await_feed{3, 7, 7})).grew);
}

TEST_CASE("a peer's long polls do not keep what else it asks from being read", "[link][peer]") {
  world w;
  const auto port = w.open([&](actor_port::options& options) {
    options.peer = w.system.spawn(echoing_peer);
    options.local_peers = true;
  });
  const auto peer = connect_peer(w.system, to(*port));
  caf::scoped_actor waiting{w.system};
  for (int i = 0; i < 512; ++i)
    waiting->send(peer, of_partition<find_partition_run>{3, {"never", 0, 1}});
  CHECK(value(w.ask<feed_awaited>(peer, await_feed{3, 7, 7})).grew);
}
