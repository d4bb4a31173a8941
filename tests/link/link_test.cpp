// Both ends of a link over real sockets.

#include "link/connect.hpp"
#include "link/port.hpp"
#include "net/link_server.hpp"
#include "tests/link/quiet_config.hpp"
#include "tests/link/scripted_node.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/identity_files.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <catch2/catch_test_macros.hpp>

#include <functional>
#include <mutex>
#include <optional>

using namespace vicket;
using namespace vicket::internal;
using namespace vicket::testing;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 30s;

struct world {
  world() : self{system} {}

  quiet_config config;
  caf::actor_system system{config};
  caf::scoped_actor self;
  std::mutex mutex;
  std::vector<std::string> lines; ///< guarded by mutex

  [[nodiscard]] std::unique_ptr<actor_port>
  open(const node_actor& node, std::string where = "127.0.0.1:0",
       const std::function<void(actor_port::options&)>& change = {}) {
    actor_port::options options;
    options.listen = {std::get<place>(parse_place(where))};
    options.log_warning = [this](const std::string& line) {
      const std::lock_guard guard{mutex};
      lines.push_back(line);
    };
    if (change)
      change(options);
    auto opened = actor_port::open(system, node, std::move(options));
    if (auto* why = std::get_if<std::string>(&opened))
      throw std::runtime_error{*why};
    return std::get<0>(std::move(opened));
  }

  [[nodiscard]] node_actor node() { return system.spawn(scripted_node); }

  [[nodiscard]] link_state next_state() {
    link_state state;
    bool came = false;
    self->receive([&](link_state& one) { state = std::move(one), came = true; },
                  caf::after(patience) >> [] {});
    if (!came)
      throw std::runtime_error{"no state came"};
    return state;
  }

  template <class Answer, class Handle, class Request>
  std::variant<Answer, refusal> ask(const Handle& whom, Request request) {
    std::variant<Answer, refusal> result;
    self->request(whom, patience, std::move(request))
        .receive([&](Answer& answer) { result = std::move(answer); },
                 [&](caf::error& why) { result = refusal_of(why); });
    return result;
  }
};

link_options to(const actor_port& port, caf::actor_addr watcher = {}) {
  link_options options;
  options.nodes = {port.places().front().to_string()};
  options.watcher = std::move(watcher);
  return options;
}

send_to_connector event(std::string name) {
  send_to_connector result;
  result.connector = {"crm"};
  result.event = std::move(name);
  result.id = event_id{{1, 2, 3}};
  return result;
}

template <class T>
const T& value(const std::variant<T, refusal>& from) {
  if (const auto* why = std::get_if<refusal>(&from))
    FAIL("refused: " << to_string(why->code) << ": " << why->detail);
  return std::get<T>(from);
}

} // namespace

TEST_CASE("every kind of request goes through, with its answer and its refusals", "[link]") {
  world w;
  const auto port = w.open(w.node());
  const auto node = connect_node(w.system, to(*port));
  CHECK(value(w.ask<accepted>(node, event("x"))).id == event_id{{1, 2, 3}});
  CHECK(std::get<refusal>(w.ask<accepted>(node, event("refuse"))) == refusal{errc::filtered, "as asked"});
  send_batch batch;
  batch.items = {event("x"), event("refuse")};
  const auto results = value(w.ask<batch_result>(node, batch)).results;
  REQUIRE(results.size() == 2);
  CHECK(std::get<accepted>(results[0]).id == event_id{{1, 2, 3}});
  CHECK(std::get<refusal>(results[1]) == refusal{errc::unknown_connector, "crm"});
  CHECK(value(w.ask<event_page>(node, get_event{event_id{{9}}, "c"})).events.at(0).summary.id ==
        event_id{{9}});
  CHECK(value(w.ask<run_page>(node, get_run{"run-42", {}})).cursor == "run-42");
  CHECK(value(w.ask<outcome_page>(node, read_outcomes{"cursor"})).gap_cursor == "cursor");
  connector some;
  some.id = {"crm"};
  some.secret = {"whsec_x"};
  CHECK(value(w.ask<connector_view>(node, put_connector{some})).value == some);
  CHECK(std::get<refusal>(w.ask<connector_view>(node, get_connector{{"crm"}})) ==
        refusal{errc::not_found, "crm"});
  CHECK(value(w.ask<connector_page>(node, list_connectors{{}, 1})).more);
  CHECK(value(w.ask<node_status>(node, get_status{})).version == "scripted");
  std::optional<refusal> deleted;
  bool done = false;
  w.self->request(node, patience, delete_connector{{"crm"}})
      .receive([&] { done = true; }, [](const caf::error&) {});
  w.self->request(node, patience, delete_connector{{"busy"}})
      .receive([] {}, [&](const caf::error& why) { deleted = refusal_of(why); });
  CHECK(done);
  CHECK(deleted == refusal{errc::connector_busy, "events wait for it"});
}

