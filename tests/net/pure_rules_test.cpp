#include "net/allowance.hpp"
#include "net/arrival_notice.hpp"
#include "net/byte_budget.hpp"
#include "net/connection_caps.hpp"
#include "net/deadlines.hpp"
#include "net/handed_out.hpp"
#include "net/peer_identity.hpp"
#include "net/place.hpp"

#include <catch2/catch_test_macros.hpp>

#include <optional>
#include <string>
#include <vector>

using namespace vicket;
using namespace vicket::internal;
using namespace std::chrono_literals;

namespace {

const deadlines::time_point start{};

} // namespace

TEST_CASE("an allowance gives its burst at once and then its rate", "[net]") {
  allowance some{2, 4, start};
  CHECK(some.take(start));
  CHECK(some.take(start));
  CHECK_FALSE(some.take(start));
  CHECK_FALSE(some.take(start + 249ms));
  CHECK(some.take(start + 250ms));
  CHECK_FALSE(some.take(start + 250ms));
  CHECK_FALSE(some.take(start)); // a clock that went back gives nothing
  CHECK(some.take(start + 1h));
  CHECK(some.take(start + 1h));
  CHECK_FALSE(some.take(start + 1h)); // never more than the burst
}

// -- connections that come to nothing -----------------------------------------------------------------------------------------

