// A client that means harm, on a port of its own process; the test of the whole program is in tests/system.

#include "link/frames.hpp"
#include "tests/link/hostile_world.hpp"
#include "tests/support/link_messages.hpp"
#include "tests/support/raw_peer.hpp"

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <chrono>
#include <random>

using namespace vicket;
using namespace vicket::internal;
using namespace vicket::testing;
using namespace std::chrono_literals;

namespace {

template <class Body>
std::string frame(std::uint8_t kind, std::uint64_t request, Body body) {
  return std::string{encode_frame({kind, request}, body).bytes};
}

/// Sends a message and says how the node answered: 0 with a message, else the code that it closed with.
unsigned answer_to(const hostile_world& w, const std::string& message,
                   std::string_view roles = "sender, operator, peer") {
  auto peer = w.upgraded(roles);
  peer.send(client_frame(2, message));
  const auto answer = read_message(peer);
  if (!answer)
    return 1;
  return answer->close_code();
}

} // namespace

TEST_CASE("every prefix of every message, and whatever follows one, is refused with a reason",
          "[link][hostile]") {
  hostile_world w;
  for (const auto& message : valid_link_messages()) {
    CAPTURE(static_cast<int>(message[0]));
    CHECK(answer_to(w, message) == 0);
    CHECK(answer_to(w, message + "x") == 1002);
    for (std::size_t size = 0; size < message.size(); ++size) {
      CAPTURE(size);
      const auto code = answer_to(w, message.substr(0, size));
      CHECK(code == 1002);
    }
  }
  CHECK(w.serves());
  const std::lock_guard guard{w.mutex};
  CHECK(w.lines.size() >= 1);
  CHECK(w.lines.size() <= 20); // of hundreds: the log is rationed
}

TEST_CASE("whatever the port complains of is rationed in the log", "[link][hostile]") {
  std::function<void(const std::string&)> of_the_port;
  hostile_world w{[&](actor_port::options& options) {
    options.change = [&](internal::link_server_options& serving) { of_the_port = serving.log_warning; };
  }};
  for (int i = 0; i < 1'000; ++i)
    of_the_port("a connection could not be taken: no memory");
  const std::lock_guard guard{w.mutex};
  CHECK(w.lines.size() >= 1);
  CHECK(w.lines.size() <= 20);
}

TEST_CASE("what is no WebSocket frame leaves a line in the log", "[link][hostile]") {
  const std::string bytes = GENERATE(std::string{"\x82\x01x"}, // not masked
                                     client_frame(3, "x"), client_frame(9, std::string(126, 'p')),
                                     client_frame_head(2, std::uint64_t{1} << 62));
  hostile_world w;
  auto peer = w.upgraded();
  peer.send(bytes);
  peer.await_end();
  const auto told = [&] {
    const std::lock_guard guard{w.mutex};
    return std::any_of(w.lines.begin(), w.lines.end(),
                       [](const std::string& line) { return line.find("is closed: ") != std::string::npos; });
  };
  // The node hangs up before it says so.
  for (const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{30};
       !told() && std::chrono::steady_clock::now() < until;)
    CHECK(w.serves());
  CHECK(told());
}

TEST_CASE("no kind passes for who has not its role, and no other kind at all", "[link][hostile]") {
  hostile_world w;
  for (const auto& message : valid_link_messages()) {
    const int kind = static_cast<unsigned char>(message[0]);
    CAPTURE(kind);
    const bool of_trigger = kind == 26 || kind == 27;
    const bool of_rules_or_backup = kind >= 28 && kind <= 33;
    const bool of_checkpoints = kind >= 34;
    CHECK(answer_to(w, message, "sender") == (kind <= 5 || of_trigger ? 0u : 1008u));
    CHECK(answer_to(w, message, "operator") ==
          ((kind >= 3 && kind <= 10) || of_rules_or_backup ? 0u : 1008u));
    CHECK(answer_to(w, message, "peer") == ((kind >= 11 && kind <= 25) || of_checkpoints ? 0u : 1008u));
  }
  for (int kind = 0; kind < 256; ++kind)
    if (kind < 1 || kind > last_link_kind()) {
      CAPTURE(kind);
      CHECK(answer_to(w, static_cast<char>(kind) + std::string(20, '\0')) == 1002);
    }
  CHECK(w.serves());
}

TEST_CASE("bytes by chance, and messages with bytes changed by chance, harm nobody", "[link][hostile]") {
  hostile_world w;
  std::mt19937 random{Catch::getSeed()};
  const auto byte = [&] { return static_cast<char>(random()); };
  const auto valid = valid_link_messages();
  for (int round = 0; round < 300; ++round) {
    auto peer = w.upgraded("sender, operator, peer");
    for (int i = 0; i < 8; ++i) {
      auto message = valid[random() % valid.size()];
      for (auto changes = random() % 4; changes > 0; --changes)
        message[random() % message.size()] = byte();
      if (!peer.send(client_frame(2, message)))
        break;
    }
    if (round % 3 == 0) {
      std::string noise(random() % 2'000, '\0');
      for (auto& one : noise)
        one = byte();
      peer.send(noise);
    }
  }
  for (int round = 0; round < 100; ++round) {
    auto peer = raw_peer::tcp(w.number);
    std::string noise(1 + random() % 3'000, '\0');
    for (auto& one : noise)
      one = byte();
    peer.send(noise);
  }
  CHECK(w.serves());
}

TEST_CASE("two requests under way with one number, and counts beyond reason, close the connection",
          "[link][hostile]") {
  hostile_world w;
  send_to_connector never;
  never.connector = {"crm"};
  never.event = "never";
  {
    auto peer = w.upgraded();
    peer.send(client_frame(2, frame(1, 7, never)));
    peer.send(client_frame(2, frame(1, 7, never)));
    CHECK(read_message(peer)->close_code() == 1002);
  }
  CHECK(answer_to(w, std::string{"\x02\0\0\0\0\0\0\0\x01\xff\xff\xff\xff\x0f", 14}) ==
        1002); // 2^32 - 1 events
  CHECK(w.serves());
}

TEST_CASE("a kind's bound holds at its edge, before its bytes are read", "[link][hostile]") {
  hostile_world w;
  constexpr std::size_t most = 9 + 16 * 1'024; // of get_run
  const auto largest = [](std::size_t size) {
    auto message = frame(4, 1, get_run{std::string(16'000, 'x'), {}});
    get_run request{std::string(16'000 + size - message.size(), 'x'), {}};
    return frame(4, 1, request);
  };
  REQUIRE(largest(most).size() == most);
  CHECK(answer_to(w, largest(most)) == 0);
  CHECK(answer_to(w, largest(most + 1)) == 1009);
  // One that says to be 30 MiB long is closed after its first piece.
  auto peer = w.upgraded();
  peer.send(client_frame_head(2, 30u << 20));
  peer.send(largest(most) + std::string(70'000, 'x'));
  CHECK(read_message(peer)->close_code() != 0);
  CHECK(w.serves());
}

TEST_CASE("requests without answers beyond the bound are not read, and do not harm others",
          "[link][hostile]") {
  hostile_world w;
  send_to_connector never;
  never.connector = {"crm"};
  never.event = "never";
  auto peer = w.upgraded();
  for (std::uint64_t i = 0; i < 300; ++i)
    peer.send(client_frame(2, frame(1, i, never)));
  CHECK(w.serves());
}
