// A port with real sockets, and clients that misbehave.

#include "net/link_dialer.hpp"
#include "net/link_server.hpp"
#include "tests/support/identity_files.hpp"
#include "tests/support/raw_peer.hpp"
#include "tests/support/used_up_descriptors.hpp"

#include <catch2/catch_test_macros.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <utility>
#include <vector>

using namespace vicket;
using namespace vicket::internal;
using namespace vicket::testing;
using namespace std::chrono_literals;

namespace {

constexpr auto echo_protocol = "echo.1";

/// Sends back what it gets.
class echo : public web_socket_owner {
public:
  explicit echo(std::shared_ptr<web_socket> socket) : socket_{std::move(socket)} {}

  std::variant<std::size_t, close_reason> on_head(std::string_view bytes, bool text) override {
    if (text)
      return close_reason{close_reason::wrong_data, "text"};
    if (bytes.starts_with("throw"))
      throw std::runtime_error{"as asked"};
    return bytes.starts_with("short") ? std::size_t{20} : std::size_t{32} << 20;
  }
  void on_message(owned_bytes message) override {
    const credit done{1, message.bytes.size()};
    if (message.bytes == "keep") { // and do not answer
      kept().emplace_back(socket_, done);
      return;
    }
    if (message.bytes == "free")
      for (const auto& [socket, credit_of_it] : std::exchange(kept(), {}))
        socket->release(credit_of_it);
    socket_->send(std::move(message), done);
  }
  void on_tick() override {}
  void on_end(const std::string&) override {}

private:
  /// Of the I/O thread; one port at a time has any.
  static std::vector<std::pair<std::shared_ptr<web_socket>, credit>>& kept() {
    static std::vector<std::pair<std::shared_ptr<web_socket>, credit>> all;
    return all;
  }

  std::shared_ptr<web_socket> socket_;
};

/// Holds on to what it gets, as an actor does that has not been scheduled yet.
class hoarder : public web_socket_owner {
public:
  struct store {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<owned_bytes> messages; ///< guarded by mutex
    int ends = 0;                      ///< likewise

    template <class Condition>
    [[nodiscard]] bool await(Condition condition) {
      std::unique_lock lock{mutex};
      return changed.wait_for(lock, 30s, condition);
    }
    void let_go() {
      const std::lock_guard guard{mutex};
      messages.clear();
    }
  };

  explicit hoarder(store& in) : in_{in} {}
  std::variant<std::size_t, close_reason> on_head(std::string_view, bool) override {
    return std::size_t{32} << 20;
  }
  void on_message(owned_bytes message) override {
    const std::lock_guard guard{in_.mutex};
    in_.messages.push_back(std::move(message));
    in_.changed.notify_all();
  }
  void on_tick() override {}
  void on_end(const std::string&) override {
    const std::lock_guard guard{in_.mutex};
    ++in_.ends;
    in_.changed.notify_all();
  }

private:
  store& in_;
};

struct port {
  explicit port(const std::function<void(link_server_options&)>& change = {}) {
    link_server_options options;
    options.listen = {std::get<place>(parse_place("127.0.0.1:0"))};
    options.path = "/v1/link";
    options.sub_protocols = {echo_protocol};
    options.log_warning = [this](const std::string& line) {
      const std::lock_guard guard{mutex};
      warnings.push_back(line);
      warned.notify_all();
    };
    options.judge = [](const request_head&, const peer_identity& peer, upgrade_answer answer) {
      for (const auto& name : peer.names)
        answer.fields.emplace_back("X-Name", name);
      return answer;
    };
    options.open = [](const request_head&, const std::string&, std::shared_ptr<web_socket> socket) {
      return std::make_shared<echo>(std::move(socket));
    };
    if (change)
      change(options);
    auto started = link_server::start(std::move(options));
    if (auto* why = std::get_if<std::string>(&started))
      throw std::runtime_error{*why};
    server = std::get<0>(std::move(started));
    number = server->places().front().address.port;
  }

  [[nodiscard]] raw_peer upgraded() const {
    auto peer = raw_peer::tcp(number);
    peer.send(upgrade_request(echo_protocol));
    const auto head = peer.read_head();
    if (!head.starts_with("HTTP/1.1 101"))
      throw std::runtime_error{"no upgrade: " + head};
    return peer;
  }

  /// An honest client is served.
  [[nodiscard]] bool serves() const {
    auto peer = upgraded();
    peer.send(client_frame(2, "hello"));
    const auto frame = read_message(peer);
    return frame && frame->opcode == 2 && frame->payload == "hello";
  }

