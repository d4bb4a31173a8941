// A link to a real node that is cut after any number of bytes, in both directions together: what the engine does about it, which
// is to send again what it has no answer for, loses nothing and delivers nothing twice.

#include "tests/support/cutting_proxy.hpp"
#include "tests/system/endpoints.hpp"
#include "tests/system/node_client.hpp"
#include "tests/system/real_node.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <variant>

using namespace vicket;
using namespace vicket::testing;

TEST_CASE("events of batches whose link was cut are delivered once each, when they are sent again") {
  constexpr std::size_t step = 13;         // prime, so that runs of other lengths are met at all places
  constexpr std::size_t all_bytes = 1'800; // an upgrade, its answer, a batch, its results, and some
  constexpr std::uint8_t in_a_batch = 3;
  const event_receiver receiver;
  const temporary_folder folder;
  real_node node{folder.path() + "/data"};
  node_client{node.port()}.put(connector_to("crm", receiver.url()));
  std::size_t sent = 0;
  std::size_t cut = 0;
  std::size_t known = 0; // of those whose answer was lost
  for (std::size_t after = 0; after < all_bytes; after += step) {
    CAPTURE(after);
    cutting_proxy proxy{node.port(), after};
    node_client client{proxy.port()};
    auto batch = batch_for({"crm"}, in_a_batch, 20);
    for (auto& each : batch.items)
      each.id = event_id{{static_cast<std::uint8_t>(++sent >> 8), static_cast<std::uint8_t>(sent)}};
    auto results = client.try_send(batch);
    if (!results) {
      ++cut;
      results = client.try_send(batch); // by the next connection, which is whole
      REQUIRE(results.has_value());
    }
    REQUIRE(results->size() == in_a_batch);
    for (std::size_t i = 0; i < in_a_batch; ++i) {
      const auto* yes = std::get_if<accepted>(&(*results)[i]);
      REQUIRE(yes != nullptr);
      CHECK(yes->id == batch.items[i].id);
      known += yes->duplicate ? 1 : 0;
    }
  }
  CHECK(cut > 10);
  CHECK(known >= in_a_batch);      // some were cut after the node had them
  CHECK(known < cut * in_a_batch); // and some before
  CHECK(receiver.wait_for_distinct(sent));
  node.terminate();
  CHECK(node.wait() == 0);
  CHECK(receiver.requests() == sent);
}
