#include "tests/support/dns_peer.hpp"
#include "tests/support/swallowing_port.hpp"
#include "tests/transport/transport_fixture.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace vicket;
using namespace vicket::testing;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr auto name = "many.example.test";

std::string loopback(unsigned last) {
  return "127.0.0." + std::to_string(last);
}

std::vector<std::string> loopbacks(unsigned from, unsigned to) {
  std::vector<std::string> result;
  for (auto i = from; i <= to; ++i)
    result.push_back(loopback(i));
  return result;
}

std::unique_ptr<http_transport> transport_asking(const dns_peer& names) {
  auto options = trusting_options();
  options.dns_servers = {names.address()};
  return make_asio_transport(options);
}

certificate own_certificate() {
  return trusted::instance().root.good();
}

http_peer::script one_answer() {
  return [](http_peer::connection& c) {
    if (c.read_request())
      c.send(answer(200, "", "Connection: close\r\n"));
  };
}

struct timed_result {
  http_result result;
  std::chrono::milliseconds took;
};

timed_result timed_send(http_transport& transport, bool tls, std::uint16_t port,
                        std::int64_t timeout_ms = ample_ms) {
  const auto begin = std::chrono::steady_clock::now();
  auto result = send(transport, request_to(endpoint(tls, port, name), timeout_ms));
  return {std::move(result),
          std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin)};
}

/// What stands at the first address of a name; the second is a good one.
struct bad_neighbour {
  const char* what;
  std::function<std::unique_ptr<http_peer>(const http_peer::place&)> make; ///< null: nobody
  const char* sentence;                                                    ///< where there is no good one
};

std::function<std::unique_ptr<http_peer>(const http_peer::place&)> plain(http_peer::script does) {
  return [does](const http_peer::place& at) { return std::make_unique<http_peer>(does, at); };
}

std::function<std::unique_ptr<http_peer>(const http_peer::place&)> with(certificate own) {
  return [own](const http_peer::place& at) { return std::make_unique<http_peer>(one_answer(), own, at); };
}

const std::vector<bad_neighbour>& bad_neighbours() {
  const auto& root = trusted::instance().root;
  static const std::vector<bad_neighbour> table{
      {"nobody", nullptr, "Connection refused"},
      {"hangs before TLS", plain([](auto& c) { c.hang(); }), nullptr},
      {"closes at once", plain([](auto&) {}), "the TLS handshake"},
      {"resets",
       [own = root.good()](const http_peer::place& at) {
         auto peer = std::make_unique<http_peer>(one_answer(), own, at);
         peer->on_client_hello([](auto& c, bool) { c.reset(); });
         return peer;
       },
       "broke off the TLS handshake"},
      {"plain HTTP", plain([](auto& c) { c.send("HTTP/1.1 400 Bad Request\r\n\r\n"), c.hang(); }),
       "is it a plain HTTP port?"},
      {"an alert", plain([](auto& c) {
         c.send(std::string{"\x15\x03\x03\x00\x02\x02\x28", 7}), c.hang();
       }),
       " "},
      {"half a ServerHello", plain([](auto& c) {
         c.send(std::string{"\x16\x03\x03\x00\x7a\x02", 6}), c.hang();
       }),
       nullptr},
      {"an expired certificate", with(root.expired()), "expired on"},
      {"a certificate for other names", with(root.wrong_name()), "other.example.test"},
      {"a certificate of its own", with(self_signed_certificate()), "self-signed"},
      {"a certificate of an unknown issuer", with(certificate_authority{"Some other root"}.good()),
       "unknown issuer"},
      {"TLS 1.1",
       [own = root.good()](const http_peer::place& at) {
         auto peer = std::make_unique<http_peer>(one_answer(), own, at);
         peer->limit_tls_version(TLS1_1_VERSION);
         return peer;
       },
       "TLS 1.2"},
  };
  return table;
}

} // namespace

TEST_CASE("the first address whose TLS handshake ends well gets the request", "[transport]") {
  const http_peer good{one_answer(), own_certificate(), {.address = loopback(3)}};
  for (const auto& bad : bad_neighbours()) {
    DYNAMIC_SECTION("at the first address: " << bad.what) {
      const auto first = bad.make ? bad.make({loopback(2), good.port()}) : nullptr;
      dns_peer names;
      names.set(name, {.v4 = {loopback(2), loopback(3)}});
      const auto transport = transport_asking(names);
      for (int i = 0; i < 3; ++i) {
        const auto [result, took] = timed_send(*transport, true, good.port());
        INFO(result.error);
        CHECK(result.status == 200);
        CHECK(took < 3s); // 250 ms; the machine may be busy
        CHECK(result.phases.dns_us);
        CHECK(result.phases.connect_us);
        CHECK(result.phases.tls_us);
        CHECK(result.phases.first_byte_us);
      }
      CHECK(good.requests().size() == 3);
      if (first) {
        CHECK(first->requests().empty());
        CHECK(first->connections() == 1); // what worked goes first from then on
      }
    }
  }
}

