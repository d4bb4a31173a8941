#include "tests/transport/transport_fixture.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

using namespace vicket;
using namespace vicket::testing;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

http_peer::script one_answer() {
  return [](http_peer::connection& c) {
    if (c.read_request())
      c.send(answer(200, "", "Connection: close\r\n"));
  };
}

std::string alert(char description) {
  return std::string{"\x15\x03\x03\x00\x02\x02", 6} + description;
}

using misbehaviour = std::function<void(http_peer::connection&)>;

misbehaviour says(std::string bytes) {
  return [bytes](http_peer::connection& c) {
    c.send(bytes);
    c.hang();
    c.cut();
  };
}

/// How a server may answer the offer of a session that it does not like.
const std::vector<std::pair<const char*, misbehaviour>>& refusals() {
  static const std::vector<std::pair<const char*, misbehaviour>> table{
      {"handshake_failure", says(alert(40))},
      {"illegal_parameter", says(alert(47))},
      {"decrypt_error", says(alert(51))},
      {"internal_error", says(alert(80))},
      {"unexpected_message", says(alert(10))},
      {"close_notify", says(std::string{"\x15\x03\x03\x00\x02\x01\x00", 7})},
      {"something that is not TLS", says("HTTP/1.1 400 Bad Request\r\n\r\n")},
      {"a reset", [](http_peer::connection& c) { c.reset(); }},
      {"the end", [](http_peer::connection& c) { c.cut(); }},
      {"silence", [](http_peer::connection& c) { c.hang(), c.cut(); }},
      {"half a record", says(std::string{"\x16\x03\x03\x00\x7a\x02", 6})},
  };
  return table;
}

} // namespace

TEST_CASE(
    "a session that was offered in a handshake that failed is forgotten, and the dial repeated without it",
    "[transport]") {
  for (const auto version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const auto& [what, does] : refusals()) {
      DYNAMIC_SECTION((version == TLS1_3_VERSION ? "TLS 1.3: " : "TLS 1.2: ") << what) {
        std::atomic<unsigned> offered{0};
        http_peer peer{one_answer(), trusted::instance().root.good()};
        peer.limit_tls_version(version);
        peer.on_client_hello([&, does = does](http_peer::connection& c, bool offers_session) {
          if (!offers_session)
            return;
          ++offered;
          does(c);
        });
        const auto transport = make_asio_transport(trusting_options());
        constexpr unsigned requests = 4;
        for (unsigned i = 0; i < requests; ++i) {
          const auto begin = std::chrono::steady_clock::now();
          const auto result = send(*transport, request_to(endpoint(true, peer.port())));
          INFO(result.error);
          CHECK(result.status == 200);
          CHECK(std::chrono::steady_clock::now() - begin < 4s);
        }
        CHECK(peer.requests().size() == requests);
        CHECK(offered == requests - 1);
        CHECK(peer.connections() == requests + offered);
      }
    }
  }
}

TEST_CASE("a short attempt has time to repeat a handshake that was silent", "[transport]") {
  std::atomic<unsigned> offered{0};
  http_peer peer{one_answer(), trusted::instance().root.good()};
  peer.on_client_hello([&](http_peer::connection& c, bool offers_session) {
    if (offers_session && ++offered > 0)
      c.hang(), c.cut();
  });
  const auto transport = make_asio_transport(trusting_options());
  for (int i = 0; i < 3; ++i)
    CHECK(send(*transport, request_to(endpoint(true, peer.port()), 2'000)).status == 200);
}

TEST_CASE("a session is forgotten that an attempt's deadline found in a silent handshake", "[transport]") {
  std::atomic<bool> silent{false};
  std::atomic<unsigned> offered{0};
  http_peer peer{one_answer(), trusted::instance().root.good()};
  peer.on_client_hello([&](http_peer::connection& c, bool offers_session) {
    offered += offers_session;
    if (silent)
      c.hang(), c.cut();
  });
  const auto transport = make_asio_transport(trusting_options());
  REQUIRE(send(*transport, request_to(endpoint(true, peer.port()))).status == 200);
  silent = true;
  CHECK(class_of(send(*transport, request_to(endpoint(true, peer.port()), 150))) == "timeout");
  CHECK(offered == 1);
  silent = false;
  CHECK(send(*transport, request_to(endpoint(true, peer.port()))).status == 200);
  CHECK(offered == 1);
}

TEST_CASE("a session over which a server breaks off before it answers is not offered again", "[transport]") {
  std::atomic<bool> breaks_off{false};
  std::atomic<unsigned> resumed{0};
  http_peer peer{[&](http_peer::connection& c) {
                   resumed += c.resumed();
                   if (breaks_off && c.resumed())
                     return c.reset();
                   one_answer()(c);
                 },
                 trusted::instance().root.good()};
  const auto transport = make_asio_transport(trusting_options());
  REQUIRE(send(*transport, request_to(endpoint(true, peer.port()))).status == 200);
  breaks_off = true;
  CHECK(send(*transport, request_to(endpoint(true, peer.port()))).status != 200);
  CHECK(resumed == 1);
  CHECK(send(*transport, request_to(endpoint(true, peer.port()))).status == 200);
  CHECK(resumed == 1);
}

TEST_CASE("a handshake that fails for another reason than a session is not repeated", "[transport]") {
  SECTION("none was offered") {
    for (const auto& [what, does] : refusals()) {
      INFO(what);
      http_peer peer{one_answer(), trusted::instance().root.good()};
      peer.on_client_hello([does = does](http_peer::connection& c, bool) { does(c); });
      const auto transport = make_asio_transport(trusting_options());
      CHECK(send(*transport, request_to(endpoint(true, peer.port()), 1'500)).status != 200);
      CHECK(peer.connections() == 1);
    }
  }
  SECTION("the full handshake fails, too: the sentence is its") {
    std::atomic<bool> refuses{false};
    http_peer peer{one_answer(), trusted::instance().root.good()};
    peer.on_client_hello([&](http_peer::connection& c, bool) {
      if (refuses)
        c.reset();
    });
    const auto transport = make_asio_transport(trusting_options());
    REQUIRE(send(*transport, request_to(endpoint(true, peer.port()))).status == 200);
    refuses = true;
    const auto result = send(*transport, request_to(endpoint(true, peer.port())));
    CHECK(class_of(result) == "tls");
    CHECK(result.error == "127.0.0.1:" + std::to_string(peer.port()) +
                              " broke off the TLS handshake (Connection reset by peer)");
    CHECK(peer.connections() == 3);
    CHECK(class_of(send(*transport, request_to(endpoint(true, peer.port())))) == "tls");
    CHECK(peer.connections() == 4);
  }
}
