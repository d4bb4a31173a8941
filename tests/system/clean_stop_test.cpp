// SIGTERM while events come in and go out.

#include "tests/system/endpoints.hpp"
#include "tests/system/node_client.hpp"
#include "tests/system/real_node.hpp"
#include "tests/system/real_time.hpp"

#include <catch2/catch_test_macros.hpp>

#include <optional>
#include <string>
#include <variant>
#include <vector>

using namespace vicket;
using namespace vicket::testing;

namespace {

constexpr std::int64_t answer_ms = 2'000; // once the node is gone nothing is answered
constexpr std::int64_t stop_limit_us = 11'000'000 + sanitizer_exit_us;

struct fed {
  std::vector<event_id> accepted_ids;
  std::size_t unavailable = 0;
  std::size_t other_refusals = 0;
  std::int64_t terminated_at_us = 0;
};

/// Feeds small batches for "crm" until the node says or shows that it is stopping; terminates it when so many
/// came out at the other end.
fed feed_until_stopped(real_node& node, const event_receiver& receiver, std::size_t terminate_after) {
  node_client client{node.port()};
  fed result;
  client.feed(
      4, answer_ms, [] { return std::optional{batch_for({"crm"}, 10)}; },
      [&](const batch_result& answer) {
        for (const auto& one : answer.results) {
          if (const auto* yes = std::get_if<accepted>(&one))
            result.accepted_ids.push_back(yes->id);
          else if (std::get<refusal>(one).code == errc::unavailable)
            ++result.unavailable;
          else
            ++result.other_refusals;
        }
        if (result.terminated_at_us == 0 && receiver.distinct() >= terminate_after) {
          result.terminated_at_us = steady_us();
          node.terminate();
        }
        return result.unavailable == 0;
      });
  REQUIRE(result.terminated_at_us != 0);
  return result;
}

} // namespace

TEST_CASE("clean stop: SIGTERM during traffic ends the node with exit 0 within 11 s, a restart delivers the "
          "rest, no "
          "event is lost and none comes twice") {
  const temporary_folder folder;
  const auto data = folder.path() + "/data";
  event_receiver receiver;
  receiver.answer_after(std::chrono::milliseconds{10}); // so that the signal finds deliveries in flight
  fed sent;
  {
    real_node node{data};
    {
      node_client client{node.port()};
      client.put(connector_to("crm", receiver.url()));
    }
    sent = feed_until_stopped(node, receiver, 500);
    CHECK(node.wait() == 0);
    CHECK(steady_us() - sent.terminated_at_us < stop_limit_us);
    INFO(node.log());
    CHECK(node.log().find("everything is on disk") != std::string::npos);
  }
  CHECK(sent.other_refusals == 0);
  const auto before = receiver.distinct();
  REQUIRE(before < sent.accepted_ids.size()); // there is a rest
  receiver.answer_after(std::chrono::milliseconds{0});
  real_node successor{data};
  node_client client{successor.port()};
  std::size_t arrived = 0;
  for (const auto& id : sent.accepted_ids)
    arrived += receiver.wait_for(id) ? 1 : 0;
  CHECK(arrived == sent.accepted_ids.size());
  CHECK(eventually([&] { return client.pending({"crm"}) == 0; }));
  CHECK(receiver.most_times() == 1);
  WARN(sent.accepted_ids.size() << " accepted, " << before
                                << " of them delivered before the stop, the rest after");
}

TEST_CASE("clean stop: an endpoint that hangs keeps the node from ending for 10 s at most, and its events "
          "are kept") {
  const temporary_folder folder;
  const auto data = folder.path() + "/data";
  event_receiver hanging;
  hanging.answer_with(event_receiver::nothing);
  std::vector<event_id> ids;
  {
    real_node node{data};
    node_client client{node.port()};
    client.put(connector_to("hangs", hanging.url())); // its time-out is the longest, 10 s
    for (const auto& result : client.send(batch_for({"hangs"}, 50)))
      ids.push_back(std::get<accepted>(result).id);
    REQUIRE(hanging.wait_for_requests(1));
    const auto begin_us = steady_us();
    node.terminate();
    CHECK(node.wait() == 0);
    CHECK(steady_us() - begin_us < stop_limit_us);
  }
  hanging.answer_with(200);
  real_node successor{data};
  node_client client{successor.port()};
  CHECK(eventually([&] { return client.pending({"hangs"}) == 0; }));
  CHECK(hanging.acknowledged() == ids.size());
}
