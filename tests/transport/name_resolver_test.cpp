#include "tests/support/dns_peer.hpp"
#include "tests/transport/transport_fixture.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <thread>
#include <vector>

using namespace vicket;
using namespace vicket::testing;
using Catch::Matchers::ContainsSubstring;
using kind = dns_answer::kind;

namespace {

std::unique_ptr<http_transport> transport_asking(const dns_peer& names) {
  auto options = trusting_options();
  options.dns_servers = {names.address()};
  return make_beast_transport(options);
}

} // namespace

TEST_CASE("the addresses of a name are asked of the given name server", "[transport]") {
  dns_peer names;
  names.set("hooks.example.test", {.v4 = {"127.0.0.1"}, .v6 = {}, .ttl_s = 60});
  const http_peer peer{always(answer(200)), trusted::instance().root.good()};
  const auto transport = transport_asking(names);
  const auto first = send(*transport, request_to(endpoint(true, peer.port(), "hooks.example.test")));
  INFO(first.error);
  CHECK(first.status == 200);
  CHECK(first.phases.dns_us);
  const auto second = send(*transport, request_to(endpoint(true, peer.port(), "hooks.example.test")));
  CHECK(second.status == 200);
  CHECK_FALSE(second.phases.dns_us); // pooled
  CHECK(names.asked("hooks.example.test") == 1);
}

TEST_CASE("an answer is kept for its time to live", "[transport]") {
  const http_peer peer{always(answer(200, "", "Connection: close\r\n"))};
  for (const std::uint32_t ttl_s : {0U, 60U}) {
    dns_peer names;
    names.set("hooks.example.test", {.v4 = {"127.0.0.1"}, .v6 = {}, .ttl_s = ttl_s});
    const auto transport = transport_asking(names);
    for (int i = 0; i < 3; ++i)
      CHECK(send(*transport, request_to(endpoint(false, peer.port(), "hooks.example.test"))).status == 200);
    CHECK(names.asked("hooks.example.test") == (ttl_s == 0 ? 3 : 1));
  }
}