TEST_CASE("the first connection that comes to nothing is told at once, then one line a minute has the others",
          "[net]") {
  arrival_notice notice{"10.0.0.5:4242"};
  CHECK_FALSE(notice.next_look());
  CHECK(notice.came_to_nothing("10.0.0.7", "its certificate is not accepted", false, start) ==
        "on 10.0.0.5:4242 a connection came to nothing, from 10.0.0.7: its certificate is not accepted");
  CHECK_FALSE(notice.next_look()); // it has been told
  for (int i = 0; i < 1'000; ++i)
    CHECK_FALSE(notice.came_to_nothing("10.0.0.8", "it made room for others", false, start + 1s));
  CHECK(notice.next_look() == start + 60s);
  CHECK_FALSE(notice.look(start + 60s - 1ms));
  CHECK(notice.look(start + 60s) == "on 10.0.0.5:4242 1000 connections came to nothing, the last one from "
                                    "10.0.0.8: it made room for others");
  CHECK_FALSE(notice.look(start + 1h));
  CHECK_FALSE(notice.came_to_nothing("10.0.0.7", "x", false, start + 120s - 1ms));
  CHECK(notice.came_to_nothing("10.0.0.9", "y", false, start + 120s) ==
        "on 10.0.0.5:4242 2 connections came to nothing, the last one from 10.0.0.9: y");
  CHECK(notice.came_to_nothing("10.0.0.9", "y", false, start + 180s)); // a minute later it is news again
}

TEST_CASE("probes of a balancer make no line, a flood of them does", "[net]") {
  arrival_notice notice{"here"};
  auto now = start;
  for (int i = 0; i < 2'000; ++i, now += 101ms) // just below the rate
    REQUIRE_FALSE(notice.came_to_nothing("10.0.0.2", "it hung up", true, now));
  CHECK_FALSE(notice.next_look());
  now += 1h;
  for (std::size_t i = 1; i < arrival_notice::many_silent; ++i)
    REQUIRE_FALSE(notice.came_to_nothing("10.0.0.2", "it hung up", true, now));
  CHECK(notice.came_to_nothing("10.0.0.3", "it hung up", true, now + 60s - 1ms) ==
        "on here 600 connections came to nothing, the last one from 10.0.0.3: it hung up");
}

TEST_CASE("probes count where there is something to tell, which they do not hide", "[net]") {
  arrival_notice notice{"here"};
  CHECK(notice.came_to_nothing("10.0.0.7", "refused", false, start));
  CHECK_FALSE(notice.came_to_nothing("10.0.0.7", "refused", false, start + 1s));
  CHECK_FALSE(notice.came_to_nothing("10.0.0.2", "it hung up", true, start + 2s));
  CHECK(notice.look(start + 60s) ==
        "on here 2 connections came to nothing, the last one from 10.0.0.7: refused");
}

TEST_CASE("a reason of any length is cut in the line", "[net]") {
  arrival_notice notice{"here"};
  const std::string longest(arrival_notice::most_reason_bytes, 'x');
  CHECK(notice.came_to_nothing("unix", longest, false, start)->ends_with(": " + longest));
  CHECK(notice.came_to_nothing("unix", longest + "y", false, start + 60s)->ends_with(": " + longest));
}

// -- caps -----------------------------------------------------------------------------------------------------------------

TEST_CASE("who arrives always gets in: the oldest of the address that has most makes room", "[net]") {
  connection_caps caps{{.established = 2, .per_address = 2, .arriving = 3}};
  const auto first = caps.arrive("a").mine;
  CHECK_FALSE(caps.arrive("b").to_end);
  const auto third = caps.arrive("b");
  CHECK_FALSE(third.to_end);
  CHECK(caps.arriving() == 3);
  const auto fourth =
      caps.arrive("c"); // of b there are two: b's older one goes, not a's, which is the oldest
  CHECK(fourth.to_end == first + 1);
  CHECK(caps.arriving() == 3);
  CHECK(caps.arrive("d").to_end == first); // one of each: the oldest of all
}

TEST_CASE("the addresses of an IPv6 network are one sender as long as they arrive", "[net]") {
  CHECK(network_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64");
  CHECK(network_of("2001:db8:1:2::9") == network_of("2001:db8:1:2:ffff::1"));
  CHECK(network_of("2001:db8:1:3::9") != network_of("2001:db8:1:2::9"));
  CHECK(network_of("::ffff:192.0.2.1") == "::ffff:192.0.2.1");
  CHECK(network_of("192.0.2.1") == "192.0.2.1");
  CHECK(network_of("unix") == "unix");

  CHECK(site_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1::/48");
  CHECK(site_of("2001:db8:1:ffff::9") == site_of("2001:db8:1:2::9"));
  CHECK(site_of("2001:db8:2:2::9") != site_of("2001:db8:1:2::9"));
  CHECK(site_of("::ffff:192.0.2.1") == "::ffff:192.0.2.1");
  CHECK(site_of("192.0.2.1") == "192.0.2.1");
  CHECK(site_of("unix") == "unix");

  connection_caps caps{{.established = 3, .per_address = 1, .arriving = 3}};
  const auto honest = caps.arrive("2001:db8:1:1::1").mine;
  const auto first = caps.arrive("2001:db8:1:2::1").mine;
  CHECK_FALSE(caps.arrive("2001:db8:1:2::2").to_end);
  CHECK(caps.arrive("2001:db8:1:2::3").to_end == first); // not the honest one, which is older
  CHECK(caps.arrive("192.0.2.1").to_end == first + 1);
  CHECK_FALSE(caps.establish(honest));
  // Within a network the address that has most, so that a neighbour suffers for nobody.
  connection_caps lan{{.established = 3, .per_address = 1, .arriving = 3}};
  static_cast<void>(lan.arrive("fe80::1%eth0"));
  const auto many = lan.arrive("fe80::2").mine;
  static_cast<void>(lan.arrive("fe80::2"));
  CHECK(lan.arrive("fe80::2").to_end == many);
  const auto neighbour = caps.arrive("2001:db8:1:1::2").mine;
  CHECK_FALSE(caps.establish(neighbour)); // established ones count by address
}

TEST_CASE("the networks of an IPv6 site are one sender as well: they push out nobody else, and do not take "
          "all places",
          "[net]") {
  connection_caps caps{{.established = 6, .per_address = 3, .per_site = 4, .arriving = 3}};
  const auto honest = caps.arrive("2001:db8:2::1").mine;
  const auto network = [](int number) { return "2001:db8:1:" + std::to_string(number) + "::1"; };
  auto oldest = caps.arrive(network(0)).mine;
  CHECK_FALSE(caps.arrive(network(1)).to_end);
  for (int i = 2; i < 100; ++i) // each from a network of its own
    CHECK(caps.arrive(network(i)).to_end == oldest++);
  CHECK_FALSE(caps.establish(honest));
  CHECK(caps.arriving() == 2);
  for (int i = 0; i < 4; ++i)
    CHECK_FALSE(caps.establish(caps.arrive(network(i)).mine));
  CHECK(caps.establish(caps.arrive(network(4)).mine) == "the node has 4 connections from 2001:db8:1::/48");
  const auto other = caps.arrive("2001:db8:3::1").mine;
  CHECK_FALSE(caps.establish(other)); // there is a place for others
  CHECK(caps.established() == 6);
}

TEST_CASE("within a site the network that has most makes room, and in it the address that has most",
          "[net]") {
  connection_caps caps{{.established = 1, .per_address = 1, .arriving = 4}};
  static_cast<void>(caps.arrive("2001:db8:1:1::1"));
  const auto second = caps.arrive("2001:db8:1:2::1").mine;
  static_cast<void>(caps.arrive("2001:db8:1:2::2"));
  const auto fourth = caps.arrive("2001:db8:1:2::2").mine;
  CHECK(caps.arrive("192.0.2.1").to_end == fourth - 1);
  CHECK(caps.arrive("192.0.2.2").to_end == second); // two in that network, one of each address
}

TEST_CASE("who is established is never pushed out, and beyond the places one is refused", "[net]") {
  connection_caps caps{{.established = 3, .per_address = 2, .arriving = 2}};
  std::vector<connection_caps::number> in;
  for (int i = 0; i < 2; ++i) {
    in.push_back(caps.arrive("a").mine);
    CHECK_FALSE(caps.establish(in.back()));
  }
  const auto third_of_a = caps.arrive("a").mine;
  CHECK(caps.establish(third_of_a) == "the node has 2 connections from this address");
  const auto of_b = caps.arrive("b").mine;
  CHECK_FALSE(caps.establish(of_b));
  const auto of_c = caps.arrive("c").mine;
  CHECK(caps.establish(of_c) == "the node has its 3 connections");
  CHECK(caps.arrive("d").to_end == third_of_a); // of those that are not established
  CHECK(caps.establish(third_of_a) == "it made room for others");
  caps.leave(in[0]);
  CHECK_FALSE(caps.establish(of_c));
  CHECK(caps.established() == 3);
}

TEST_CASE("leaving twice counts once", "[net]") {
  connection_caps caps{{.established = 1, .per_address = 1, .arriving = 1}};
  const auto first = caps.arrive("a").mine;
  REQUIRE(caps.arrive("a").to_end == first);
  caps.leave(first); // it has left already
  CHECK(caps.arriving() == 1);
  CHECK(connection_limits{}.descriptors() == 192 + 48 + 16);
}

// -- budget ---------------------------------------------------------------------------------------------------------------

TEST_CASE("beyond the budget none is read on, but for who holds little and for the first in line", "[net]") {
  byte_budget all{100, 10};
  std::vector<std::string> called;
  byte_budget::share a{all, [&] { called.emplace_back("a"); }};
  byte_budget::share b{all, [&] { called.emplace_back("b"); }};
  byte_budget::share c{all, [&] { called.emplace_back("c"); }};
  CHECK(a.may_read(false));
  a.take(60);
  b.take(39);
  CHECK(a.may_read(true)); // 99 of 100
  b.take(1);
  CHECK(a.may_read(true)); // full: the first in line finishes its message
  CHECK_FALSE(b.may_read(true));
  CHECK(c.may_read(true)); // holds nothing
  c.take(10);
  CHECK_FALSE(c.may_read(true));
  CHECK(called.empty());

  SECTION("when its message is whole it is the next one's turn, in order") {
    a.message_ended();
    CHECK(called == std::vector<std::string>{"b"});
    CHECK(b.may_read(true));
    CHECK_FALSE(a.may_read(false)); // holds much, and has no message begun
    b.message_ended();
    CHECK(called == std::vector<std::string>{"b", "c"});
  }
  SECTION("when there is room all go on") {
    a.give(60);
    CHECK(called == std::vector<std::string>{"b", "c"});
    CHECK(all.held() == 50);
  }
  SECTION("who goes gives back all") {
    {
      byte_budget::share d{all, [] {}};
      d.take(1'000);
      CHECK(all.held() == 1'110);
    }
    CHECK(all.held() == 110);
    CHECK(called.empty());
  }
}

TEST_CASE("the first in line that goes away makes the next one the first", "[net]") {
  byte_budget all{10, 1};
  int called = 0;
  byte_budget::share later{all, [&] { ++called; }};
  {
    byte_budget::share first{all, [] {}};
    first.take(5);
    later.take(20);
    CHECK(first.may_read(true));
    CHECK_FALSE(later.may_read(true));
  }
  CHECK(called == 1);
  CHECK(later.may_read(true));
}

TEST_CASE("at twice the limit who holds most is given up, once, and not the one that comes last", "[net]") {
  byte_budget all{100, 10};
  std::vector<std::string> given_up;
  const auto note = [&](const char* who) { return [&given_up, who] { given_up.emplace_back(who); }; };
  std::optional<byte_budget::share> large{std::in_place, all, [] {}, note("large")};
  byte_budget::share middle{all, [] {}, note("middle")};
  byte_budget::share small{all, [] {}, note("small")};
  large->take(120);
  middle.take(75);
  small.take(5);
  CHECK(given_up.empty()); // 200
  small.take(1);
  CHECK(given_up == std::vector<std::string>{"large"});
  small.take(50); // it is on its way out, and makes room enough
  CHECK(given_up.size() == 1);
  middle.take(70); // without it there are 201
  CHECK(given_up == std::vector<std::string>{"large", "middle"});
  large.reset();
  CHECK(all.held() == 201);
}

TEST_CASE("messages of a connection that has ended stay in the budget until they are let go of", "[net]") {
  byte_budget all{100, 10};
  int called = 0;
  byte_budget::share other{all, [&] { ++called; }};
  other.take(10);
  handed_out messages{[&](std::size_t bytes) { all.give_left_behind(bytes); }};
  {
    byte_budget::share ended{all, [] {}};
    ended.take(120); // three messages, and an answer that is not written
    for (const std::size_t bytes : {30u, 40u, 40u})
      messages.hand_out(bytes);
    messages.let_go(30);
    ended.give(30); // and was answered
    ended.leave_behind(messages.end(ended.held()));
  }
  CHECK(all.held() == 10 + 80);
  other.take(20);
  CHECK_FALSE(other.may_read(false));
  messages.let_go(40);
  CHECK(called == 1);
  CHECK(all.held() == 70);
  messages.let_go(40);
  CHECK(all.held() == 30);
}

TEST_CASE("what was answered before the message was let go of is not left behind", "[net]") {
  byte_budget all{100, 10};
  handed_out messages{[&](std::size_t bytes) { all.give_left_behind(bytes); }};
  byte_budget::share other{all, [] {}};
  other.take(5);
  {
    byte_budget::share ended{all, [] {}};
    ended.take(40);
    messages.hand_out(40);
    ended.give(40);
    ended.leave_behind(messages.end(ended.held()));
  }
  messages.let_go(40);
  CHECK(all.held() == 5);
}

// -- deadlines ------------------------------------------------------------------------------------------------------------

TEST_CASE("each phase has its deadline", "[net]") {
  using phase = deadlines::phase;
  struct row {
    phase which;
    std::chrono::milliseconds limit;
    std::string why;
  };
  const deadline_limits limits;
  for (const auto& [which, limit, why] : {row{phase::connect, limits.connect, "no connection in time"},
                                          row{phase::tls, limits.tls, "the TLS handshake took too long"},
                                          row{phase::upgrade, limits.upgrade, "the upgrade took too long"},
                                          row{phase::closing, limits.close, "the close was not answered"}}) {
    deadlines times{limits, which, start};
    times.heard(start + limit - 1ms); // dripping does not help
    CHECK(times.look(start + limit - 1ms).end == nullptr);
    CHECK(times.look(start + limit).end == why);
  }
}

TEST_CASE("a message has its time from its first byte, and ours does not count", "[net]") {
  deadlines times{{}, deadlines::phase::open, start};
  times.message_began(start);
  times.heard(start + 29s);
  CHECK_FALSE(times.look(start + 29s).end);
  SECTION("") {
    times.heard(start + 30s);
    CHECK(times.look(start + 30s).end == std::string{"a message took too long"});
  }
  SECTION("it was whole") {
    times.message_ended();
    times.heard(start + 30s);
    CHECK_FALSE(times.look(start + 30s).end);
  }
  SECTION("we did not read for an hour") {
    times.reading(false, start + 29s);
    CHECK_FALSE(times.look(start + 29s + 30min).end);
    times.reading(true, start + 29s + 1h);
    CHECK_FALSE(times.look(start + 1h + 29'999ms).end);
    CHECK(times.look(start + 1h + 30s).end == std::string{"a message took too long"});
  }
}

TEST_CASE("silence is asked about once, and then is the end", "[net]") {
  deadlines times{{}, deadlines::phase::open, start};
  CHECK_FALSE(times.look(start + 19'999ms).ping);
  CHECK(times.look(start + 20s).ping);
  CHECK_FALSE(times.look(start + 21s).ping);
  SECTION("") {
    CHECK_FALSE(times.look(start + 59'999ms).end);
    CHECK(times.look(start + 60s).end == std::string{"it is silent, and answers no ping"});
  }
  SECTION("it answers") {
    times.heard(start + 22s);
    CHECK_FALSE(times.look(start + 41s).ping);
    CHECK(times.look(start + 42s).ping);
    CHECK_FALSE(times.look(start + 81s).end);
  }
}

TEST_CASE("a write that takes nothing for half a minute is the end, also while we do not read", "[net]") {
  deadlines times{{}, deadlines::phase::open, start};
  times.write_began(start);
  times.reading(false, start);
  CHECK_FALSE(times.look(start + 29s).end);
  times.wrote_some(start + 29s);
  CHECK_FALSE(times.look(start + 58s).end);
  CHECK(times.look(start + 59s).end == std::string{"it takes nothing of what is written"});
  times.write_ended();
  CHECK_FALSE(times.look(start + 59s).end);
}

// -- names ----------------------------------------------------------------------------------------------------------------

TEST_CASE("a name pattern means one name, or one label more", "[net]") {
  struct row {
    std::string pattern;
    std::string name;
    bool fits;
  };
  for (const auto& [pattern, name, fits] :
       {row{"engine.example.com", "engine.example.com", true},
        row{"engine.example.com", "ENGINE.Example.com", true},
        row{"engine.example.com", "other.example.com", false}, row{"*.example.com", "a.example.com", true},
        row{"*.example.com", "a.b.example.com", false}, row{"*.example.com", "example.com", false},
        row{"*.example.com", ".example.com", false}, row{"*.example.com", "*.example.com", false},
        row{"*.example.com", "a.EXAMPLE.com", true}, row{"a.example.com", "*.example.com", false},
        row{"*.example.com", "a.example.com.evil.com", false},
        row{"spiffe://x/engine", "spiffe://x/engine", true},
        row{"spiffe://x/engine", "spiffe://x/ENGINE", false},
        row{"*.example.com", "spiffe://a.example.com", false}, row{"engine", "engine", true},
        row{"engine", "", false}}) {
    CAPTURE(pattern, name);
    CHECK(name_fits(pattern, name) == fits);
  }
  for (const auto* good :
       {"a.example.com", "*.example.com", "localhost", "spiffe://x/y", "urn:vicket:engine"})
    CHECK(is_name_pattern(good));
  for (const auto* bad :
       {"", "*", "*.", "a.*.com", "a b", "*.*.com", "spiffe://x/*", ".a", "a..b", "ä.com", ":x"})
    CHECK_FALSE(is_name_pattern(bad));
}

TEST_CASE("a place is HOST:PORT or unix:PATH", "[net]") {
  const auto tcp = std::get<place>(parse_place("[::1]:4242"));
  CHECK(tcp.address == host_port{"::1", 4242});
  CHECK(tcp.is_local());
  CHECK(tcp.to_string() == "[::1]:4242");
  const auto file = std::get<place>(parse_place("unix:/run/vicket/actors.sock"));
  CHECK(file.unix_path == "/run/vicket/actors.sock");
  CHECK(file.is_local());
  CHECK(file.to_string() == "unix:/run/vicket/actors.sock");
  CHECK_FALSE(std::get<place>(parse_place("10.0.0.5:1")).is_local());
  for (const auto& bad :
       {std::string{"unix:"}, "unix:" + std::string(108, 'x'), std::string{"4242"}, std::string{"a:65536"},
        std::string{"a:"}, std::string{"a:+1"}, std::string{"::1:1"}}) {
    CAPTURE(bad);
    CHECK(std::holds_alternative<std::string>(parse_place(bad)));
  }
  CHECK(std::holds_alternative<place>(parse_place("unix:" + std::string(107, 'x'))));
}
