// Strangers, and senders that mean harm, at a node whose actor port demands certificates, with an engine beside them that is
// to be served throughout. Nothing here waits for time to pass: a busy machine makes it slower, and no different.

#include "bench/attacker/attack.hpp"
#include "bench/attacker/client_tls.hpp"
#include "link/frames.hpp"
#include "tests/support/link_messages.hpp"
#include "tests/support/port_certificates.hpp"
#include "tests/support/raw_peer.hpp"
#include "tests/system/node_client.hpp"
#include "tests/system/real_node.hpp"

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace vicket;
using namespace vicket::testing;
using bench::attack_script;
using bench::attack_step;
using bench::entrance;

namespace {

constexpr std::size_t most_files = 1'024; // what most systems give a process
constexpr std::uint64_t most_growth_bytes = 50u << 20;
constexpr const char* caf_protocol = "vicket.caf.1";
constexpr const char* json_protocol = "vicket.json.1";
constexpr unsigned text = 1;
constexpr unsigned binary = 2;
constexpr unsigned ping = 9;

std::vector<std::string> with_few_in_flight(std::vector<std::string> flags) {
  flags.insert(flags.end(), {"--max-in-flight", "50", "--partitions", "1"});
  return flags;
}

/// A node behind mutual TLS, and an engine that it serves.
struct guarded_node {
  guarded_node() {
    connector value;
    value.id = {"crm"};
    value.url = "http://127.0.0.1:9/";
    honest.put(value);
    REQUIRE(serves());
    before = node.memory_bytes("VmRSS");
  }

  /// The engine's connection has lived through it, and what it sends is stored.
  [[nodiscard]] bool serves() {
    static_cast<void>(honest.send(event_for({"crm"})));
    return !honest.status().version.empty();
  }

  [[nodiscard]] raw_peer shaken(const tls_files& with) const {
    auto peer = raw_peer::tcp(node.port());
    peer.start_tls(with);
    return peer;
  }
  [[nodiscard]] raw_peer upgraded(const char* sub_protocol = caf_protocol) const {
    auto peer = shaken(papers.sender());
    peer.send(upgrade_request(sub_protocol));
    if (const auto head = peer.read_head(); !head.starts_with("HTTP/1.1 101"))
      throw std::runtime_error{"no upgrade: " + head};
    return peer;
  }

  /// How it answers a sender: 0 with a message, else the code that it closes with; nothing: it hangs up.
  [[nodiscard]] std::optional<unsigned> answer_to(const std::string& frames,
                                                  const char* sub_protocol = caf_protocol) const {
    auto peer = upgraded(sub_protocol);
    peer.send(frames);
    const auto answer = read_message(peer);
    return answer ? std::optional{answer->close_code()} : std::nullopt;
  }

  void check_at_the_end(std::uint64_t most_kept_bytes = 0) {
    CHECK(serves());
    if (memory_is_ours)
      CHECK(node.memory_bytes("VmRSS") < before + most_growth_bytes + most_kept_bytes);
    node.terminate();
    CHECK(node.wait() == 0);
  }

  temporary_folder folder;
  port_certificates papers{folder.path() + "/papers"};
  real_node node{folder.path() + "/data", with_few_in_flight(papers.node_flags()), most_files};
  node_client honest{node.port(), papers.honest()};
  std::uint64_t before = 0;
};

/// A connection that plays a script of the bench's attacker, as far as the node lets it.
class stranger {
public:
  stranger(const attack_script& script, const guarded_node& at) : peer_{raw_peer::tcp(at.node.port())} {
    try {
      if (script.by != entrance::bare)
        peer_.start_tls(script.by == entrance::senders_certificate   ? at.papers.sender()
                        : script.by == entrance::foreign_certificate ? at.papers.foreign()
                                                                     : tls_files{});
    } catch (const std::runtime_error&) {
      return; // it had to make room
    }
    for (const auto& step : script.steps)
      if (!take(step))
        return;
    reached_ = true;
  }

  /// Says the next byte of what it drips.
  void drip() {
    if (!dripping_.empty()) {
      peer_.send(dripping_.substr(0, 1));
      dripping_.erase(0, 1);
    }
  }
  void drip_all() {
    while (!dripping_.empty())
      drip();
  }

  /// It has said all, but for what drips.
  [[nodiscard]] bool reached() const { return reached_; }

private:
  bool take(const attack_step& step) {
    switch (step.what) {
    case attack_step::kind::say:
      return peer_.send(step.bytes);
    case attack_step::kind::await_upgrade:
      return peer_.read_head().starts_with("HTTP/1.1 101");
    case attack_step::kind::drip:
      dripping_ = step.bytes;
      return true;
    case attack_step::kind::stay:
      break;
    }
    return true;
  }

