#include "bench/sink/sink_connection.hpp"

#include "bench/sink/server_tls.hpp"
#include "tests/bench/sink/raw_client.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/process.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <string>

using namespace vicket::bench;
using namespace vicket::testing;
using need = sink_connection::need;

namespace {

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

std::string post(const std::string& path) {
  return "POST " + path + " HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}";
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i)
    all += text;
  return all;
}

/// Both ends of a connection in one thread, so that each step is the test's. The sink's socket has room for
/// few answers.
class ends {
public:
  explicit ends(bool over_tls, int room_bytes = 4'096) {
    std::signal(SIGPIPE, SIG_IGN); // as the sink does: OpenSSL writes without MSG_NOSIGNAL
    std::array<int, 2> pair{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0)
      throw std::runtime_error("no pair of sockets to be had");
    ::fcntl(pair[0], F_SETFL, O_NONBLOCK);
    ::setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &room_bytes, sizeof room_bytes);
    const certificate_authority authority;
    const auto own = authority.good();
    const auto ca_file = folder_.file("ca.pem", authority.pem());
    tls_session session;
    if (over_tls) {
      context_ =
          make_server_context(folder_.file("sink.pem", own.pem), folder_.file("sink.key", own.key_pem));
      session = make_server_session(*context_, pair[0]);
    }
    sink_.emplace(descriptor{pair[0]}, std::move(session), false);
    client_ = std::make_unique<raw_client>(pair[1], over_tls ? ca_file : "");
    if (over_tls)
      shake_hands();
  }

  /// All of it has to go; over TLS it is one record, if it is no longer than 16 KiB.
  void send(std::string_view bytes) {
    if (!client_->offer(bytes) || !bytes.empty())
      throw std::runtime_error("the socket has no room for all of it");
  }

  [[nodiscard]] need serve() { return sink_->serve(space_); }
  [[nodiscard]] sink_connection& sink() { return *sink_; }
  [[nodiscard]] sink_workspace& space() { return space_; }
  [[nodiscard]] std::string answers() { return client_->take_all(); }
  [[nodiscard]] std::size_t recorded() const { return log_.arrivals().size(); }
  void hang_up() { client_.reset(); }

private:
  /// One side after the other until nothing is left to say.
  void shake_hands() {
    for (int turn = 0; turn < 4; ++turn) {
      std::string_view nothing_yet;
      static_cast<void>(client_->offer(nothing_yet));
      if (!client_->take_all().empty() || !serve().readable)
        throw std::runtime_error("this is no handshake");
    }
  }

  temporary_folder folder_;
  arrival_log log_ = arrival_log::create(folder_.path() + "/arrivals", 10'000);
  reception desk_{{}, log_, [] { return std::int64_t{0}; }};
  sink_workspace space_{desk_, {}, {}};
  tls_context context_;
  std::optional<sink_connection> sink_;
  std::unique_ptr<raw_client> client_;
};

} // namespace

TEST_CASE("a connection on which nothing comes waits to be readable") {
  for (const bool over_tls : {false, true}) {
    ends both{over_tls};
    CHECK(both.sink().is_new());
    const auto next = both.serve();
    CHECK(next.readable);
    CHECK_FALSE(next.writable);
    CHECK_FALSE(next.another_turn);
    both.send(post("/ok/1"));
    CHECK(both.serve().readable);
    CHECK(both.answers() == ok);
    CHECK_FALSE(both.sink().is_new());
  }
}

TEST_CASE("a connection whose client doesn't take its answers reads no further until it does") {
  for (const bool over_tls : {false, true}) {
    ends both{over_tls};
    constexpr int requests = 300;
    both.send(repeated(post("/status-500/1"), requests));
    auto next = both.serve();
    CHECK(next.writable);
    CHECK_FALSE(next.readable);
    CHECK(both.recorded() == requests);
    both.send(post("/ok/1"));
    next = both.serve();
    CHECK(next.writable);
    CHECK(both.recorded() == requests);

    std::string answers;
    for (int turn = 0; turn < 1'000 && next.writable; ++turn) {
      answers += both.answers();
      next = both.serve();
    }
    answers += both.answers();
    CHECK(next.readable);
    CHECK(answers.size() > requests * 90);
    CHECK(answers.starts_with("HTTP/1.1 500 "));
    CHECK(answers.ends_with("sink: 500\n" + ok));
    CHECK(both.recorded() == requests + 1);
  }
}

