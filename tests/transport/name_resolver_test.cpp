#include "tests/support/dns_peer.hpp"
#include "tests/transport/transport_fixture.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>
#include <vector>

using namespace vicket;
using namespace vicket::testing;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using kind = dns_answer::kind;

namespace {

transport_options options_asking(const dns_peer& names) {
  auto options = trusting_options();
  options.dns_servers = {names.address()};
  return options;
}

std::unique_ptr<http_transport> transport_asking(const dns_peer& names) {
  return make_asio_transport(options_asking(names));
}

/// From now on; the machine may be busy, so what takes milliseconds has a second.
struct stopwatch {
  using duration = std::chrono::steady_clock::duration;
  std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
  [[nodiscard]] duration took() const { return std::chrono::steady_clock::now() - began; }
};

/// An address of the peer on 127.0.0.1 that is an AAAA record.
constexpr auto mapped_loopback = "::ffff:127.0.0.1";

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

TEST_CASE("a name is blocked where none of its addresses may be reached, and nothing is sent",
          "[transport]") {
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
  std::mutex mutex;
  std::vector<std::string> lines;
  auto options = options_asking(names);
  options.log_warning = [&](const std::string& line) {
    const std::lock_guard guard{mutex};
    lines.push_back(line);
  };
  const auto transport = make_asio_transport(options);
  for (const auto& denied : names_of) {
    names.set("inside.example.test", denied.says);
    const auto result = send(*transport, request_to(endpoint(false, peer.port(), "inside.example.test")));
    INFO(result.error);
    CHECK(class_of(result) == "blocked");
    CHECK_THAT(result.error, ContainsSubstring("inside.example.test"));
    CHECK_THAT(result.error, ContainsSubstring("--allow-cidr"));
    const std::lock_guard guard{mutex};
    REQUIRE(!lines.empty()); // which says where; the attempt is read by those who chose the name
    CHECK_THAT(lines.back(), ContainsSubstring("inside.example.test"));
    for (const auto* address : denied.addresses) {
      CHECK_THAT(lines.back(), ContainsSubstring(address));
      CHECK_THAT(result.error, !ContainsSubstring(address));
    }
  }
  CHECK(lines.size() == names_of.size());
  CHECK(peer.connections() == 0);
}

TEST_CASE("the log is told once of a name, in whatever order its addresses come, and both families together",
          "[transport]") {
  const http_peer peer{always(answer(200))};
  dns_peer names;
  std::mutex mutex;
  std::vector<std::string> lines;
  auto options = options_asking(names);
  options.log_warning = [&](const std::string& line) {
    const std::lock_guard guard{mutex};
    lines.push_back(line);
  };
  const auto transport = make_asio_transport(options);
  for (int i = 0; i < 6; ++i) {
    names.set("inside.example.test", {.v4 = i % 2 == 0 ? std::vector<std::string>{"10.0.0.1", "10.0.0.2"}
                                                       : std::vector<std::string>{"10.0.0.2", "10.0.0.1"},
                                      .v6 = {"fd00::1"},
                                      .ttl_s = 0});
    CHECK(class_of(send(*transport, request_to(endpoint(false, peer.port(), "inside.example.test")))) ==
          "blocked");
  }
  CHECK(lines.size() == 1);
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
  CHECK_THAT(result.error,
             ContainsSubstring("127.0.0.9") &&
                 ContainsSubstring("of its addresses, one that may not be reached was left out") &&
                 !ContainsSubstring("10.1.2.3"));
}

TEST_CASE("a numeric host that is denied is blocked", "[transport]") {
  const auto transport = make_asio_transport(test_options());
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
  const auto transport = make_asio_transport(options);
  CHECK(send(*transport, request_to(endpoint(false, peer.port(), "localhost"))).status == 200);
  CHECK(names.asked("localhost") == 0);
}

TEST_CASE("a DNS server that can't be one is refused in one clear line", "[transport]") {
  auto options = test_options();
  options.dns_servers = {"not an address"};
  CHECK_THROWS(make_asio_transport(options));
}

TEST_CASE("a name is resolved as soon as one family can be", "[transport]") {
  struct half_a_name {
    const char* what;
    dns_answer says;
  };
  const std::vector<half_a_name> table{
      {"AAAA never", {.v4 = {"127.0.0.1"}, .v6_what = kind::silence}},
      {"A never", {.v6 = {mapped_loopback}, .v4_what = kind::silence}},
      {"AAAA late", {.v4 = {"127.0.0.1"}, .v6 = {mapped_loopback}, .v6_after = 5s}},
      {"A late", {.v4 = {"127.0.0.1"}, .v6 = {mapped_loopback}, .v4_after = 5s}},
      {"AAAA does not exist", {.v4 = {"127.0.0.1"}, .v6_what = kind::no_such_name}},
      {"A does not exist", {.v6 = {mapped_loopback}, .v4_what = kind::no_such_name}},
      {"AAAA SERVFAIL", {.v4 = {"127.0.0.1"}, .v6_what = kind::server_failure}},
      {"A SERVFAIL", {.v6 = {mapped_loopback}, .v4_what = kind::server_failure}},
      {"AAAA REFUSED", {.v4 = {"127.0.0.1"}, .v6_what = kind::refused}},
      {"A REFUSED", {.v6 = {mapped_loopback}, .v4_what = kind::refused}},
      {"AAAA SERVFAIL, late", {.v4 = {"127.0.0.1"}, .v6_what = kind::server_failure, .v6_after = 5s}},
      {"A no record, AAAA a little late", {.v6 = {mapped_loopback}, .v6_after = 100ms}},
      {"A denied, AAAA late", {.v4 = {"10.0.0.1"}, .v6 = {mapped_loopback}, .v6_after = 200ms}},
      {"AAAA denied, A late", {.v4 = {"127.0.0.1"}, .v6 = {"fd00::1"}, .v4_after = 200ms}},
      {"A refuses connections, AAAA late", {.v4 = {"127.0.0.9"}, .v6 = {mapped_loopback}, .v6_after = 200ms}},
  };
  const http_peer peer{always(answer(200, "", "Connection: close\r\n"))};
  for (const auto& [what, says] : table) {
    DYNAMIC_SECTION(what) {
      dns_peer names;
      names.set("half.example.test", says);
      const auto transport = transport_asking(names);
      for (int i = 0; i < 2; ++i) {
        const stopwatch watch;
        const auto result = send(*transport, request_to(endpoint(false, peer.port(), "half.example.test")));
        INFO(result.error);
        CHECK(result.status == 200);
        CHECK(watch.took() < 2s);
      }
    }
  }
}

TEST_CASE("a name without an address in either family fails with the reason that matters", "[transport]") {
  struct no_name {
    dns_answer says;
    const char* sentence;
  };
  const std::vector<no_name> table{
      {{.v4_what = kind::no_such_name, .v6_what = kind::no_such_name}, "NXDOMAIN"},
      {{}, "neither A nor AAAA"},
      {{.v4_what = kind::no_such_name}, "neither A nor AAAA"},
      {{.v6_what = kind::server_failure}, "SERVFAIL"},
      {{.v4_what = kind::server_failure}, "SERVFAIL"},
      {{.v4_what = kind::refused, .v6_what = kind::no_such_name}, "REFUSED"},
      {{.v4_what = kind::server_failure, .v6_what = kind::server_failure, .v6_after = 100ms}, "SERVFAIL"},
  };
  dns_peer names;
  const auto transport = transport_asking(names);
  for (const auto& [says, sentence] : table) {
    names.set("none.example.test", says);
    const stopwatch watch;
    const auto result = send(*transport, request_to(endpoint(false, 80, "none.example.test")));
    CHECK(class_of(result) == "dns");
    CHECK_THAT(result.error, ContainsSubstring(sentence));
    CHECK(watch.took() < 2s);
  }
}

TEST_CASE("a server that is silent is passed over after a while, and later at once", "[transport]") {
  for (const int silent_ones : {1, 2}) {
    DYNAMIC_SECTION("silent servers before a good one: " << silent_ones) {
      std::vector<std::unique_ptr<dns_peer>> silent;
      dns_peer good;
      auto options = trusting_options();
      for (int i = 0; i < silent_ones; ++i) {
        silent.push_back(std::make_unique<dns_peer>());
        silent.back()->fall_silent();
        options.dns_servers.push_back(silent.back()->address());
      }
      options.dns_servers.push_back(good.address());
      const http_peer peer{always(answer(200, "", "Connection: close\r\n"))};
      const auto transport = make_asio_transport(options);
      const auto send_to = [&](const std::string& name) {
        good.set(name, {.v4 = {"127.0.0.1"}});
        const stopwatch watch;
        CHECK(send(*transport, request_to(endpoint(false, peer.port(), name))).status == 200);
        return watch.took();
      };
      const auto first = send_to("first.example.test");
      CHECK(first >= silent_ones * 400ms);
      CHECK(first < silent_ones * 400ms + 3s);
      auto quickest = first;
      for (int i = 0; i < 5; ++i) {
        const auto name = "later" + std::to_string(i) + ".example.test";
        quickest = std::min(quickest, send_to(name));
        CHECK(silent.front()->asked(name) == 0);
      }
      CHECK(quickest < 350ms);
    }
  }
}

TEST_CASE("the next server is asked at once where one fails", "[transport]") {
  for (const auto failure : {kind::server_failure, kind::refused}) {
    dns_peer failing;
    dns_peer good;
    failing.set("hooks.example.test", {.what = failure});
    good.set("hooks.example.test", {.v4 = {"127.0.0.1"}});
    auto options = trusting_options();
    options.dns_servers = {failing.address(), good.address()};
    const http_peer peer{always(answer(200, "", "Connection: close\r\n"))};
    const auto transport = make_asio_transport(options);
    auto quickest = stopwatch::duration::max();
    for (int i = 0; i < 3; ++i) {
      const stopwatch watch;
      CHECK(send(*transport, request_to(endpoint(false, peer.port(), "hooks.example.test"))).status == 200);
      quickest = std::min(quickest, watch.took());
    }
    CHECK(quickest < 350ms);
  }
}

TEST_CASE("the number of a name's addresses has no bound", "[transport]") {
  const http_peer peer{always(answer(200, "", "Connection: close\r\n"))};
  for (const unsigned count : {16U, 17U, 40U, 100U}) {
    for (const bool denied : {false, true}) {
      dns_answer says{.v4 = {"127.0.0.1"}};
      for (unsigned i = 2; i <= count; ++i)
        says.v4.push_back((denied ? "10.0.0." : "127.0.0.") + std::to_string(i));
      dns_peer names;
      names.set("large.example.test", says);
      const auto transport = transport_asking(names);
      const auto result = send(*transport, request_to(endpoint(false, peer.port(), "large.example.test")));
      INFO(count << (denied ? " denied" : "") << ": " << result.error);
      CHECK(result.status == 200);
    }
  }
}

TEST_CASE("resolv.conf is looked at again when it changes, and at once when that is asked for",
          "[transport]") {
  dns_peer names;
  names.set("hooks.example.test", {.v4 = {"127.0.0.1"}});
  const http_peer peer{always(answer(200, "", "Connection: close\r\n"))};
  const temporary_file file{"# before the network\n"};
  const auto write = [&](const std::string& text) { std::ofstream{file.path()} << text; };
  const auto good = "nameserver " + names.address() + "\n";
  auto options = test_options();
  options.resolv_conf = file.path();
  const auto outcome_of = [&](http_transport& transport) {
    const auto result =
        send(transport, request_to(endpoint(false, peer.port(), "hooks.example.test"), ample_ms));
    return class_of(result) + " " + result.error;
  };
  SECTION("a node that starts before its network resolves later") {
    write("nameserver 127.0.0.1:1\n");
    const auto transport = make_asio_transport(options);
    CHECK_THAT(outcome_of(*transport), StartsWith("dns "));
    write(good);
    std::this_thread::sleep_for(1'050ms);
    CHECK(outcome_of(*transport) == "answered ");
  }
  SECTION("a file that comes later") {
    options.resolv_conf = file.path() + ".later";
    const auto transport = make_asio_transport(options);
    std::ofstream{options.resolv_conf} << good;
    std::this_thread::sleep_for(1'050ms);
    CHECK(outcome_of(*transport) == "answered ");
    std::filesystem::remove(options.resolv_conf);
  }
  SECTION("at once") {
    write("nameserver 127.0.0.1:1\n");
    const auto transport = make_asio_transport(options);
    CHECK_THAT(outcome_of(*transport), StartsWith("dns "));
    write(good);
    transport->reload();
    CHECK(outcome_of(*transport) == "answered ");
  }
  SECTION("those who wait for a silent server are given the new one's answer") {
    dns_peer silent;
    silent.fall_silent();
    write("nameserver " + silent.address() + "\n");
    const auto transport = make_asio_transport(options);
    auto waiting = begin(*transport, request_to(endpoint(false, peer.port(), "hooks.example.test"), 8'000));
    while (silent.asked("hooks.example.test") == 0)
      std::this_thread::sleep_for(5ms);
    write(good);
    transport->reload();
    CHECK(waiting.get().status == 200);
  }
  SECTION("servers that were named to the node are not the system's") {
    options.dns_servers = {names.address()};
    const auto transport = make_asio_transport(options);
    write("nameserver 127.0.0.1:1\n");
    transport->reload();
    CHECK(outcome_of(*transport) == "answered ");
  }
}
