#include "tests/transport/transport_fixture.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <vector>

using namespace vicket;
using namespace vicket::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

using script = http_peer::script;

struct expectation {
  const char* peer;
  script does;
  std::string outcome_class;
  std::string sentence_has; ///< what helps the one who debugs it
  std::int64_t timeout_ms = ample_ms;
};

script after_request(std::string bytes) {
  return [bytes = std::move(bytes)](http_peer::connection& c) {
    if (c.read_request())
      c.send(bytes);
  };
}

script then_hang(std::string bytes) {
  return [bytes = std::move(bytes)](http_peer::connection& c) {
    if (c.read_request() && c.send(bytes))
      c.hang();
  };
}

/// Sends `head`, then `piece` for ever.
script endless(std::string head, std::string piece) {
  return [head = std::move(head), piece = std::move(piece)](http_peer::connection& c) {
    if (!c.read_request() || !c.send(head))
      return;
    while (c.send(piece)) {
    }
  };
}

std::vector<expectation> misbehaviours() {
  const std::string busy = "HTTP/1.1 503 Busy\r\n";
  return {
      {"hangs after the request", then_hang(""), "timeout",
       "waiting for the response headers (connected to 127.0.0.1", short_ms},
      {"hangs inside the status line", then_hang("HTTP/1.1 2"), "timeout", "reading the response headers",
       short_ms},
      {"hangs after the status line's start", then_hang("HTTP/1.1 "), "timeout",
       "reading the response headers", short_ms},
      {"hangs after 1xx alone", then_hang("HTTP/1.1 103 Hints\r\nLink: a\r\n\r\n"), "timeout",
       "reading the response headers", short_ms},
      {"hangs after the status line of a 1xx", then_hang("HTTP/1.1 100 Continue\r\n"), "timeout",
       "reading the response headers", short_ms},
      {"hangs inside the headers", then_hang(busy + "X-Slow: 1"), "answered 503",
       "did not end its answer within 400 ms, in the middle of the response headers", short_ms},
      {"hangs after the status line", then_hang("HTTP/1.1 429 Slow down\r\n"), "answered 429",
       "in the middle of the response headers", short_ms},
      {"hangs after the status line of two", then_hang("HTTP/1.1 200 OK\r\n" + busy), "timeout",
       "reading the response headers", short_ms},
      {"hangs after the headers", then_hang(busy + "Content-Length: 5\r\n\r\nab"), "answered 503",
       "did not end its answer within 400 ms, after 2 of 5 announced body bytes", short_ms},
      {"hangs in a body without length", then_hang(busy + "\r\nab"), "answered 503",
       "in the middle of the response body, after 2 bytes", short_ms},
      {"closes without answering", after_request(""), "protocol", "closed the connection without answering"},
      {"resets without answering",
       [](auto& c) {
         if (c.read_request())
           c.reset();
       },
       "protocol", "without answering"},
      {"closes inside the status line", after_request("HTTP/1.1 50"), "protocol",
       "middle of the response headers"},
      {"closes inside the headers", after_request(busy + "X: 1\r\n"), "answered 503",
       "middle of the response headers"},
      {"sends garbage", after_request("\x16\x03 this is no HTTP\r\n\r\n"), "protocol", "not an HTTP answer"},
      {"sends garbage and hangs", then_hang("SSH-2.0-OpenSSH_9.2p1\r\n"), "protocol", "not an HTTP answer"},
      {"sends garbage for ever", endless("220 mail", std::string(1'000, 'x')), "protocol",
       "not an HTTP answer"},
      {"sends a status of two digits", after_request("HTTP/1.1 20 OK\r\n\r\n"), "protocol",
       "not an HTTP answer"},
      {"says two things", after_request("HTTP/1.1 200 OK\r\n" + busy + "\r\n"), "protocol",
       "two status lines"},
      {"announces more body than it sends", after_request(busy + "Content-Length: 100\r\n\r\n0123456789"),
       "answered 503", "after 10 of 100 announced body bytes"},
      {"sends two lengths", after_request(busy + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
       "protocol", "several lengths"},
      {"sends a bad chunk", after_request(busy + "Transfer-Encoding: chunked\r\n\r\nnothex\r\n"), "protocol",
       "malformed response body"},
      {"closes inside a chunked body",
       after_request(busy + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"), "answered 503",
       "middle of a chunked body, after 5 bytes"},
      {"sends an endless chunk header",
       endless(busy + "Transfer-Encoding: chunked\r\n\r\n1;x=", std::string(4096, 'x')), "protocol",
       "longer than 65536 bytes"},
      {"sends endless headers", endless(busy, "X-More: " + std::string(1000, 'x') + "\r\n"), "protocol",
       "headers longer than 65536 bytes"},
      {"sends one endless header", endless(busy + "X-More: ", std::string(1000, 'x')), "protocol", ""},
      {"sends endless 1xx", endless("", "HTTP/1.1 102 Processing\r\n\r\n"), "protocol",
       "headers longer than 65536 bytes"},
      {"switches protocols", after_request("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
       "protocol", "101"},
  };
}

/// Endpoints that said 200, whatever came then.
std::vector<expectation> successes() {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
  return {
      {"hangs inside the headers", then_hang(ok + "X-Slow: 1"), "answered 200", "", short_ms},
      {"hangs after the status line", then_hang(ok), "answered 200", "", short_ms},
      {"hangs after the status", then_hang("HTTP/1.1 200"), "answered 200", "", short_ms},
      {"hangs after the headers", then_hang(ok + "Content-Length: 5\r\n\r\nab"), "answered 200", "",
       short_ms},
      {"hangs in a body without length", then_hang(ok + "\r\nab"), "answered 200", "", short_ms},
      {"closes inside the headers", after_request(ok + "X: 1\r\n"), "answered 200", ""},
      {"closes after the status", after_request("HTTP/1.1 200"), "answered 200", ""},
      {"announces more than it sends", after_request(ok + "Content-Length: 100\r\n\r\n0123456789"),
       "answered 200", ""},
      {"resets inside the body",
       [ok](auto& c) {
         if (c.read_request() && c.send(ok + "Content-Length: 100\r\n\r\n0123456789"))
           c.reset();
       },
       "", ""}, // a reset may take what was sent before it
      {"sends two lengths", after_request(ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
       "answered 200", ""},
      {"sends a bad chunk", then_hang(chunked + "5 0\r\nhello\r\n"), "answered 200", ""},
      {"sends an endless chunk header", endless(chunked + "1;x=", std::string(4096, 'x')), "answered 200",
       ""},
      {"sends LF alone, and hangs", then_hang("HTTP/1.1 200 OK\nContent-Length: 2\n\nok"), "answered 200",
       ""},
      {"sends no reason", then_hang("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"), "answered 200", ""},
      {"speaks HTTP/2.0", after_request("HTTP/2.0 200 OK\r\n\r\n"), "answered 200", ""},
  };
}

std::string verdict_of(const http_result& result) {
  return class_of(result) + (result.failure ? "" : " " + std::to_string(result.status.value_or(0)));
}

void check_all(bool tls) {
  const auto own = trusted::instance().root.good();
  const auto transport = make_asio_transport(trusting_options());
  const auto make_peer = [&](const script& does) {
    return tls ? std::make_unique<http_peer>(does, own) : std::make_unique<http_peer>(does);
  };
  const auto healthy = make_peer(always(answer(200, "ok")));
  auto all = misbehaviours();
  for (auto& one : successes())
    all.push_back(std::move(one));
  for (const auto& expected : all) {
    DYNAMIC_SECTION("a peer that " << expected.peer << ": " << expected.outcome_class
                                   << (tls ? ", over TLS" : "")) {
      const auto peer = make_peer(expected.does);
      auto bad = begin(*transport, request_to(endpoint(tls, peer->port()), expected.timeout_ms));
      const auto neighbour = send(*transport, request_to(endpoint(tls, healthy->port())));
      const auto result = bad.get();
      INFO(result.error);
      if (!expected.outcome_class.empty())
        CHECK(verdict_of(result) == expected.outcome_class);
      CHECK_THAT(result.error, ContainsSubstring(expected.sentence_has));
      CHECK(result.duration_us < 5'000'000);
      CHECK(class_of(neighbour) == "answered");
      CHECK(neighbour.body == "ok");
    }
  }
}

} // namespace

TEST_CASE("each way in which an endpoint misbehaves is in exactly one outcome class, and disturbs no other",
          "[transport]") {
  check_all(false);
}

TEST_CASE("each way in which an HTTPS endpoint misbehaves is in exactly one outcome class", "[transport]") {
  check_all(true);
}

TEST_CASE("a complete answer is given with its status, body and Retry-After", "[transport]") {
  const auto transport = make_asio_transport(test_options());
  for (const auto status : {200, 201, 204, 301, 304, 404, 410, 429, 500, 503}) {
    DYNAMIC_SECTION("status " << status) {
      const auto bodiless = status == 204 || status == 304;
      const http_peer peer{
          always(bodiless ? "HTTP/1.1 " + std::to_string(status) + " No\r\n\r\n"
                          : answer(status, "because", "Retry-After: 17\r\nLocation: /other\r\n"))};
      const auto result = send(*transport, request_to(endpoint(false, peer.port())));
      CHECK(class_of(result) == "answered");
      CHECK(result.status == status);
      CHECK(result.body == (bodiless ? "" : "because"));
      CHECK(result.retry_after == (bodiless ? "" : "17"));
      CHECK(result.error.empty());
      CHECK(peer.requests().size() == 1); // redirects are not followed
    }
  }
}

TEST_CASE("answers in their unusual but right forms are read whole", "[transport]") {
  struct form {
    const char* name;
    std::string bytes;
    std::string body;
  };
  const std::vector<form> forms{
      {"chunked, with a trailer",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-T: "
       "1\r\n\r\n",
       "hello world"},
      {"after 1xx answers",
       "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer(200, "hello"),
       "hello"},
      {"HTTP/1.0 until the end", "HTTP/1.0 200 OK\r\n\r\nhello", "hello"},
      {"bytes that are no text", answer(200, std::string_view{"\0\xff\x80", 3}),
       std::string{"\0\xff\x80", 3}},
      {"without reason phrase", "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", "ok"},
  };
  const auto transport = make_asio_transport(test_options());
  for (const auto& f : forms) {
    DYNAMIC_SECTION(f.name) {
      const http_peer peer{after_request(f.bytes)};
      const auto result = send(*transport, request_to(endpoint(false, peer.port())));
      INFO(result.error);
      CHECK(result.status == 200);
      CHECK(result.body == f.body);
      CHECK_FALSE(result.body_truncated);
    }
  }
}

TEST_CASE("what is no HTTP is the attempt's body, and is not waited for long", "[transport]") {
  const auto transport = make_asio_transport(test_options());
  const std::string banner = "220 mx.example.com ESMTP\r\n";
  const http_peer peer{[&](http_peer::connection& c) {
    for (const auto byte : banner) // before the request, too
      c.send({&byte, 1});
    c.hang();
  }};
  const auto result = send(*transport, request_to(endpoint(false, peer.port())));
  CHECK(class_of(result) == "protocol");
  CHECK_FALSE(result.status);
  CHECK(result.body == banner);
  CHECK(result.body_bytes == banner.size());
  CHECK_FALSE(result.body_truncated);
  CHECK(result.duration_us < 5'000'000);
}

TEST_CASE("an answer that is no 2xx comes with its fields", "[transport]") {
  const auto transport = make_asio_transport(test_options());
  const std::string fields = "Location: https://other.example/hook\r\nX-Request-Id:  42 \r\n";
  const http_peer redirecting{always(answer(308, "", fields))};
  const auto redirected = send(*transport, request_to(endpoint(false, redirecting.port())));
  CHECK(redirected.headers == std::vector<header_field>{{"Location", "https://other.example/hook"},
                                                        {"X-Request-Id", "42"},
                                                        {"Content-Length", "0"}});
  const http_peer content{always(answer(200, "", fields))};
  CHECK(send(*transport, request_to(endpoint(false, content.port()))).headers.empty());
  const http_peer broken{
      after_request("HTTP/1.1 500 No\r\nX-Request-Id: 7\r\nTransfer-Encoding: chunked\r\n\r\nx")};
  const auto failed = send(*transport, request_to(endpoint(false, broken.port())));
  CHECK(class_of(failed) == "protocol");
  CHECK(failed.status == 500);
  CHECK(failed.headers.size() == 2);
}

TEST_CASE("an answer that comes one byte at a time is read whole", "[transport]") {
  const auto own = trusted::instance().root.good();
  const http_peer peer{[](http_peer::connection& c) {
                         if (!c.read_request())
                           return;
                         for (const auto byte : answer(200, "slowly"))
                           c.send({&byte, 1});
                       },
                       own};
  const auto transport = make_asio_transport(trusting_options());
  const auto result = send(*transport, request_to(endpoint(true, peer.port())));
  CHECK(result.status == 200);
  CHECK(result.body == "slowly");
}

TEST_CASE("a body is kept up to 64 KiB and read no further than 1 MiB", "[transport]") {
  const auto transport = make_asio_transport(test_options());
  SECTION("more than 64 KiB: the first are kept, all are counted") {
    const http_peer peer{always(answer(500, std::string(100'000, 'b')))};
    const auto result = send(*transport, request_to(endpoint(false, peer.port())));
    CHECK(result.status == 500);
    CHECK(result.body == std::string(64 * 1024, 'b'));
    CHECK(result.body_bytes == 100'000);
    CHECK(result.body_truncated);
  }
  SECTION("10 GB: the status is the verdict, the connection ends") {
    const http_peer peer{
        endless("HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n", std::string(65'536, 'b'))};
    const auto result = send(*transport, request_to(endpoint(false, peer.port())));
    CHECK(class_of(result) == "answered");
    CHECK(result.status == 200);
    CHECK(result.body.size() == 64 * 1024);
    CHECK(result.body_bytes == 1024 * 1024);
    CHECK(result.body_truncated);
    CHECK(peer.bytes_sent() < 64 * 1024 * 1024); // what the kernel's buffers took besides
  }
  SECTION("exactly 1 MiB is complete") {
    const http_peer peer{always(answer(200, std::string(1024 * 1024, 'b')))};
    for (int i = 0; i < 2; ++i) {
      const auto result = send(*transport, request_to(endpoint(false, peer.port())));
      CHECK(result.body_bytes == 1024 * 1024);
    }
    CHECK(peer.connections() == 1);
  }
}

TEST_CASE("the bytes of a request are exactly what was asked for", "[transport]") {
  const auto own = trusted::instance().root.good();
  const auto tls = GENERATE(false, true);
  const auto peer = tls ? std::make_unique<http_peer>(always(answer(200)), own)
                        : std::make_unique<http_peer>(always(answer(200)));
  const auto transport = make_asio_transport(trusting_options());
  const auto size = GENERATE(std::size_t{0}, std::size_t{400}, std::size_t{3'000'000});
  const std::string body(size, 'e');
  auto request = request_to(endpoint(tls, peer->port()), ample_ms, body);
  const auto expected = "POST /hook?x=1 HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(peer->port()) +
                        "\r\n" + request.header_lines.value + "\r\n" + body;
  CHECK(send(*transport, std::move(request)).status == 200);
  REQUIRE(peer->requests().size() == 1);
  CHECK((peer->requests()[0] == expected));
}

TEST_CASE("an answer that comes before the end of a large request is the verdict", "[transport]") {
  const http_peer peer{[](http_peer::connection& c) {
    c.send(answer(413, "too much"));
    c.hang();
  }};
  const auto transport = make_asio_transport(test_options());
  const auto result =
      send(*transport, request_to(endpoint(false, peer.port()), ample_ms, std::string(20'000'000, 'x')));
  CHECK(result.status == 413);
  CHECK(result.body == "too much");
}

TEST_CASE("a refused connection is of class connect, and says where to", "[transport]") {
  std::uint16_t free_port = 0;
  {
    const http_peer gone{always("")};
    free_port = gone.port();
  }
  const auto transport = make_asio_transport(test_options());
  const auto result = send(*transport, request_to(endpoint(false, free_port)));
  CHECK(class_of(result) == "connect");
  CHECK(result.error ==
        "could not connect to 127.0.0.1:" + std::to_string(free_port) + ": Connection refused");
  CHECK_FALSE(result.phases.dns_us);
}

TEST_CASE("every request left is completed exactly once when the transport ends", "[transport]") {
  const http_peer peer{[](http_peer::connection& c) { c.hang(); }};
  std::vector<std::future<http_result>> left;
  {
    auto options = test_options();
    options.io_threads = 2;
    const auto transport = make_asio_transport(options);
    for (int i = 0; i < 50; ++i)
      left.push_back(begin(*transport, request_to(endpoint(false, peer.port()))));
  }
  for (auto& future : left) { // a promise that is set twice throws
    const auto result = future.get();
    CHECK(class_of(result) == "connect");
    CHECK(result.error == "the node is stopping");
  }
}

TEST_CASE("the phases say where the time went", "[transport]") {
  const auto own = trusted::instance().root.good();
  const http_peer peer{always(answer(200)), own};
  const auto transport = make_asio_transport(trusting_options());
  const auto first = send(*transport, request_to(endpoint(true, peer.port())));
  CHECK_FALSE(first.phases.dns_us); // a numeric host
  CHECK(first.phases.connect_us);
  CHECK(first.phases.tls_us);
  CHECK(first.phases.first_byte_us);
  CHECK(first.duration_us >= *first.phases.connect_us + *first.phases.tls_us + *first.phases.first_byte_us);
  const auto second = send(*transport, request_to(endpoint(true, peer.port())));
  CHECK_FALSE(second.phases.connect_us); // pooled
  CHECK_FALSE(second.phases.tls_us);
  CHECK(second.phases.first_byte_us);
}