  raw_peer peer_;
  std::string dripping_;
  bool reached_ = false;
};

bench::attack_material material() {
  return {bench::client_hello(*bench::make_client_context({}, {})), valid_link_messages()};
}

bool comes_to_be_upgraded(const attack_script& script) {
  for (const auto& step : script.steps)
    if (step.what == attack_step::kind::await_upgrade)
      return true;
  return false;
}

void let_us_open_many(std::size_t count) {
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = limit.rlim_max;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  REQUIRE(limit.rlim_cur >= count);
}

} // namespace

TEST_CASE(
    "under TLS: no certificate, a foreign one, plain HTTP, a browser, or another path does not get in") {
  guarded_node w;
  const auto answer = [&](const std::string& request) {
    auto peer = w.shaken(w.papers.sender());
    peer.send(request);
    return peer.read_head().substr(0, 12);
  };
  const auto sent_to = [&](raw_peer peer) {
    peer.send(upgrade_request(caf_protocol));
    return peer.read_head();
  };
  CHECK(sent_to(raw_peer::tcp(w.node.port())).find("HTTP") == std::string::npos);
  CHECK(sent_to(w.shaken({})).empty());
  CHECK(sent_to(w.shaken(w.papers.foreign())).empty());
  CHECK(answer("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") == "HTTP/1.1 404");
  CHECK(answer("POST /v1/link HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
            .starts_with("HTTP/1.1 4"));
  CHECK(answer(upgrade_request(caf_protocol, "Origin: https://evil.example\r\n")) == "HTTP/1.1 403");
  CHECK(answer(upgrade_request(caf_protocol, {}, "/")) == "HTTP/1.1 404");
  CHECK(answer(upgrade_request("chat")).starts_with("HTTP/1.1 4"));
  CHECK(answer(upgrade_request(caf_protocol, "X: " + std::string(9'000, 'x') + "\r\n")) == "HTTP/1.1 431");
  CHECK(answer(upgrade_request(caf_protocol, "Vicket-Roles: operator\r\n")) == "HTTP/1.1 403");
  CHECK(answer(upgrade_request(caf_protocol)) == "HTTP/1.1 101"); // so that it was not for something else
  w.check_at_the_end();
}

TEST_CASE(
    "under TLS: every prefix of every message is refused with a reason, and so is what a role may not send") {
  guarded_node w;
  for (const auto& message : valid_link_messages()) {
    const int kind = static_cast<unsigned char>(message[0]);
    const bool may = kind <= 5 || kind == 26 || kind == 27; // events, what became of them, triggers
    CAPTURE(kind);
    CHECK(w.answer_to(client_frame(binary, message)) == (may ? 0u : 1008u));
    CHECK(w.answer_to(client_frame(binary, message + "x")) == (may ? 1002u : 1008u));
    // Of what is not for this role no more than the head is looked at.
    for (std::size_t size = 0; size < (may ? message.size() : 12); ++size) {
      CAPTURE(size);
      CHECK(w.answer_to(client_frame(binary, message.substr(0, size))) == (may || size < 9 ? 1002u : 1008u));
    }
  }
  for (int kind = 0; kind < 256; kind = kind == 0 ? last_link_kind() + 1 : kind + 1) {
    CAPTURE(kind);
    CHECK(w.answer_to(client_frame(binary, static_cast<char>(kind) + std::string(20, '\0'))) == 1002u);
  }
  w.check_at_the_end();
}

TEST_CASE("under TLS: lengths at their bounds, pieces, frames that are none, and pings without end") {
  guarded_node w;
  std::uint64_t most_kept_bytes = 0;
  SECTION("each kind's most bytes are read, and not one more") {
    constexpr std::size_t bounds[]{20u << 20, (32u << 20) - 9, 16u << 10, 16u << 10, 16u << 10};
    for (std::size_t i = 0; i < std::size(bounds); ++i)
      for (const std::size_t more : {0u, 1u}) {
        CAPTURE(i, more);
        auto message = static_cast<char>(i + 1) + std::string(8 + bounds[i] + more, '\xff');
        CHECK(w.answer_to(client_frame(binary, message)) == (more == 0 ? 1002u : 1009u));
      }
    const auto run = [](std::size_t bytes) {
      return std::string{internal::encode_frame({4, 1}, get_run{std::string(bytes, 'x'), {}}).bytes};
    };
    const auto most = 16'384 - (run(16'000).size() - 9 - 16'000);
    REQUIRE(run(most).size() == 9 + 16'384);
    CHECK(w.answer_to(client_frame(binary, run(most))) == 0u);
    CHECK(w.answer_to(client_frame(binary, run(most + 1))) == 1009u);
    most_kept_bytes = 32u << 20; // the heap keeps the place of the largest message for a while
  }
  SECTION("what the head of a frame claims is not believed before the bytes come, nor when it can't be") {
    for (const std::uint64_t size :
         {std::uint64_t{0}, std::uint64_t{125}, std::uint64_t{126}, std::uint64_t{65'535},
          std::uint64_t{65'536}, std::uint64_t{32u << 20}}) {
      auto peer = w.upgraded();
      peer.send(client_frame_head(binary, size) + "\x01");
      CHECK(w.serves()); // and the connection stops there
    }
    for (const std::uint64_t size :
         {(std::uint64_t{32} << 20) + 1, std::uint64_t{1} << 31, std::uint64_t{1} << 32,
          std::uint64_t{1} << 62, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
      CAPTURE(size);
      auto peer = w.upgraded();
      peer.send(client_frame_head(binary, size) + std::string(100, 'x'));
      peer.await_end();
    }
  }
  SECTION("a message in pieces is one message, and pieces that are none end the connection") {
    const auto message = valid_link_messages()[3];
    std::string frames;
    for (std::size_t i = 0; i < message.size(); ++i) {
      frames += client_frame(i == 0 ? binary : 0, message.substr(i, 1), i + 1 == message.size());
      if (i == 3)
        frames += client_frame(ping, "between");
    }
    CHECK(w.answer_to(frames) == 0u);
    std::string too_many = client_frame(binary, message, false);
    for (int i = 0; i < 20'000; ++i)
      too_many += client_frame(0, "x", false);
    CHECK(w.answer_to(too_many) == 1009u);
    CHECK(w.answer_to(client_frame(0, message)) != 0u); // goes on with nothing
    CHECK(w.answer_to(client_frame(binary, "x", false) + client_frame(binary, message)) != 0u);
    CHECK(w.answer_to(client_frame(ping, "x", false)) != 0u);
    CHECK(w.answer_to(client_frame(ping, std::string(126, 'x'))) != 0u);
    CHECK(w.answer_to(client_frame(3, "x")) != 0u);
    CHECK(w.answer_to("\x82\x01x") != 0u); // not masked
    CHECK(w.answer_to(client_frame(text, message)) == 1003u);
    CHECK(w.answer_to(client_frame(binary, "{}"), json_protocol) == 1003u);
    CHECK(w.answer_to(client_frame(text, std::string(100'000, '[')), json_protocol) == 1002u);
  }
  SECTION("pings and empty pieces without end") {
    auto pinging = w.upgraded();
    std::string pings;
    for (int i = 0; i < 1'000; ++i)
      pings += client_frame(ping, "0123456789");
    while (pinging.send(pings)) {
    }
    auto empty = w.upgraded();
    std::string pieces = client_frame(binary, "", false);
    for (int i = 0; i < 20'000; ++i)
      pieces += client_frame(0, "", false);
    empty.send(pieces);
    CHECK(w.serves());
  }
  w.check_at_the_end(most_kept_bytes);
}

TEST_CASE(
    "under TLS: whatever an attacker does, by chance, with a sender's certificate, a foreign one, or none") {
  constexpr int rounds = 12;
  guarded_node w;
  bench::attack_chance chance{Catch::getSeed()};
  const auto of = material();
  for (const auto& attack : bench::all_attacks()) {
    CAPTURE(attack.name, Catch::getSeed());
    std::vector<stranger> here;
    std::size_t reached = 0;
    for (int i = 0; i < rounds; ++i) {
      here.emplace_back(attack.script(of, chance), w);
      here.back().drip_all();
      reached += here.back().reached() ? 1 : 0;
    }
    CHECK(reached > 0); // or it was no such attack
    CHECK(w.serves());
  }
  w.check_at_the_end();
}

TEST_CASE(
    "under TLS: 1,500 at once, silent, dripping, or stopped on their way, with a limit of 1,024 files") {
  constexpr std::size_t flood = 1'500;
  constexpr std::size_t upgraded_of = 100; // these leave places for an engine of the same address
  let_us_open_many(flood + 500);
  guarded_node w;
  bench::attack_chance chance{Catch::getSeed()};
  const auto of = material();
  const std::vector<std::string> stopping{"silent",          "half-hello",       "dripping-hello",
                                          "hello-alone",     "no-certificate",   "foreign-certificate",
                                          "half-upgrade",    "dripping-upgrade", "half-message",
                                          "dripping-message"};
  std::vector<attack_script> scripts;
  for (const auto& attack : bench::all_attacks())
    if (std::find(stopping.begin(), stopping.end(), attack.name) != stopping.end())
      scripts.push_back(attack.script(of, chance));
  REQUIRE(scripts.size() == stopping.size());

  std::vector<stranger> here;
  std::size_t upgraded = 0;
  for (std::size_t i = 0; here.size() < flood; ++i) {
    const auto& script = scripts[i % scripts.size()];
    if (comes_to_be_upgraded(script) && ++upgraded > upgraded_of)
      continue;
    here.emplace_back(script, w);
    if (i % 100 == 0)
      CHECK(w.serves());
  }
  for (int bytes = 0; bytes < 20; ++bytes) {
    for (auto& one : here)
      one.drip();
    CHECK(w.serves());
  }
  CHECK(std::count_if(here.begin(), here.end(), [](const stranger& one) { return one.reached(); }) >
        static_cast<std::ptrdiff_t>(flood / 2));      // or it was no such flood
  node_client late{w.node.port(), w.papers.honest()}; // who arrives honestly gets through
  CHECK(!late.status().version.empty());
  w.check_at_the_end();
}