TEST_CASE("many requests at a time, more than a node takes at once", "[link]") {
  world w;
  const auto port = w.open(w.node());
  const auto gateway = connect(w.system, to(*port));
  send_batch batch;
  batch.items.assign(100, event("x"));
  batch.items.back().data_json = std::string(100'000, 'x');
  std::size_t answered = 0;
  constexpr std::size_t requests = 600;
  auto options = to(*port);
  options.max_bytes = std::size_t{1} << 30;
  const auto wide = connect(w.system, options);
  std::vector<decltype(w.self->request(wide, patience, batch))> asked;
  for (std::size_t i = 0; i < requests; ++i)
    asked.push_back(w.self->request(wide, patience, batch));
  for (auto& one : asked)
    one.receive([&](const batch_result& result) { answered += result.results.size() == 100 ? 1 : 0; },
                [&](const caf::error& why) { UNSCOPED_INFO(to_string(why)); });
  CHECK(answered == requests);
}

TEST_CASE("a batch that is too long is refused here, and closes nothing", "[link]") {
  world w;
  const auto port = w.open(w.node());
  const auto gateway = connect(w.system, to(*port));
  send_batch batch;
  batch.items.assign(send_batch::max_items + 1, event("x"));
  const auto refused = std::get<refusal>(w.ask<batch_result>(gateway, batch));
  CHECK(refused.code == errc::invalid_event);
  CHECK(w.ask<accepted>(gateway, event("x")).index() == 0); // the connection lives
}

TEST_CASE("what is longer than its kind allows is refused here, and closes nothing", "[link]") {
  world w;
  const auto port = w.open(w.node());
  const auto node = connect_node(w.system, to(*port));
  CHECK(std::get<refusal>(w.ask<run_page>(node, get_run{std::string(17'000, 'x'), {}})).code ==
        errc::too_large);
  CHECK(w.ask<accepted>(node, event("x")).index() == 0);
  const std::lock_guard guard{w.mutex};
  CHECK(w.lines.empty());
}

TEST_CASE("when a connection goes, what was under way fails at once and the next one serves", "[link]") {
  world w;
  auto first = w.open(w.node());
  const auto second = w.open(w.node());
  auto options = to(*first, w.self->address());
  options.nodes.push_back(second->places().front().to_string());
  const auto gateway = connect(w.system, options);
  CHECK(w.next_state().connected);
  auto never = w.self->request(gateway, patience, event("never"));
  CHECK(w.ask<accepted>(gateway, event("x")).index() == 0); // so the other one is there
  first.reset();
  std::optional<refusal> lost;
  never.receive([](const accepted&) {}, [&](const caf::error& why) { lost = refusal_of(why); });
  REQUIRE(lost);
  CHECK(lost->code == errc::unavailable);
  CHECK(lost->detail.starts_with("the connection was lost")); // and not a time-out of our own
  const auto gone = w.next_state();
  CHECK_FALSE(gone.connected);
  CHECK(gone.node == options.nodes[0]);
  CHECK_FALSE(gone.why.empty());
  const auto back = w.next_state();
  CHECK(back.connected);
  CHECK(back.node == options.nodes[1]);
  CHECK(w.ask<accepted>(gateway, event("x")).index() == 0);
}

TEST_CASE("without a connection a request waits for one, but not for long", "[link]") {
  world w;
  auto port = w.open(w.node());
  auto options = to(*port, w.self->address());
  port.reset();
  options.wait = 300ms;
  const auto gateway = connect(w.system, options);
  const auto refused = std::get<refusal>(w.ask<accepted>(gateway, event("x")));
  CHECK(refused.code == errc::unavailable);
  CHECK(refused.detail.find(options.nodes[0]) != std::string::npos);
  const auto state = w.next_state();
  CHECK_FALSE(state.connected);
  CHECK(state.why == "Connection refused");

  // And there it is, while one waits.
  options.wait = 30s;
  const auto patient = connect(w.system, options);
  auto waiting = w.self->request(patient, patience, event("x"));
  port = w.open(w.node(), options.nodes[0]);
  bool answered = false;
  waiting.receive([&](const accepted&) { answered = true; }, [](const caf::error&) {});
  CHECK(answered);
}

TEST_CASE("what an engine holds is bounded", "[link]") {
  world w;
  const auto port = w.open(w.node());
  auto options = to(*port);
  SECTION("in requests") {
    options.max_requests = 2;
    const auto gateway = connect(w.system, options);
    auto first = w.self->request(gateway, patience, event("never"));
    CHECK(w.ask<accepted>(gateway, event("x")).index() == 0); // the second place
    auto second = w.self->request(gateway, patience, event("never"));
    CHECK(std::get<refusal>(w.ask<accepted>(gateway, event("x"))).code == errc::overloaded);
  }
  SECTION("in bytes, but one is always allowed") {
    options.max_bytes = 1;
    const auto gateway = connect(w.system, options);
    CHECK(w.ask<accepted>(gateway, event("x")).index() == 0);
    auto first = w.self->request(gateway, patience, event("never"));
    CHECK(std::get<refusal>(w.ask<accepted>(gateway, event("x"))).code == errc::overloaded);
  }
}

TEST_CASE("a link ends with its last reference", "[link]") {
  world w;
  const auto port = w.open(w.node());
  auto gateway = connect(w.system, to(*port, w.self->address()));
  CHECK(w.next_state().connected);
  w.self->monitor(gateway);
  gateway = nullptr;
  caf::error why;
  bool down = false;
  w.self->receive([&](const caf::down_msg& message) { why = message.reason, down = true; },
                  caf::after(patience) >> [] {});
  CHECK(down);
  CHECK(why == caf::exit_reason::unreachable);
}

TEST_CASE("a node whose gateway has died says unavailable", "[link]") {
  world w;
  const auto port = w.open(w.node());
  const auto gateway = connect(w.system, to(*port));
  static_cast<void>(w.ask<accepted>(gateway, event("die")));
  CHECK(std::get<refusal>(w.ask<accepted>(gateway, event("x"))).code == errc::unavailable);
}

TEST_CASE("a Unix socket carries a link", "[link]") {
  world w;
  const auto where = "unix:/tmp/vicket-link-test-" + std::to_string(::getpid()) + ".sock";
  const auto port = w.open(w.node(), where);
  CHECK(port->places().front().to_string() == where);
  const auto node = connect_node(w.system, to(*port));
  CHECK(w.ask<accepted>(node, event("x")).index() == 0);
}

TEST_CASE("over TLS a certificate's names say what it may be", "[link]") {
  world w;
  const certificate_authority authority;
  const identity_files node{authority, authority.good()};
  const identity_files engine{authority, authority.issue({.dns_names = {"a.engines.test"}})};
  const identity_files ops{authority, authority.issue({.dns_names = {"ops.test"}})};
  const auto port = w.open(w.node(), "127.0.0.1:0", [&](actor_port::options& options) {
    options.tls = node.files();
    options.roles = {{"*.engines.test", role_sender}, {"ops.test", role_operator}};
  });
  auto options = to(*port, w.self->address());
  options.tls = engine.files();
  {
    const auto gateway = connect(w.system, options);
    CHECK(w.next_state().connected);
    CHECK(w.ask<accepted>(gateway, event("x")).index() == 0);
    const auto wrong = connect_operator(w.system, options);
    const auto refused = w.next_state();
    CHECK_FALSE(refused.connected);
    CHECK(refused.why == "it refused the link (403): its certificate may not be all of: operator");
    // Who asks for no role gets what it may be, and what it may not is refused here.
    const auto either = connect_node(w.system, options);
    CHECK(w.ask<accepted>(either, event("x")).index() == 0);
    CHECK(std::get<refusal>(w.ask<node_status>(either, get_status{})) ==
          refusal{errc::forbidden, "this node lets this certificate be sender only"});
  }
  options.tls = ops.files();
  const auto operators = connect_operator(w.system, options);
  CHECK(w.ask<node_status>(operators, get_status{}).index() == 0);
}

TEST_CASE("options that can't be used are told at once", "[link]") {
  world w;
  link_options options;
  CHECK_THROWS_AS(connect(w.system, options), std::runtime_error);
  options.nodes = {"nowhere"};
  CHECK_THROWS_AS(connect(w.system, options), std::runtime_error);
  options.nodes = {"127.0.0.1:0"};
  CHECK_THROWS_AS(connect(w.system, options), std::runtime_error);
  options.nodes = {"127.0.0.1:1"};
  options.tls = tls_files{"/nowhere/cert", "/nowhere/key", "/nowhere/ca"};
  CHECK_THROWS_AS(connect(w.system, options), std::runtime_error);
}