TEST_CASE("where no address is good the sentence names all that was tried", "[transport]") {
  for (const auto& bad : bad_neighbours()) {
    if (!bad.sentence)
      continue;
    DYNAMIC_SECTION("at both addresses: " << bad.what) {
      const http_peer reserved{one_answer(), {.address = loopback(9)}}; // its port is free at the others
      const auto first = bad.make ? bad.make({loopback(2), reserved.port()}) : nullptr;
      const auto second = bad.make ? bad.make({loopback(3), reserved.port()}) : nullptr;
      dns_peer names;
      names.set(name, {.v4 = {loopback(2), loopback(3)}});
      const auto transport = transport_asking(names);
      const auto result = timed_send(*transport, true, reserved.port()).result;
      CHECK(class_of(result) == (bad.make ? "tls" : "connect"));
      CHECK_THAT(result.error, ContainsSubstring(name) && ContainsSubstring(loopback(2) + ":") &&
                                   ContainsSubstring(loopback(3) + ":") && ContainsSubstring(bad.sentence));
    }
  }
}

TEST_CASE("addresses that swallow SYNs cost 250 ms each, and once", "[transport]") {
  for (const bool tls : {true, false}) {
    DYNAMIC_SECTION("six before a good one, " << (tls ? "TLS" : "plain")) {
      const auto good =
          tls ? std::make_unique<http_peer>(one_answer(), own_certificate(),
                                            http_peer::place{.address = loopback(8)})
              : std::make_unique<http_peer>(one_answer(), http_peer::place{.address = loopback(8)});
      std::vector<std::unique_ptr<swallowing_port>> silent;
      for (unsigned i = 2; i <= 7; ++i)
        silent.push_back(std::make_unique<swallowing_port>(loopback(i), good->port()));
      dns_peer names;
      names.set(name, {.v4 = loopbacks(2, 8)});
      const auto transport = transport_asking(names);
      const auto first = timed_send(*transport, tls, good->port());
      INFO(first.result.error);
      CHECK(first.result.status == 200);
      CHECK(first.took >= 1'500ms);
      CHECK(first.took < 6s);
      for (int i = 0; i < 10; ++i) {
        const auto again = timed_send(*transport, tls, good->port());
        CHECK(again.result.status == 200);
        CHECK(again.took < 1'000ms);
      }
    }
  }
}

TEST_CASE("of many addresses eight are dialled, and others the next time", "[transport]") {
  const http_peer good{one_answer(), {.address = loopback(18)}};
  dns_peer names;
  names.set(name, {.v4 = loopbacks(2, 18)});
  const auto transport = transport_asking(names);
  const auto first = timed_send(*transport, false, good.port()).result;
  CHECK(class_of(first) == "connect");
  for (unsigned i = 2; i <= 9; ++i)
    CHECK_THAT(first.error, ContainsSubstring(loopback(i) + ":"));
  CHECK_THAT(first.error, !ContainsSubstring(loopback(10) + ":"));
  CHECK(class_of(timed_send(*transport, false, good.port()).result) == "connect");
  CHECK(timed_send(*transport, false, good.port()).result.status == 200);
  CHECK(timed_send(*transport, false, good.port()).result.status == 200);
  CHECK(good.connections() == 2);
}

TEST_CASE("when the deadline ends a race, the sentence names who was in it", "[transport]") {
  const http_peer hanging{[](http_peer::connection& c) { c.hang(); }, {.address = loopback(3)}};
  const swallowing_port silent{loopback(2), hanging.port()};
  dns_peer names;
  names.set(name, {.v4 = {loopback(4), loopback(2), loopback(3)}});
  const auto transport = transport_asking(names);
  const auto result = timed_send(*transport, true, hanging.port(), 2'000).result;
  CHECK(class_of(result) == "timeout");
  CHECK_THAT(result.error, ContainsSubstring("waiting for the TLS handshake (connected to 127.0.0.3") &&
                               ContainsSubstring("connecting to 127.0.0.2") &&
                               ContainsSubstring("(before it 127.0.0.4"));
}

TEST_CASE("one address is dialled once, however long it takes", "[transport]") {
  const http_peer hanging{[](http_peer::connection& c) { c.hang(); }};
  const auto transport = make_asio_transport(trusting_options());
  CHECK(class_of(send(*transport, request_to(endpoint(true, hanging.port()), 1'000))) == "timeout");
  CHECK(hanging.connections() == 1);
}