TEST_CASE("a name is blocked where none of its addresses may be reached, and nothing is sent", "[transport]") {
  struct denied_name {
    dns_answer says;
    std::vector<const char*> addresses;
  };
  const http_peer peer{always(answer(200))};
  const std::vector<denied_name> names_of{
      {{.v4 = {"192.168.7.7", "10.1.2.3"}}, {"192.168.7.7", "10.1.2.3"}},
      {{.v4 = {"172.16.0.1"}, .v6 = {"fd00::1"}}, {"172.16.0.1", "fd00::1"}},
      {{.v6 = {"::ffff:192.168.0.1"}}, {"192.168.0.1"}},
      {{.v6 = {"64:ff9b::a00:1"}}, {"10.0.0.1 behind NAT64"}},
      {{.v4 = {"169.254.169.254"}}, {"169.254.169.254"}},
      {{.v4 = {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"}},
       {"10.0.0.1", "10.0.0.4", "and 2 more"}},
  };
  dns_peer names;
  const auto transport = transport_asking(names);
  for (const auto& denied : names_of) {
    names.set("inside.example.test", denied.says);
    const auto result = send(*transport, request_to(endpoint(false, peer.port(), "inside.example.test")));
    INFO(result.error);
    CHECK(class_of(result) == "blocked");
    CHECK_THAT(result.error, ContainsSubstring("inside.example.test"));
    for (const auto* address : denied.addresses)
      CHECK_THAT(result.error, ContainsSubstring(address));
    CHECK_THAT(result.error, ContainsSubstring("--allow-cidr"));
  }
  CHECK(peer.connections() == 0);
}

TEST_CASE("denied addresses of a name are left out, and the others are dialled", "[transport]") {
  const http_peer peer{always(answer(200))};
  const std::vector<dns_answer> says_of{
      {.v4 = {"127.0.0.1", "10.1.2.3"}},
      {.v4 = {"10.1.2.3", "127.0.0.1"}},
      {.v4 = {"127.0.0.1"}, .v6 = {"fd00::1"}},
      {.v4 = {"127.0.0.1", "0.0.0.0"}, .v6 = {"::1", "::"}},
      {.v4 = {"127.0.0.1"}, .v6 = {"64:ff9b::a9fe:a9fe"}},
      {.v4 = {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.7", "10.0.0.8",
              "10.0.0.9", "127.0.0.1"}},
  };
  dns_peer names;
  const auto transport = transport_asking(names);
  unsigned sent = 0;
  for (const auto& says : says_of) {
    const auto name = "mixed" + std::to_string(sent) + ".example.test";
    names.set(name, says);
    const auto result = send(*transport, request_to(endpoint(false, peer.port(), name)));
    INFO(result.error);
    CHECK(result.status == 200);
    CHECK(peer.connections() == ++sent);
  }
  names.set("refused.example.test", {.v4 = {"10.1.2.3", "127.0.0.9"}});
  const auto result = send(*transport, request_to(endpoint(false, peer.port(), "refused.example.test")));
  CHECK(class_of(result) == "connect");
  CHECK_THAT(result.error, ContainsSubstring("127.0.0.9") && ContainsSubstring("left out: 10.1.2.3 is a private"));
}

TEST_CASE("a numeric host that is denied is blocked", "[transport]") {
  const auto transport = make_beast_transport(test_options());
  for (const auto* host : {"10.0.0.1", "::1", "169.254.169.254"}) {
    const auto result = send(*transport, request_to(endpoint(true, 443, host)));
    CHECK(class_of(result) == "blocked");
    CHECK_THAT(result.error, ContainsSubstring(host));
  }
}

TEST_CASE("a name that changes to a denied address between two lookups is blocked at the second",
          "[transport]") {
  dns_peer names;
  names.set("rebinding.example.test", {.v4 = {"127.0.0.1"}, .v6 = {}});
  const http_peer peer{always(answer(200, "", "Connection: close\r\n"))};
  const auto transport = transport_asking(names);
  const auto to = endpoint(false, peer.port(), "rebinding.example.test");
  CHECK(send(*transport, request_to(to)).status == 200);
  names.set("rebinding.example.test", {.v4 = {"192.168.1.1"}, .v6 = {}});
  CHECK(class_of(send(*transport, request_to(to))) == "blocked");
  CHECK(peer.connections() == 1);
}

TEST_CASE("a name that does not resolve is of class dns, and the sentence says how", "[transport]") {
  dns_peer names;
  names.set("empty.example.test", {});
  names.set("broken.example.test", {.what = kind::server_failure, .v4 = {}, .v6 = {}});
  names.set("refused.example.test", {.what = kind::refused, .v4 = {}, .v6 = {}});
  const auto transport = transport_asking(names);
  const std::vector<std::pair<std::string, std::string>> expected{
      {"missing.example.test", "the name missing.example.test does not exist (NXDOMAIN)"},
      {"empty.example.test", "the name empty.example.test has no address (neither A nor AAAA)"},
      {"broken.example.test", "SERVFAIL"},
      {"refused.example.test", "REFUSED"},
  };
  for (const auto& [name, sentence] : expected) {
    const auto result = send(*transport, request_to(endpoint(true, 443, name)));
    CHECK(class_of(result) == "dns");
    CHECK_THAT(result.error, ContainsSubstring(sentence));
    CHECK(result.phases.dns_us);
  }
}

TEST_CASE("a name server that is silent about one name delays no other", "[transport]") {
  dns_peer names;
  names.set("silent.example.test", {.what = kind::silence, .v4 = {}, .v6 = {}});
  names.set("hooks.example.test", {.v4 = {"127.0.0.1"}, .v6 = {}});
  const http_peer peer{always(answer(200))};
  const auto transport = transport_asking(names);
  auto hung = begin(*transport, request_to(endpoint(false, peer.port(), "silent.example.test"), short_ms));
  auto hung_too =
      begin(*transport, request_to(endpoint(false, peer.port(), "silent.example.test"), 2 * short_ms));
  CHECK(send(*transport, request_to(endpoint(false, peer.port(), "hooks.example.test"))).status == 200);
  for (auto* one : {&hung, &hung_too}) {
    const auto result = one->get();
    CHECK(class_of(result) == "timeout");
    CHECK_THAT(result.error, ContainsSubstring("waiting for the name silent.example.test to resolve"));
  }
  CHECK(names.asked("silent.example.test") <= 3); // both waited for one query, which was sent again
}

TEST_CASE("a lookup that is under way does not hold up the transport's end", "[transport]") {
  dns_peer names;
  names.set("silent.example.test", {.what = kind::silence, .v4 = {}, .v6 = {}});
  std::future<http_result> hung;
  {
    const auto transport = transport_asking(names);
    hung = begin(*transport, request_to(endpoint(true, 443, "silent.example.test")));
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (names.asked("silent.example.test") == 0 && std::chrono::steady_clock::now() < end)
      std::this_thread::yield();
    REQUIRE(names.asked("silent.example.test") == 1);
  }
  CHECK(hung.get().error == "the node is stopping");
}

TEST_CASE("an address that does not connect is followed by the next one", "[transport]") {
  dns_peer names;
  names.set("two.example.test",
            {.v4 = {"127.0.0.2", "127.0.0.1"}, .v6 = {}}); // the peer listens on the second only
  const http_peer peer{always(answer(200))};
  const auto transport = transport_asking(names);
  const auto result = send(*transport, request_to(endpoint(false, peer.port(), "two.example.test")));
  INFO(result.error);
  CHECK(result.status == 200);
}

TEST_CASE("localhost is found without a name server", "[transport]") {
  dns_peer names;
  const http_peer peer{always(answer(200))};
  auto options = test_options();
  options.guard = address_guard{{*ip_range::parse("127.0.0.0/8"), *ip_range::parse("::1/128")}};
  options.dns_servers = {names.address()};
  const auto transport = make_beast_transport(options);
  CHECK(send(*transport, request_to(endpoint(false, peer.port(), "localhost"))).status == 200);
  CHECK(names.asked("localhost") == 0);
}

TEST_CASE("a DNS server that can't be one is refused in one clear line", "[transport]") {
  auto options = test_options();
  options.dns_servers = {"not an address"};
  CHECK_THROWS(make_beast_transport(options));
}
