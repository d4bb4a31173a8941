// Every way in which an endpoint misbehaves, through a whole node.

#include "tests/system/endpoints.hpp"
#include "tests/system/node_client.hpp"
#include "tests/system/real_node.hpp"
#include "tests/system/real_time.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <variant>
#include <vector>

using namespace vicket;
using namespace vicket::testing;

namespace {

using script = http_peer::script;

constexpr std::uint32_t timeout_ms = 1'000;
constexpr std::int64_t slack_us = 4'000'000; // of a busy machine
constexpr std::int64_t retry_after_s = 40;
constexpr std::size_t events_each = 8;
constexpr std::size_t rounds = 3;
constexpr std::size_t healthy_events = 300;     // in each round
constexpr std::uint64_t flat_bytes = 24u << 20; // how much the node may grow after the first round

struct misbehaviour {
  std::string name;
  script does;
  outcome expected;
  std::optional<std::uint16_t> status = {};
  std::optional<certificate> own = {}; ///< absent: plain HTTP
};

script after_request(std::string bytes) {
  return [bytes = std::move(bytes)](http_peer::connection& c) {
    if (c.read_request())
      c.send(bytes);
  };
}

script hang_after(std::string bytes) {
  return [bytes = std::move(bytes)](http_peer::connection& c) {
    if (c.read_request() && c.send(bytes))
      c.hang();
  };
}

script endless(std::string head, std::string piece) {
  return [head = std::move(head), piece = std::move(piece)](http_peer::connection& c) {
    if (!c.read_request() || !c.send(head))
      return;
    while (c.send(piece)) {
    }
  };
}

/// A byte now and then, so that no time-out between two bytes ever ends it.
script drip(std::string head) {
  return [head = std::move(head)](http_peer::connection& c) {
    if (!c.read_request() || !c.send(head))
      return;
    while (c.send("d"))
      std::this_thread::sleep_for(std::chrono::milliseconds{50}); // the endpoint is slow, not the test
  };
}

std::vector<misbehaviour> misbehaviours(const certificate_authority& root) {
  const std::string head = "HTTP/1.1 200 OK\r\n";
  const std::string retry_after = "Retry-After: " + std::to_string(retry_after_s) + "\r\n";
  return {
      {"answers-500", always(answer(500, "broken")), outcome::http_status, 500},
      {"answers-429", always(answer(429, "slower")), outcome::http_status, 429},
      {"asks-for-time", always(answer(502, "slower", retry_after)), outcome::http_status, 502},
      {"answers-301", always(answer(301, "", "Location: /elsewhere\r\n")), outcome::http_status, 301},
      {"answers-410", always(answer(410, "gone")), outcome::http_status, 410},
      {"answers-204", always("HTTP/1.1 204 No Content\r\n\r\n"), outcome::delivered, 204},
      {"hangs-after-request", hang_after(""), outcome::timeout},
      // The status line is there, and says 200.
      {"drips-headers", drip(head + "X-Drip: "), outcome::delivered, 200},
      {"drips-headers-of-500", drip("HTTP/1.1 500 No\r\nX-Drip: "), outcome::http_status, 500},
      {"drips-nothing-whole", hang_after("HTTP/1.1 "), outcome::timeout},
      {"closes-early", after_request(""), outcome::protocol},
      {"garbage", after_request("\x16\x03 no HTTP at all\r\n\r\n"), outcome::protocol},
      // The head is complete and says 200, what follows is not wanted.
      {"hangs-after-headers", hang_after(head + "Content-Length: 5\r\n\r\n"), outcome::delivered, 200},
      {"drips-body", drip(head + "Content-Length: 100000\r\n\r\n"), outcome::delivered, 200},
      {"length-lie", after_request(head + "Content-Length: 100\r\n\r\nshort"), outcome::delivered, 200},
      {"length-lie-of-500", after_request("HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\nshort"),
       outcome::http_status, 500},
      {"lines-end-with-lf", always("HTTP/1.1 200 OK\nContent-Length: 2\n\nok"), outcome::delivered, 200},
      {"endless-body", endless(head + "Content-Length: 99999999999\r\n\r\n", std::string(65'536, 'b')),
       outcome::delivered, 200},
      {"endless-headers", endless(head, "X-More: " + std::string(1'000, 'x') + "\r\n"), outcome::protocol},
      {"endless-1xx", endless("", "HTTP/1.1 102 Processing\r\n\r\n"), outcome::protocol},
      {"expired", always(answer(200)), outcome::tls, {}, root.expired()},
      {"self-signed", always(answer(200)), outcome::tls, {}, self_signed_certificate()},
      {"wrong-name", always(answer(200)), outcome::tls, {}, root.wrong_name()},
  };
}

std::unique_ptr<http_peer> peer_for(const misbehaviour& one) {
  return one.own ? std::make_unique<http_peer>(one.does, *one.own) : std::make_unique<http_peer>(one.does);
}

connector bad_connector(const std::string& id, const std::string& url) {
  auto value = connector_to(id, url);
  value.timeout_ms = timeout_ms;
  value.retry.base_ms = 3'600'000; // one attempt is what is looked at
  return value;
}

void check_attempt(const misbehaviour& expected, const outcome_entry& entry) {
  const auto& attempt = entry.value;
  INFO(expected.name << ": " << to_string(attempt.result) << ", " << attempt.error);
  CHECK(attempt.number == 1);
  CHECK(to_string(attempt.result) == to_string(expected.expected));
  if (expected.status)
    CHECK(attempt.status == expected.status);
  CHECK(attempt.duration_us <= timeout_ms * 1'000 + slack_us);
  if (expected.expected == outcome::timeout)
    CHECK(attempt.duration_us >= timeout_ms * 1'000);
  if (expected.expected == outcome::delivered) {
    CHECK(entry.summary.state == event_state::delivered);
    CHECK(attempt.error.empty());
    return;
  }
  CHECK(entry.summary.state == event_state::pending);
  CHECK(attempt.error.find(' ') != std::string::npos); // a sentence
  REQUIRE(attempt.next_attempt_at);
  if (expected.status == 502)
    CHECK(*attempt.next_attempt_at - attempt.started_at >= retry_after_s * 1'000);
}

} // namespace

TEST_CASE("misbehaving endpoints: each has its outcome class, within its deadline, the node's memory stays "
          "flat, and "
          "the healthy neighbour's events are all delivered meanwhile") {
  const certificate_authority root;
  const temporary_file trusted{root.pem()};
  const temporary_folder folder;
  const silent_port before_tls;
  auto expectations = misbehaviours(root);
  std::vector<std::unique_ptr<http_peer>> peers;
  event_receiver healthy{root.good()};
  real_node node{folder.path() + "/data", {"--ca-file", trusted.path()}};
  node_client client{node.port()};
  client.put(connector_to("healthy", healthy.url()));
  std::map<std::string, const misbehaviour*> by_name;
  for (const auto& one : expectations) {
    peers.push_back(peer_for(one));
    const auto scheme = one.own ? "https" : "http";
    client.put(bad_connector(one.name, std::string{scheme} +
                                           "://127.0.0.1:" + std::to_string(peers.back()->port()) + "/hook"));
    by_name[one.name] = &one;
  }
  const misbehaviour silence{"hangs-before-tls", {}, outcome::timeout};
  client.put(bad_connector(silence.name, before_tls.url("https")));
  by_name[silence.name] = &silence;

  std::uint64_t after_first_round = 0;
  for (std::size_t round = 1; round <= rounds; ++round) {
    for (const auto& [name, expected] : by_name)
      for (const auto& result : client.send(batch_for({name}, events_each)))
        REQUIRE(std::holds_alternative<accepted>(result));
    for (const auto& result : client.send(batch_for({"healthy"}, healthy_events)))
      REQUIRE(std::holds_alternative<accepted>(result));
    CHECK(healthy.wait_for_distinct(round * healthy_events));

    auto missing = by_name.size() * events_each + healthy_events;
    const auto complete = client.follow_outcomes([&](const outcome_entry& entry) {
      const auto found = by_name.find(entry.summary.connector.value);
      if (found != by_name.end())
        check_attempt(*found->second, entry);
      else
        CHECK(entry.summary.state == event_state::delivered);
      return --missing == 0;
    });
    REQUIRE(complete);
    if (round == 1)
      after_first_round = node.memory_bytes("VmRSS");
  }
  CHECK(healthy.most_times() == 1);
  const auto at_most = node.memory_bytes("VmHWM");
  WARN("memory after the first round " << (after_first_round >> 20) << " MiB, at most " << (at_most >> 20)
                                       << " MiB");
  if (memory_is_ours)
    CHECK(at_most < after_first_round + flat_bytes);
}