  /// The first line of the log, once there is one.
  [[nodiscard]] std::string first_warning() {
    std::unique_lock lock{mutex};
    warned.wait_for(lock, 30s, [this] { return !warnings.empty(); });
    return warnings.empty() ? "" : warnings.front();
  }

  std::mutex mutex;
  std::condition_variable warned;
  std::vector<std::string> warnings;
  std::unique_ptr<link_server> server;
  std::uint16_t number = 0;
};

std::shared_ptr<tls_contexts> contexts(const identity_files& of) {
  auto made = tls_contexts::make(of.files());
  if (auto* why = std::get_if<std::string>(&made))
    throw std::runtime_error{*why};
  return std::get<0>(made);
}

/// Dials and waits. The dialled connection is gone when this returns.
std::string dial_result(std::uint16_t number, std::shared_ptr<tls_contexts> tls, const std::string& host,
                        std::vector<std::pair<std::string, std::string>>* fields = nullptr) {
  const io_thread io{[](const std::string&) {}};
  link_dialer dialer{io, std::move(tls), {}, {}, 1u << 20};
  std::promise<std::string> done;
  io.run([&] {
    place where;
    where.address = {host, number};
    dialer.dial({where, "/v1/link", echo_protocol},
                [&](std::variant<link_dialer::dialled, std::string> result) {
                  if (auto* why = std::get_if<std::string>(&result)) {
                    done.set_value(*why);
                    return;
                  }
                  if (fields)
                    *fields = std::get<0>(result).fields();
                  done.set_value("");
                });
  });
  return done.get_future().get();
}

} // namespace

TEST_CASE("messages come and go whole, however they are cut", "[net]") {
  const port here;
  auto peer = here.upgraded();
  const std::string large(3'000'000, 'x');
  peer.send(client_frame(2, "one"));
  CHECK(read_message(peer)->payload == "one");
  peer.send(client_frame(2, "tw", false));
  peer.send(client_frame(9, "ping")); // in between
  peer.send(client_frame(0, "", false));
  peer.send(client_frame(0, "o"));
  const auto pong = read_frame(peer);
  CHECK(pong->opcode == 10);
  CHECK(pong->payload == "ping");
  CHECK(read_message(peer)->payload == "two");
  for (const char c : client_frame(2, "byte by byte"))
    peer.send(std::string(1, c));
  CHECK(read_message(peer)->payload == "byte by byte");
  peer.send(client_frame(2, large));
  CHECK(read_message(peer)->payload == large);
  peer.send(client_frame(2, ""));
  CHECK(read_message(peer)->payload.empty());
  peer.send(client_frame(8, "\x03\xe8"));
  CHECK(read_message(peer)->close_code() == 1000);
  peer.await_end();
}

TEST_CASE("what breaks a rule is told why, and the port goes on", "[net]") {
  struct row {
    const char* what;
    std::string sent;
    unsigned code;
  };
  std::string unmasked = "\x82\x01x";
  for (const auto& [what, sent, code] :
       {row{"text", client_frame(1, "text"), 1003}, row{"not masked", unmasked, 1002},
        row{"more than the head allows", client_frame(2, "short" + std::string(16, 'x')), 1009},
        row{"a frame of 32 MiB and one byte", client_frame_head(2, (32u << 20) + 1), 1009},
        row{"a frame of 2^63 bytes", client_frame_head(2, std::uint64_t{1} << 63), 1009},
        row{"an unknown opcode", client_frame(3, "x"), 1002},
        row{"goes on with nothing", client_frame(0, "x"), 1002},
        row{"a fragmented ping", client_frame(9, "x", false), 1002},
        row{"a long ping", client_frame(9, std::string(126, 'x')), 1002}}) {
    CAPTURE(what);
    const port here;
    auto peer = here.upgraded();
    peer.send(sent);
    const auto frame = read_message(peer);
    REQUIRE(frame);
    CHECK(frame->close_code() == code);
    peer.await_end();
    CHECK(here.serves());
  }
}

TEST_CASE("as many bytes as the head allows are taken", "[net]") {
  const port here;
  auto peer = here.upgraded();
  const auto most = "short" + std::string(15, 'x');
  peer.send(client_frame(2, most));
  CHECK(read_message(peer)->payload == most);
}

TEST_CASE("an exception of a handler ends its connection alone", "[net]") {
  const port here;
  auto peer = here.upgraded();
  peer.send(client_frame(2, "throw it, whatever follows"));
  peer.await_end();
  CHECK(here.serves());
}