TEST_CASE("of requests behind a delayed one those that are answered can fill the socket, too") {
  ends both{false};
  constexpr int requests = 300;
  both.send(post("/delay-5/1") + repeated(post("/status-500/1"), requests));
  CHECK(both.serve().readable);
  CHECK(both.sink().take_delay_ms() == 5);
  CHECK(both.sink().take_delay_ms() == 0);
  CHECK(both.recorded() == 1);
  CHECK(both.answers().empty());
  auto next = both.sink().answer_delayed(both.space());
  CHECK(next.writable);
  CHECK(both.recorded() == requests + 1);
  std::string answers;
  for (int turn = 0; turn < 1'000 && next.writable; ++turn) {
    answers += both.answers();
    next = both.serve();
  }
  answers += both.answers();
  CHECK(answers.starts_with(ok + "HTTP/1.1 500 "));
  CHECK(answers.ends_with("sink: 500\n"));
}

TEST_CASE("a delayed answer comes behind those that the socket had no room for, and before those after it") {
  for (const bool over_tls : {false, true})
    for (const bool taken_before : {false, true}) {
      ends both{over_tls};
      both.send(repeated(post("/status-500/1"), 300) + post("/delay-5/1") + post("/status-404/1"));
      auto next = both.serve();
      CHECK(next.writable);
      CHECK(both.sink().take_delay_ms() == 5);
      std::string answers;
      const auto take_answers = [&] {
        for (int turn = 0; turn < 1'000 && next.writable; ++turn) {
          answers += both.answers();
          next = both.serve();
        }
      };
      if (taken_before)
        take_answers();
      next = both.sink().answer_delayed(both.space());
      CHECK(next.writable == !taken_before);
      CHECK(both.recorded() == (taken_before ? 302 : 301));
      take_answers();
      answers += both.answers();
      CHECK(both.recorded() == 302);
      CHECK(answers.find("sink: 500\n" + ok + "HTTP/1.1 404 ") != std::string::npos);
      CHECK(answers.ends_with("sink: 404\n"));
    }
}

TEST_CASE("a client that always has more to say is interrupted, so that others get their turn") {
  ends both{true, 200'000};
  constexpr int requests = 100;
  for (int i = 0; i < requests; ++i)
    both.send(post("/ok/1")); // a record each
  const auto next = both.serve();
  CHECK(next.another_turn);
  CHECK(both.recorded() < requests);
  CHECK(both.recorded() >= 64);
  CHECK(both.serve().readable);
  CHECK(both.recorded() == requests);
  CHECK(both.answers() == repeated(ok, requests));
}

TEST_CASE("a connection is over when its client hung up, whatever it waits for") {
  for (const bool over_tls : {false, true})
    for (const auto* path : {"", "/hang/1", "/delay-60000/1"}) {
      INFO(path);
      ends both{over_tls};
      if (*path != '\0')
        both.send(post(path));
      CHECK(both.serve().readable);
      both.hang_up();
      const auto next = both.serve();
      CHECK_FALSE(next.readable);
      CHECK_FALSE(next.writable);
      CHECK_FALSE(next.another_turn);
    }
}

TEST_CASE("a client that goes on sending behind a request that hangs is cut off") {
  ends both{false};
  both.send(post("/hang/1"));
  auto next = both.serve();
  std::size_t sent = 0;
  const std::string piece(32 * 1'024, 'x');
  while (next.readable && sent < 2 * max_request_bytes) {
    both.send(piece);
    sent += piece.size();
    next = both.serve();
    if (next.readable)
      next = both.serve(); // a turn of a bare connection ends with one read
  }
  CHECK_FALSE(next.readable);
  CHECK(sent > max_request_bytes);
  CHECK(sent < max_request_bytes + 4 * piece.size());
}
