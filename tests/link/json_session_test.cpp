// A link in vicket.json.1 over real sockets, from a client that knows nothing but RFC 6455: honest first, then hostile.

#include "tests/link/hostile_world.hpp"
#include "tests/support/certificates.hpp"

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>

#include <unistd.h>

#include <random>

using namespace vicket;
using namespace vicket::internal;
using namespace vicket::testing;

namespace {

constexpr std::string_view json = "vicket.json.1";
constexpr std::string_view both_roles = "sender, operator";
constexpr unsigned text = 1;
constexpr unsigned binary = 2;

std::string event_of(std::string_view name) {
  return R"({"connector":"crm","event":")" + std::string{name} +
         R"(","occurred_at":"2026-05-23T14:21:11.412Z","data":{},"id":"01970000-0000-7000-8000-000000000001"})";
}

std::string send_of(std::uint64_t request, std::string_view events) {
  return R"({"request":)" + std::to_string(request) + R"(,"send":[)" + std::string{events} + "]}";
}

/// The node's next message, which is text; or `closed CODE: why`.
std::string next_text(raw_peer& from) {
  const auto message = read_message(from);
  if (!message)
    return "hung up";
  if (message->opcode == 8)
    return "closed " + std::to_string(message->close_code()) + ": " + message->close_text();
  return message->opcode == text ? message->payload : "not a text message";
}

std::string ask(raw_peer& peer, std::string_view request) {
  peer.send(client_frame(text, request));
  return next_text(peer);
}

std::string answer_to(const hostile_world& w, std::string_view request, unsigned opcode = text,
                      std::string_view roles = both_roles) {
  auto peer = w.upgraded(roles, json);
  peer.send(client_frame(opcode, request));
  return next_text(peer);
}

const std::string accepted_json = R"({"id":"01970000-0000-7000-8000-000000000001","duplicate":false})";

} // namespace

