// A link that is cut after any number of bytes, in both directions together.

#include "link/connect.hpp"
#include "link/port.hpp"
#include "tests/link/quiet_config.hpp"
#include "tests/link/scripted_node.hpp"
#include "tests/support/cutting_proxy.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>

#include <optional>

using namespace vicket;
using namespace vicket::testing;
using namespace std::chrono_literals;

namespace {

send_batch three_events() {
  send_batch batch;
  for (std::uint8_t i = 1; i <= 3; ++i) {
    send_to_connector event;
    event.connector = {"crm"};
    event.event = i == 2 ? "refuse" : "ticket.opened";
    event.data_json = "{}";
    event.id = event_id{{i}};
    batch.items.push_back(std::move(event));
  }
  return batch;
}

bool is_the_answer(const batch_result& got) {
  const auto accepted_is = [&](std::size_t at, std::uint8_t id) {
    const auto* yes = std::get_if<accepted>(&got.results[at]);
    return yes && yes->id == event_id{{id}};
  };
  return got.results.size() == 3 && accepted_is(0, 1) && accepted_is(2, 3) &&
         std::get_if<refusal>(&got.results[1]) != nullptr;
}

} // namespace

TEST_CASE("a link that is cut at any byte answers truly, or says unavailable; the next request is served",
          "[link]") {
  quiet_config config;
  caf::actor_system system{config};
  auto opened =
      actor_port::open(system, system.spawn(scripted_node),
                       {{std::get<place>(parse_place("127.0.0.1:0"))}, {}, {}, [](const std::string&) {}});
  const auto port = std::get<0>(std::move(opened));
  caf::scoped_actor self{system};
  std::size_t answered = 0;
  std::size_t cut = 0;
  constexpr std::size_t step = 7;          // from a place that differs between runs: seven of them meet all
  constexpr std::size_t all_bytes = 1'400; // an upgrade, its answer, a batch, its results, and some
  for (std::size_t after = Catch::getSeed() % step; after < all_bytes; after += step) {
    CAPTURE(after);
    cutting_proxy proxy{port->places().front().address.port, after};
    link_options options;
    options.nodes = {"127.0.0.1:" + std::to_string(proxy.port())};
    options.wait = 30s;
    const auto gateway = connect(system, options);
    std::optional<batch_result> got;
    std::optional<refusal> why;
    const auto ask = [&] {
      got.reset();
      why.reset();
      self->request(gateway, 30s, three_events())
          .receive([&](const batch_result& result) { got = result; },
                   [&](const caf::error& e) { why = refusal_of(e); });
    };
    ask();
    if (got) {
      CHECK(is_the_answer(*got));
      ++answered;
    } else {
      CHECK(why->code == errc::unavailable);
      CHECK(why->detail.find("the connection was lost") != std::string::npos);
      ++cut;
      ask(); // by the next connection, which is whole
      REQUIRE(got);
      CHECK(is_the_answer(*got));
    }
  }
  // Cut before the batch was sent it waits for the next connection; cut after its answer it is answered; else it is lost.
  CHECK(answered > 20);
  CHECK(cut > 10);
}