TEST_CASE("what is no upgrade gets an answer and is hung up on", "[net]") {
  const port here;
  struct row {
    const char* what;
    std::string sent;
    std::string answer;
  };
  for (const auto& [what, sent, answer] :
       {row{"plain HTTP", "GET /v1/link HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 426"},
        row{"another path", upgrade_request(echo_protocol, {}, "/"), "HTTP/1.1 404"},
        row{"a browser", upgrade_request(echo_protocol, "Origin: https://x\r\n"), "HTTP/1.1 403"},
        row{"another sub-protocol", upgrade_request("mqtt"), "HTTP/1.1 400"},
        row{"no HTTP", "\x16\x03\x01\x02\x01\r\n\r\n", "HTTP/1.1 400"},
        row{"something behind it", upgrade_request(echo_protocol) + client_frame(2, "early"), "HTTP/1.1 400"},
        row{"a long head", upgrade_request(echo_protocol, "X: " + std::string(9'000, 'x') + "\r\n"),
            "HTTP/1.1 431"}}) {
    CAPTURE(what);
    auto peer = raw_peer::tcp(here.number);
    peer.send(sent);
    CHECK(peer.read_to_end().starts_with(answer));
  }
  CHECK(here.serves());
}

TEST_CASE("who is silent or too slow is ended in each phase", "[net]") {
  const certificate_authority authority;
  const identity_files node{authority, authority.good()};
  const auto short_times = [](link_server_options& options) {
    options.deadlines = {200ms, 200ms, 200ms, 200ms, 200ms, 100ms, 2s, 200ms};
  };
  SECTION("in TLS") {
    const port here{[&](link_server_options& options) {
      short_times(options);
      options.tls = contexts(node);
    }};
    auto peer = raw_peer::tcp(here.number);
    peer.send("\x16\x03"); // and no more
    peer.await_end();
  }
  const port here{short_times};
  SECTION("in the upgrade") {
    auto peer = raw_peer::tcp(here.number);
    peer.send("GET /v1");
    peer.await_end();
  }
  SECTION("in a message, though it answers pings") {
    auto peer = here.upgraded();
    peer.send(client_frame(2, "begun", false));
    while (const auto frame = read_frame(peer))
      if (frame->opcode == 9)
        peer.send(client_frame(10, frame->payload));
  }
  SECTION("between messages, unless it answers pings") {
    auto peer = here.upgraded();
    int pings = 0;
    while (const auto frame = read_frame(peer)) {
      if (frame->opcode == 9 && ++pings <= 5)
        peer.send(client_frame(10, frame->payload));
    }
    CHECK(pings >= 5);
  }
  SECTION("when it takes nothing") {
    auto peer = here.upgraded();
    const std::string large(1u << 20, 'x');
    for (int i = 0; i < 64; ++i) // more than sockets hold
      if (!peer.send(client_frame(2, large)))
        break;
    // Nothing was read so far, and now the rest of what was on its way comes, and the end.
    peer.await_end();
  }
}

TEST_CASE("pings without end are the end", "[net]") {
  const port here;
  auto peer = here.upgraded();
  for (int i = 0; i < 2'000; ++i)
    if (!peer.send(client_frame(9, "x")))
      break;
  peer.await_end();
  CHECK(here.serves());
}

TEST_CASE("beyond what may be unanswered nothing is read, and then it goes on", "[net]") {
  const port here{[](link_server_options& options) { options.messages.unanswered = 2; }};
  auto peer = here.upgraded();
  peer.send(client_frame(2, "keep"));
  peer.send(client_frame(2, "answered")); // while one is kept
  CHECK(read_message(peer)->payload == "answered");
  peer.send(client_frame(2, "keep") + client_frame(2, "third"));
  auto other = here.upgraded();
  other.send(client_frame(2, "hello"));
  CHECK(read_message(other)->payload == "hello"); // what came before has been seen by now
  pollfd waiting{peer.descriptor(), POLLIN, 0};
  CHECK(::poll(&waiting, 1, 0) == 0);
  other.send(client_frame(2, "free"));
  CHECK(read_message(peer)->payload == "third");
}

TEST_CASE("a full port refuses with 503, and arrivals never keep an honest client out", "[net]") {
  const port here{[](link_server_options& options) {
    options.connections = {.established = 2, .per_address = 2, .arriving = 4};
  }};
  auto first = here.upgraded();
  std::vector<raw_peer> silent;
  for (int i = 0; i < 20; ++i)
    silent.push_back(raw_peer::tcp(here.number));
  silent.front().await_end(); // it made room
  CHECK(here.serves());
  auto second = here.upgraded();
  auto third = raw_peer::tcp(here.number);
  third.send(upgrade_request(echo_protocol));
  CHECK(third.read_to_end().starts_with("HTTP/1.1 503"));
  first.send(client_frame(2, "still here"));
  CHECK(read_message(first)->payload == "still here");
}

TEST_CASE("a process without descriptors takes no connections for a moment, and then does", "[net]") {
  std::promise<std::string> said;
  const port here{[&](link_server_options& options) {
    options.log_warning = [&](const std::string& line) {
      said.set_value(line);
    }; // throws if it is said twice
  }};
  {
    used_up_descriptors none;
    none.give_back(1);
    auto waiting = raw_peer::tcp(here.number); // which has the last one
    CHECK(said.get_future().get().starts_with("the actor port takes no connections for now"));
  }
  CHECK(here.serves());
}

TEST_CASE("mutual TLS: names of both sides count", "[net]") {
  const certificate_authority authority;
  const certificate_authority stranger{"Another root"};
  const identity_files node{authority, authority.good()};
  const identity_files engine{authority, authority.issue({.dns_names = {"engine.example.test"}})};
  const identity_files foreign{stranger, stranger.good()};
  const port here{[&](link_server_options& options) { options.tls = contexts(node); }};

  std::vector<std::pair<std::string, std::string>> fields;
  CHECK(dial_result(here.number, contexts(engine), "127.0.0.1", &fields).empty());
  bool named = false;
  for (const auto& [name, value] : fields)
    named = named || (name == "X-Name" && value == "engine.example.test");
  CHECK(named);
  CHECK(dial_result(here.number, contexts(engine), "localhost").empty());
  // 127.0.0.2 is the same port, and not in the certificate.
  const port everywhere{[&](link_server_options& options) {
    options.tls = contexts(node);
    options.listen = {std::get<place>(parse_place("0.0.0.0:0"))};
  }};
  CHECK(dial_result(everywhere.number, contexts(engine), "127.0.0.2").find("is not for the name 127.0.0.2") !=
        std::string::npos);
  CHECK_FALSE(dial_result(here.number, contexts(foreign), "127.0.0.1").empty());
  CHECK_FALSE(dial_result(here.number, nullptr, "127.0.0.1").empty());
  auto without = raw_peer::tcp(here.number);
  CHECK_THROWS(([&] {
    without.start_tls({});
    without.send(upgrade_request(echo_protocol));
    if (without.read_head().empty())
      throw std::runtime_error{"refused"};
  }()));
}

TEST_CASE("refused handshakes leave one line in the log, with address and reason", "[net]") {
  const certificate_authority authority;
  const certificate_authority stranger{"Another root"};
  const identity_files node{authority, authority.good()};
  const identity_files foreign{stranger, stranger.good()};
  // It trusts the node, which does not trust it.
  const temporary_file authority_pem{authority.pem()};
  auto files = foreign.files();
  files.ca = authority_pem.path();
  const auto refused = std::get<0>(tls_contexts::make(files));
  port here{[&](link_server_options& options) { options.tls = contexts(node); }};
  for (int i = 0; i < 3; ++i)
    CHECK_FALSE(dial_result(here.number, refused, "127.0.0.1").empty());
  CHECK(here.first_warning().starts_with("on 127.0.0.1:" + std::to_string(here.number) +
                                         " a connection came to nothing, from 127.0.0.1: its certificate is "
                                         "not accepted: "));
  CHECK(dial_result(here.number, contexts(node), "127.0.0.1").empty()); // behind them in the port's thread
  here.server->close_for_new();
  const std::lock_guard guard{here.mutex};
  CHECK(here.warnings.size() == 1);
}

TEST_CASE("a flood of connections leaves a line in the log, and who only hangs up none", "[net]") {
  port here{[](link_server_options& options) { options.connections.arriving = 4; }};
  for (int i = 0; i < 20; ++i) {
    raw_peer::tcp(here.number).hang_up();
    CHECK(here.serves());
  }
  {
    const std::lock_guard guard{here.mutex};
    CHECK(here.warnings.empty());
  }
  std::vector<raw_peer> waiting;
  for (int i = 0; i < 5; ++i)
    waiting.push_back(raw_peer::tcp(here.number));
  const auto line = here.first_warning();
  CAPTURE(line);
  CHECK(line.starts_with("on 127.0.0.1:" + std::to_string(here.number) + " "));
  CHECK(line.ends_with(" came to nothing, the last one from 127.0.0.1: it made room for others"));
}

TEST_CASE("certificates are read again, and broken ones are not taken", "[net]") {
  const certificate_authority old_authority;
  const certificate_authority new_authority{"The next root"};
  const identity_files node{old_authority, old_authority.good()};
  const identity_files old_engine{old_authority, old_authority.good()};
  const identity_files new_engine{new_authority, new_authority.good()};
  const auto kept = contexts(node);
  const port here{[&](link_server_options& options) { options.tls = kept; }};
  const auto write = [](const std::string& path, const std::string& text) {
    auto* file = std::fopen(path.c_str(), "w");
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
  };
  write(node.key.path(), "broken");
  const auto why = kept->reload();
  REQUIRE(why);
  CHECK(why->find(node.key.path()) != std::string::npos);
  CHECK(dial_result(here.number, contexts(old_engine), "127.0.0.1").empty());

  const auto fresh = new_authority.good();
  write(node.cert.path(), fresh.pem);
  CHECK(kept->reload()); // the key is still broken
  write(node.key.path(), fresh.key_pem);
  write(node.ca.path(), new_authority.pem());
  CHECK_FALSE(kept->reload());
  CHECK_FALSE(dial_result(here.number, contexts(old_engine), "127.0.0.1").empty());
  CHECK(dial_result(here.number, contexts(new_engine), "127.0.0.1").empty());
}

TEST_CASE("a Unix socket: its mode, a stale one is replaced, one in use is not", "[net]") {
  const auto path = "/tmp/vicket-net-test-" + std::to_string(::getpid()) + ".sock";
  const auto on_file = [&](link_server_options& options) {
    options.listen = {std::get<place>(parse_place("unix:" + path))};
  };
  {
    const port here{on_file};
    struct stat found {};
    REQUIRE(::stat(path.c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0660);
    auto peer = raw_peer::unix_socket(path);
    peer.send(upgrade_request(echo_protocol));
    CHECK(peer.read_head().starts_with("HTTP/1.1 101"));
    CHECK_THROWS_AS(port{on_file}, std::runtime_error);
    CHECK(::stat(path.c_str(), &found) == 0); // which took nothing away
  }
  struct stat found {};
  CHECK(::stat(path.c_str(), &found) != 0); // gone with the port
  std::fclose(std::fopen(path.c_str(), "w"));
  CHECK_THROWS_AS(port{on_file}, std::runtime_error); // no socket
  CHECK(::stat(path.c_str(), &found) == 0);
  ::unlink(path.c_str());
}

TEST_CASE("a port that closes tells those that are open", "[net]") {
  const port here;
  auto peer = here.upgraded();
  here.server->close_for_new();
  CHECK_THROWS_AS(raw_peer::tcp(here.number), std::runtime_error);
  peer.send(client_frame(2, "still"));
  CHECK(read_message(peer)->payload == "still");
  auto closing = std::async(std::launch::async, [&] { here.server->close_all("the node is stopping", 10s); });
  const auto frame = read_message(peer);
  CHECK(frame->close_code() == 1001);
  CHECK(frame->close_text() == "the node is stopping");
  peer.send(client_frame(8, "\x03\xe9"));
  peer.await_end();
  closing.get();
  CHECK(here.server->established() == 0);
}

TEST_CASE("messages of a connection that has ended keep others from being read on until they are let go of",
          "[net]") {
  constexpr std::size_t message_bytes = 100'000;
  hoarder::store kept;
  port p{[&](link_server_options& options) {
    options.budget_bytes = 3 * message_bytes + message_bytes / 2; // else it would not see who hangs up
    options.always_bytes = 1;
    options.open =
        [&, first = true](const request_head&, const std::string&,
                          std::shared_ptr<web_socket> socket) mutable -> std::shared_ptr<web_socket_owner> {
      if (std::exchange(first, false))
        return std::make_shared<hoarder>(kept);
      return std::make_shared<echo>(std::move(socket));
    };
  }};
  {
    auto gone = p.upgraded();
    for (int i = 0; i < 3; ++i)
      gone.send(client_frame(2, std::string(message_bytes, 'x')));
    REQUIRE(kept.await([&] { return kept.messages.size() == 3; }));
  }
  REQUIRE(kept.await([&] { return kept.ends == 1; }));
  // One may finish its message, and has begun one; so the next one has to wait.
  auto first = p.upgraded();
  first.send(client_frame_head(2, message_bytes) + std::string(message_bytes * 6 / 10, 'x'));
  auto next = p.upgraded();
  next.send(client_frame(2, std::string(message_bytes, 'y')));
  timeval moment{0, 200'000};
  ::setsockopt(next.descriptor(), SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof moment);
  CHECK_THROWS(read_message(next));
  moment.tv_sec = 30;
  ::setsockopt(next.descriptor(), SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof moment);
  kept.let_go();
  const auto answer = read_message(next);
  REQUIRE(answer);
  CHECK(answer->payload.size() == message_bytes);
}
