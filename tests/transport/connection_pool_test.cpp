#include "tests/transport/transport_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

using namespace vicket;
using namespace vicket::testing;

namespace {

/// Opens once; scripts wait for it.
class gate {
public:
  void open() {
    const std::lock_guard guard{mutex_};
    open_ = true;
    opened_.notify_all();
  }
  void wait() {
    std::unique_lock guard{mutex_};
    opened_.wait(guard, [this] { return open_; });
  }

private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

} // namespace

TEST_CASE("requests to one endpoint follow each other on one kept-alive connection", "[transport]") {
  const auto own = trusted::instance().root.good();
  const http_peer peer{always(answer(200, "ok")), own};
  const auto transport = make_asio_transport(trusting_options());
  for (int i = 0; i < 20; ++i)
    REQUIRE(send(*transport, request_to(endpoint(true, peer.port()))).status == 200);
  CHECK(peer.connections() == 1);
}

TEST_CASE("a connection is not used again when the answer rules it out", "[transport]") {
  const auto bytes = std::vector<std::string>{
      answer(200, "ok", "Connection: close\r\n"),
      "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
      answer(200, "ok") + "HTTP/1.1 200 OK\r\n", // bytes that no request asked for
      // Understood, but in no strict form.
      "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
      "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
      "HTTP/1.1 200 OK\r\n<b>Warning</b>\r\nContent-Length: 2\r\n\r\nok",
      "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\nok\n0\n\n",
      "HTTP/1.1 100 Continue\r\nContent-Length: 1\r\n\r\n" + answer(200, "ok"),
  };
  for (const auto& given : bytes) {
    const http_peer peer{always(given)};
    const auto transport = make_asio_transport(test_options());
    for (int i = 0; i < 2; ++i)
      CHECK(send(*transport, request_to(endpoint(false, peer.port()))).body == "ok");
    CHECK(peer.connections() == 2);
  }
}

TEST_CASE("bytes that come while a connection is idle are nobody's answer", "[transport]") {
  gate sent;
  const http_peer peer{[&](http_peer::connection& c) {
    if (!c.read_request())
      return;
    c.send(answer(200, "first"));
    if (c.number() == 1) {
      c.send(answer(500, "unasked"));
      sent.open();
      c.hang();
    }
  }};
  const auto transport = make_asio_transport(test_options());
  CHECK(send(*transport, request_to(endpoint(false, peer.port()))).body == "first");
  sent.wait();
  CHECK(send(*transport, request_to(endpoint(false, peer.port()))).status == 200);
  CHECK(peer.connections() == 2);
}

TEST_CASE("a pooled connection that turns out closed is replaced inside the same attempt", "[transport]") {
  const auto own = trusted::instance().root.good();
  const auto goodbye = std::vector<void (*)(http_peer::connection&)>{
      [](http_peer::connection& c) { c.close(); },
      [](http_peer::connection& c) { c.cut(); },
      [](http_peer::connection& c) { c.reset(); },
  };
  for (std::size_t how = 0; how < goodbye.size(); ++how) {
    DYNAMIC_SECTION("while it is idle, way " << how) {
      gate answered;
      gate closed;
      const http_peer peer{[&](http_peer::connection& c) {
                             while (c.read_request() && c.send(answer(200))) {
                               if (c.number() > 1)
                                 continue;
                               answered.wait(); // a reset would take the answer with it
                               goodbye[how](c);
                               closed.open();
                             }
                           },
                           own};
      const auto transport = make_asio_transport(trusting_options());
      const auto first = send(*transport, request_to(endpoint(true, peer.port())));
      answered.open();
      REQUIRE(first.status == 200);
      closed.wait();
      const auto second = send(*transport, request_to(endpoint(true, peer.port())));
      INFO(second.error);
      CHECK(second.status == 200);
      CHECK(peer.connections() == 2);
    }
    DYNAMIC_SECTION("exactly upon the second request, way " << how) {
      const http_peer peer{[&](http_peer::connection& c) {
                             if (c.read_request() && c.send(answer(200)) && c.read_request())
                               c.number() == 1 ? goodbye[how](c) : c.hang();
                           },
                           own};
      const auto transport = make_asio_transport(trusting_options());
      REQUIRE(send(*transport, request_to(endpoint(true, peer.port()))).status == 200);
      const auto second = send(*transport, request_to(endpoint(true, peer.port())));
      INFO(second.error);
      CHECK(second.status == 200);
      CHECK(peer.connections() == 2);
      CHECK(peer.requests().size() == 3); // the second came twice: at least once
    }
  }
}

namespace {

/// Gives 200 to the first request, and `second` to whatever comes next on its first connection; then ends it, or not.
http_peer::script one_good_then(std::string second, bool ends) {
  return [second = std::move(second), ends](http_peer::connection& c) {
    if (!c.read_request() || !c.send(answer(200, "first")))
      return;
    while (c.read_request()) {
      if (!c.send(c.number() == 1 ? second : answer(200, "fresh")))
        return;
      if (c.number() == 1)
        return ends ? c.close() : c.hang();
    }
  };
}

} // namespace

TEST_CASE("what a connection from the pool brings instead of a whole answer is repeated on a fresh one",
          "[transport]") {
  struct row {
    const char* what;
    std::string bytes;
    bool ends;
  };
  const std::string close = "Connection: close\r\n";
  const std::vector<row> rows{
      {"half a line", "HTTP/1.", true},
      {"a status line", "HTTP/1.1 200 OK\r\n", true},
      {"half a head", "HTTP/1.1 500 No\r\nContent-Le", true},
      {"a 1xx", "HTTP/1.1 102 Processing\r\n\r\n", true},
      {"half a body", "HTTP/1.1 500 No\r\nContent-Length: 10\r\n\r\nhalf", true},
      {"half a chunked body", "HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe", true},
      {"a bad chunk", "HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\nno\r\n", false},
      {"two lengths", "HTTP/1.1 500 No\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nno", false},
      {"no HTTP", "bye\r\n", false},
      {"what an answer left", "nullHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false},
      {"another protocol", "HTTP/1.1 101 Switching Protocols\r\n\r\n", false},
      {"408", answer(408, "timed out", close), true},
      {"408 that does not say close", answer(408, "timed out"), false},
      {"408 of HTTP/1.0",
       "HTTP/1.0 408 Request Time-out\r\nCache-Control: no-cache\r\nConnection: close\r\n\r\n<html>", true},
      {"400 that closes", answer(400, "bad", close), true},
      {"421", answer(421, "misdirected"), false},
      {"503 that closes", answer(503, "stopping", close), true},
  };
  for (const auto& row : rows) {
    for (const auto tls : {false, true}) {
      DYNAMIC_SECTION(row.what << (tls ? ", over TLS" : "")) {
        const auto own = trusted::instance().root.good();
        const auto script = [does = one_good_then(row.bytes, row.ends)](http_peer::connection& c) {
          if (c.number() == 1)
            return does(c);
          if (c.read_request())
            c.send(answer(200, "fresh"));
        };
        const auto peer =
            tls ? std::make_unique<http_peer>(script, own) : std::make_unique<http_peer>(script);
        const auto transport = make_asio_transport(trusting_options());
        REQUIRE(send(*transport, request_to(endpoint(tls, peer->port()))).body == "first");
        const auto second = send(*transport, request_to(endpoint(tls, peer->port())));
        INFO(second.error);
        CHECK(second.status == 200);
        CHECK(second.body == "fresh");
        CHECK(second.headers.empty());
        CHECK(peer->requests().size() == 3);
        CHECK(peer->connections() == 2);
      }
    }
  }
}

TEST_CASE("what is an answer to the request counts, also on a connection from the pool", "[transport]") {
  struct row {
    std::string bytes;
    bool ends;
  };
  const std::string close = "Connection: close\r\n";
  const std::vector<row> rows{
      {answer(200, "done", close), true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", true},             // said yes: once is enough
      {"HTTP/1.1 202 Yes\r\nTransfer-Encoding: chunked\r\n\r\nno\r\n", false}, // likewise
      {"HTTP/1.1 200\n\nok", true},
      {answer(500, "crashed", close), true},
      {answer(500, "crashed"), false},
      {"HTTP/1.1 500 No\r\n\r\nuntil the end", true},
      {answer(502, "", close), true},
      {answer(504, "", close), true},
      {answer(503, "later", close + "Retry-After: 30\r\n"), true},
      {answer(503, "busy"), false},
      {answer(400, "no such field"), false},
      {answer(429, "slower", close), true},
      {answer(413, "less", close), true},
      {answer(404, "", close), true},
      {answer(410, "", close), true},
      {answer(308, "", close), true},
  };
  for (const auto& row : rows) {
    DYNAMIC_SECTION(row.bytes) {
      const http_peer peer{one_good_then(row.bytes, row.ends)};
      const auto transport = make_asio_transport(test_options());
      REQUIRE(send(*transport, request_to(endpoint(false, peer.port()))).body == "first");
      const auto second = send(*transport, request_to(endpoint(false, peer.port())));
      INFO(second.error);
      CHECK(class_of(second) == "answered");
      CHECK(row.bytes.find(std::to_string(second.status.value_or(0))) != std::string::npos);
      CHECK(peer.requests().size() == 2);
      CHECK(peer.connections() == 1);
    }
  }
}

TEST_CASE("on a fresh connection what a server says is its verdict, whatever it is", "[transport]") {
  const auto transport = make_asio_transport(test_options());
  for (const auto status : {400, 408, 421, 503}) {
    const http_peer peer{always(answer(status, "", "Connection: close\r\n"))};
    CHECK(send(*transport, request_to(endpoint(false, peer.port()))).status == status);
    CHECK(peer.requests().size() == 1);
  }
}

TEST_CASE("an answer that announces content where none may be ends its connection", "[transport]") {
  for (const auto* head : {"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n",
                           "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
                           "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n"}) {
    const http_peer peer{[&](http_peer::connection& c) {
      auto left = std::string{};
      while (c.read_request() && c.send(left + head))
        left = "null"; // what the head announced, with the next answer
    }};
    const auto transport = make_asio_transport(test_options());
    for (int i = 0; i < 3; ++i)
      CHECK(class_of(send(*transport, request_to(endpoint(false, peer.port())))) == "answered");
    CHECK(peer.connections() == 3);
  }
}

TEST_CASE("a connection is replaced once: a fresh one that closes as well is the verdict", "[transport]") {
  const http_peer peer{[](http_peer::connection& c) {
    if (!c.read_request())
      return;
    if (c.number() == 1 && c.send(answer(200)))
      c.read_request();
  }};
  const auto transport = make_asio_transport(test_options());
  REQUIRE(send(*transport, request_to(endpoint(false, peer.port()))).status == 200);
  const auto second = send(*transport, request_to(endpoint(false, peer.port())));
  CHECK(class_of(second) == "protocol");
  CHECK(peer.connections() == 2);
}

TEST_CASE("silence on a connection from the pool empties the pool of that endpoint: the next attempt dials",
          "[transport]") {
  // Four connections, idle at the same time; then all of them are forgotten on the way, as by a NAT.
  constexpr int burst = 4;
  gate all_here;
  std::atomic<int> waiting{0};
  const http_peer peer{[&](http_peer::connection& c) {
    const bool early = c.number() <= burst;
    if (!c.read_request())
      return;
    if (early && ++waiting == burst)
      all_here.open();
    if (early)
      all_here.wait();
    if (c.send(answer(200)) && c.read_request() && !early)
      c.send(answer(200));
    else if (early)
      c.read_request(); // never answers; ends when the client does
  }};
  const auto transport = make_asio_transport(test_options());
  std::vector<std::future<http_result>> first;
  for (int i = 0; i < burst; ++i)
    first.push_back(begin(*transport, request_to(endpoint(false, peer.port()))));
  for (auto& one : first)
    REQUIRE(one.get().status == 200);
  REQUIRE(peer.connections() == burst);
  CHECK(class_of(send(*transport, request_to(endpoint(false, peer.port()), short_ms))) == "timeout");
  CHECK(send(*transport, request_to(endpoint(false, peer.port()))).status == 200);
  CHECK(peer.connections() == burst + 1);
}

TEST_CASE("an idle connection is closed after its time-out", "[transport]") {
  gate ended;
  const http_peer peer{[&](http_peer::connection& c) {
    while (c.read_request() && c.send(answer(200))) {
    }
    ended.open();
  }};
  auto options = test_options();
  options.idle_timeout_ms = 50;
  const auto transport = make_asio_transport(options);
  REQUIRE(send(*transport, request_to(endpoint(false, peer.port()))).status == 200);
  ended.wait(); // the client has closed, else this test never ends
  CHECK(send(*transport, request_to(endpoint(false, peer.port()))).status == 200);
  CHECK(peer.connections() == 2);
}

TEST_CASE("no more idle connections are kept than the bounds allow", "[transport]") {
  gate all_there;
  std::atomic<int> arrived{0};
  const http_peer peer{[&](http_peer::connection& c) {
    while (c.read_request()) {
      if (++arrived == 6)
        all_there.open();
      all_there.wait();
      c.send(answer(200));
    }
  }};
  auto options = test_options();
  options.max_idle_per_endpoint = 2;
  const auto transport = make_asio_transport(options);
  std::vector<std::future<http_result>> under_way;
  for (int i = 0; i < 6; ++i)
    under_way.push_back(begin(*transport, request_to(endpoint(false, peer.port()))));
  for (auto& one : under_way)
    CHECK(one.get().status == 200);
  under_way.clear();
  CHECK(peer.connections() == 6);
  for (int i = 0; i < 3; ++i) // one at a time: the two that were kept suffice
    CHECK(send(*transport, request_to(endpoint(false, peer.port()))).status == 200);
  CHECK(peer.connections() == 6);
}

TEST_CASE("TLS sessions are resumed on the next connection to the endpoint", "[transport]") {
  const auto own = trusted::instance().root.good();
  std::atomic<int> resumed{0};
  const auto version = TLS1_3_VERSION;
  http_peer peer{[&](http_peer::connection& c) {
                   resumed += c.resumed();
                   while (c.read_request() && c.send(answer(200, "", "Connection: close\r\n"))) {
                   }
                 },
                 own};
  peer.limit_tls_version(version);
  const auto transport = make_asio_transport(trusting_options());
  for (int i = 0; i < 4; ++i)
    REQUIRE(send(*transport, request_to(endpoint(true, peer.port()))).status == 200);
  CHECK(peer.connections() == 4);
  CHECK(resumed == 3);
}

TEST_CASE("a hundred requests at once are each answered once", "[transport]") {
  const auto own = trusted::instance().root.good();
  const http_peer peer{[](http_peer::connection& c) {
                         while (const auto request = c.read_request())
                           c.send(answer(200, request->substr(request->find("\r\n\r\n") + 4)));
                       },
                       own};
  auto options = trusting_options();
  options.io_threads = 2;
  const auto transport = make_asio_transport(options);
  std::vector<std::future<http_result>> under_way;
  for (int i = 0; i < 100; ++i)
    under_way.push_back(
        begin(*transport, request_to(endpoint(true, peer.port()), ample_ms, "body " + std::to_string(i))));
  for (int i = 0; i < 100; ++i)
    CHECK(under_way[static_cast<std::size_t>(i)].get().body == "body " + std::to_string(i));
}

TEST_CASE("many requests at once to an endpoint that answers share connections", "[transport]") {
  const auto own = trusted::instance().root.good();
  const http_peer peer{always(answer(200, "ok")), own};
  const auto transport = make_asio_transport(trusting_options());
  REQUIRE(send(*transport, request_to(endpoint(true, peer.port()))).status == 200);
  constexpr unsigned requests = 2'000;
  std::vector<std::future<http_result>> under_way;
  for (unsigned i = 0; i < requests; ++i)
    under_way.push_back(begin(*transport, request_to(endpoint(true, peer.port()))));
  for (auto& one : under_way)
    REQUIRE(one.get().status == 200);
  // About 70; how many in all depends on how busy the machine is.
  CHECK(peer.connections() < requests);
}

TEST_CASE("requests that hang do not keep others to the same host from dialling", "[transport]") {
  gate over;
  const http_peer peer{[&](http_peer::connection& link) {
    while (const auto request = link.read_request()) {
      if (request->find("hang") != std::string::npos)
        over.wait();
      link.send(answer(200, "ok"));
    }
  }};
  const auto transport = make_asio_transport(test_options());
  const auto silent = endpoint(false, peer.port());
  const auto lively = endpoint(false, peer.port());
  REQUIRE(send(*transport, request_to(lively)).status == 200); // a connection comes back, a dial took no time
  std::vector<std::future<http_result>> hanging;
  for (int i = 0; i < 50; ++i)
    hanging.push_back(begin(*transport, request_to(silent, ample_ms, R"({"id":"hang"})")));
  for (int i = 0; i < 20; ++i)
    REQUIRE(send(*transport, request_to(lively)).status == 200);
  over.open();
  for (auto& one : hanging)
    CHECK(one.get().status == 200);
  CHECK(peer.connections() >= 51);
}