TEST_CASE("every request in JSON has its answer, on one connection", "[link][json]") {
  hostile_world w;
  auto peer = w.upgraded(both_roles, json);
  CHECK(
      ask(peer, send_of(1, event_of("x") + "," + event_of("refuse") + R"(,{"connector":"crm"})")) ==
      R"({"request":1,"results":[)" + accepted_json +
          R"(,{"error":"unknown_connector","detail":"crm"},{"error":"invalid_event","detail":"send[2]: event is missing"}]})");
  CHECK(ask(peer, send_of(2, "")) == R"({"request":2,"results":[]})");
  CHECK(ask(peer, send_of(3, "1"))
            .starts_with(
                R"({"request":3,"results":[{"error":"invalid_event","detail":"send[0]: an event must be)"));
  CHECK(
      ask(peer,
          R"({"request":9,"trigger":[{"event":"x","occurred_at":"2026-05-23T14:21:11.412Z","data":{},"id":"01970000-0000-7000-8000-000000000001"},)"
          R"({"event":"refuse","occurred_at":"2026-05-23T14:21:11.412Z","data":{},"run":"r"},1]})")
          .starts_with(
              R"({"request":9,"results":[{"id":"01970000-0000-7000-8000-000000000001","events":[]},)"
              R"({"error":"unavailable","detail":"r"},{"error":"invalid_event","detail":"trigger[2]: an event must be)"));
  CHECK(ask(peer, R"({"request":4,"outcomes":{"from":"c1"}})") ==
        R"({"request":4,"outcomes":[{"gap":true,"cursor":"c1"}],"next":""})");
  CHECK(ask(peer, R"({"request":5,"run":"run-42"})") == R"({"request":5,"events":[],"next":null})");
  const auto history = ask(peer, R"({"request":6,"event":"01970000-0000-7000-8000-000000000001"})");
  CHECK(history.starts_with(R"({"request":6,"events":[{"id":"01970000-0000-7000-8000-000000000001",)"));
  CHECK(history.ends_with(R"("attempts":[]}],"next":null})"));
  CHECK(ask(peer, R"({"request":7,"run":7})") ==
        R"({"request":7,"error":"invalid_event","detail":"run must be a string of at most 256 bytes"})");
  CHECK(ask(peer, R"({"request":8,"frobnicate":true})") ==
        R"({"request":8,"error":"invalid_event","detail":"\"frobnicate\" is no field of a request"})");
  // A number may be used again once it is answered.
  CHECK(ask(peer, send_of(1, "")) == R"({"request":1,"results":[]})");
}

TEST_CASE("answers come in any order, by the numbers of their requests", "[link][json]") {
  hostile_world w;
  auto peer = w.upgraded(both_roles, json);
  peer.send(client_frame(text, send_of(1, event_of("never"))));
  CHECK(ask(peer, send_of(2, event_of("x"))) == R"({"request":2,"results":[)" + accepted_json + "]}");
}

TEST_CASE("a request that no answer can be addressed to closes the connection, with a reason",
          "[link][json]") {
  hostile_world w;
  CHECK(answer_to(w, "{}", binary) == "closed 1003: vicket.json.1 has text messages only");
  CHECK(answer_to(w, "") == "closed 1002: a message is no JSON object: an object is expected (at byte 0)");
  CHECK(answer_to(w, R"({"request":1,"run":"r")") ==
        "closed 1002: a message is no JSON object: a comma or } is expected (at byte 22)");
  CHECK(answer_to(w, R"({"run":"r"})") == R"(closed 1002: a message has no number in "request")");
  CHECK(answer_to(w, R"({"request":9007199254740992,"run":"r"})") ==
        R"(closed 1002: "request" must be one whole number from 0 to 9007199254740991)");
  CHECK(answer_to(w, "{\"request\":1,\"run\":\"\xff\"}").starts_with("closed 1007: ")); // it is no text
  {
    auto peer = w.upgraded(both_roles, json);
    peer.send(client_frame(text, send_of(7, event_of("never"))));
    CHECK(ask(peer, send_of(7, event_of("x"))) == "closed 1002: two requests under way have the number 7");
  }
  {
    auto peer = w.upgraded(both_roles, json);
    peer.send(client_frame_head(text, (32u << 20) + 1));
    CHECK(next_text(peer).starts_with("closed 1009"));
  }
  CHECK(w.serves());
  const std::lock_guard guard{w.mutex};
  CHECK_FALSE(w.lines.empty()); // and it is said in the log
}

TEST_CASE("a message whose brackets don't pair closes the connection, and says which one and why",
          "[link][json]") {
  hostile_world w;
  auto peer = w.upgraded(both_roles, json);
  peer.send(client_frame(text, send_of(1, event_of("never")))); // under way: the engine sends it again
  const auto good = event_of("x");
  const auto broken = R"({"request":2,"send":[)" + good + ",{]}," + good + "]}";
  CHECK(ask(peer, broken) == "closed 1002: a message is no JSON object: ] closes a { (at byte " +
                                 std::to_string(broken.find("{]}") + 1) + ")");
  CHECK(answer_to(w, send_of(3, good + R"(,{"a"]},)" + good))
            .starts_with("closed 1002: a message is no JSON object: ] closes a { (at byte "));
  // Where they pair, it is the event's alone.
  CHECK(
      answer_to(w, send_of(3, good + R"(,{"event" 1},)" + good))
          .starts_with(
              R"({"request":3,"results":[)" + accepted_json +
              R"(,{"error":"invalid_event","detail":"send[1]: not valid JSON at byte 9: a colon is expected)"));
  CHECK(w.serves());
  const std::lock_guard guard{w.mutex};
  REQUIRE_FALSE(w.lines.empty());
  CHECK(w.lines.front().find("] closes a { (at byte ") != std::string::npos); // and it is said in the log
}

TEST_CASE("who is operator only may read and not send; who is sender only may do both", "[link][json]") {
  hostile_world w;
  const auto send = send_of(1, event_of("x"));
  const std::string run = R"({"request":1,"run":"r"})";
  CHECK(answer_to(w, send, text, "sender") == R"({"request":1,"results":[)" + accepted_json + "]}");
  CHECK(answer_to(w, send, text, "operator") ==
        R"({"request":1,"error":"forbidden","detail":"send is for who has the role sender"})");
  for (const auto* role : {"sender", "operator"}) {
    CAPTURE(role);
    CHECK(answer_to(w, run, text, role) == R"({"request":1,"events":[],"next":null})");
    CHECK(answer_to(w, R"({"request":1,"outcomes":{}})", text, role) ==
          R"({"request":1,"outcomes":[],"next":""})");
    CHECK(answer_to(w, R"({"request":1,"event":"01970000-0000-7000-8000-000000000001"})", text, role)
              .starts_with(R"({"request":1,"events":[{)"));
  }
}

TEST_CASE("a node that has died says unavailable in JSON, and one that stops closes", "[link][json]") {
  hostile_world w;
  auto peer = w.upgraded(both_roles, json);
  caf::anon_send_exit(w.node, caf::exit_reason::kill);
  caf::scoped_actor self{w.system};
  self->wait_for(w.node);
  CHECK(ask(peer, send_of(1, event_of("x"))).starts_with(R"({"request":1,"error":"unavailable","detail":")"));
  w.port->close_all(std::chrono::milliseconds{0});
  CHECK(next_text(peer) == "closed 1001: the node is stopping");
}

TEST_CASE("a Unix socket carries JSON", "[link][json]") {
  const auto path = "/tmp/vicket-json-test-" + std::to_string(::getpid()) + ".sock";
  hostile_world w{[&](actor_port::options& options) {
    options.listen.push_back(std::get<place>(parse_place("unix:" + path)));
  }};
  auto peer = raw_peer::unix_socket(path);
  peer.send(upgrade_request(json));
  CHECK(peer.read_head().starts_with("HTTP/1.1 101"));
  CHECK(ask(peer, send_of(1, event_of("x"))) == R"({"request":1,"results":[)" + accepted_json + "]}");
}

TEST_CASE("TLS carries JSON, and the certificate's names say what it may be", "[link][json]") {
  const certificate_authority authority;
  const auto node = authority.good();
  const temporary_file cert{node.pem};
  const temporary_file key{node.key_pem};
  const temporary_file ca{authority.pem()};
  const auto ops = authority.issue({.dns_names = {"ops.test"}});
  const temporary_file ops_cert{ops.pem};
  const temporary_file ops_key{ops.key_pem};
  hostile_world w{[&](actor_port::options& options) {
    options.tls = tls_files{cert.path(), key.path(), ca.path()};
    options.roles = {{"ops.test", role_operator}};
  }};
  auto peer = raw_peer::tcp(w.number);
  peer.start_tls({ops_cert.path(), ops_key.path(), {}});
  peer.send(upgrade_request(json));
  const auto head = peer.read_head();
  CHECK(head.starts_with("HTTP/1.1 101"));
  CHECK(head.find("Sec-WebSocket-Protocol: vicket.json.1\r\n") != std::string::npos);
  CHECK(head.find("Vicket-Roles: operator\r\n") != std::string::npos);
  CHECK(ask(peer, R"({"request":1,"run":"r"})") == R"({"request":1,"events":[],"next":null})");
  CHECK(ask(peer, send_of(2, "")).starts_with(R"({"request":2,"error":"forbidden")"));
}

TEST_CASE("of the sub-protocols that a client offers the first that is known is spoken", "[link][json]") {
  hostile_world w;
  const auto chosen = [&](std::string_view offered) {
    auto peer = raw_peer::tcp(w.number);
    peer.send(upgrade_request(offered));
    const auto head = peer.read_head();
    if (head.find("Sec-WebSocket-Protocol: vicket.json.1\r\n") != std::string::npos)
      return json;
    return head.find("Sec-WebSocket-Protocol: vicket.caf.1\r\n") != std::string::npos
               ? std::string_view{"vicket.caf.1"}
               : std::string_view{};
  };
  CHECK(chosen("vicket.json.1") == json);
  CHECK(chosen("vicket.json.2, vicket.json.1, vicket.caf.1") == json);
  CHECK(chosen("vicket.caf.1, vicket.json.1") == "vicket.caf.1");
  CHECK(chosen("vicket.json.2").empty());
  CHECK(chosen("VICKET.JSON.1").empty());
}

// -- hostile --------------------------------------------------------------------------------------------------------------

TEST_CASE("text by chance, and requests with characters changed by chance, harm nobody",
          "[link][json][hostile]") {
  hostile_world w;
  std::mt19937 random{Catch::getSeed()};
  const std::vector<std::string> valid{send_of(1, event_of("x") + "," + event_of("never")),
                                       R"({"request":2,"outcomes":{"from":null,"limit":1}})",
                                       R"({"request":3,"run":"run-42","from":null})",
                                       R"({"request":4,"event":"01970000-0000-7000-8000-000000000001"})"};
  for (int round = 0; round < 300; ++round) {
    auto peer = w.upgraded(both_roles, json);
    for (int i = 0; i < 8; ++i) {
      auto message = valid[random() % valid.size()];
      for (auto changes = random() % 4; changes > 0; --changes)
        message[random() % message.size()] =
            static_cast<char>(random() % 3 == 0 ? random() : 0x20 + random() % 0x5f);
      if (!peer.send(client_frame(random() % 16 == 0 ? binary : text, message)))
        break;
    }
  }
  CHECK(w.serves());
}

TEST_CASE(
    "an answer that is ready when the client has broken the protocol goes nowhere, and the connection ends",
    "[link][json][hostile]") {
  hostile_world w;
  for (int round = 0; round < 50; ++round) {
    auto peer = w.upgraded(both_roles, json);
    std::string many;
    for (std::uint64_t request = 0; request < 20; ++request)
      many += client_frame(text, send_of(request, event_of("x")));
    // No UTF-8: the WebSocket is over, while answers to the others are on their way.
    peer.send(many + client_frame(text, "\xff") + client_frame(text, "nobody reads this"));
    auto frame = read_message(peer);
    while (frame && frame->close_code() == 0)
      frame = read_message(peer);
    REQUIRE(frame);
    CHECK(frame->close_code() == 1007);
    peer.await_end();
  }
  CHECK(w.serves());
}

TEST_CASE("100,000 small requests are all answered, however wrong they are", "[link][json][hostile]") {
  hostile_world w;
  auto peer = w.upgraded(both_roles, json);
  constexpr std::uint64_t requests = 100'000;
  constexpr std::uint64_t at_once = 500;
  const std::vector<std::string> wrong{
      R"(,"send":0})", R"(,"run":[]})", R"(,"x":0})", "}", R"(,"outcomes":{"limit":0}})", R"(,"send":[0]})"};
  std::uint64_t answered = 0;
  for (std::uint64_t request = 0; request < requests;) {
    std::string many;
    for (std::uint64_t i = 0; i < at_once; ++i, ++request)
      many += client_frame(text, R"({"request":)" + std::to_string(request) + wrong[request % wrong.size()]);
    REQUIRE(peer.send(many));
    for (std::uint64_t i = 0; i < at_once; ++i)
      answered += next_text(peer).starts_with(R"({"request":)") ? 1 : 0;
  }
  CHECK(answered == requests);
  CHECK(w.serves());
}

TEST_CASE("requests in JSON without answers beyond the bound are not read, and do not harm others",
          "[link][json][hostile]") {
  hostile_world w;
  auto peer = w.upgraded(both_roles, json);
  constexpr std::uint64_t bound = 256; // web_socket_limits::unanswered
  for (std::uint64_t i = 0; i < bound; ++i)
    peer.send(client_frame(text, send_of(i, event_of("never"))));
  // What comes beyond it would close the connection, were it read.
  peer.send(client_frame(text, "nonsense"));
  CHECK(w.serves());
  {
    auto other = w.upgraded(both_roles, json);
    for (std::uint64_t i = 0; i + 1 < bound; ++i)
      other.send(client_frame(text, send_of(i, event_of("never"))));
    CHECK(ask(other, "nonsense").starts_with("closed 1002")); // one below the bound it is
  }
}
