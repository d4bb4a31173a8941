#include "tests/transport/transport_fixture.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

using namespace vicket;
using namespace vicket::testing;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

TEST_CASE("certificates and host names are verified, always", "[transport]") {
  struct refusal {
    const char* name;
    certificate own;
    std::string sentence_has;
  };
  const auto& root = trusted::instance().root;
  const certificate_authority stranger{"Some other root"};
  const std::vector<refusal> refusals{
      {"expired", root.expired(), "has a certificate that expired on 20"},
      {"not valid yet",
       root.issue({.dns_names = {"localhost"}, .addresses = {"127.0.0.1"}, .valid_from_s = 3'600}),
       "has a certificate that is not valid before 20"},
      {"self-signed", self_signed_certificate(), "has a self-signed certificate"},
      {"of an unknown issuer", stranger.good(), "unknown issuer (Some other root)"},
      {"for another name", root.wrong_name(), "for other names: other.example.test"},
  };
  const auto transport = make_beast_transport(trusting_options());
  for (const auto& refused : refusals) {
    for (const auto* host : {"localhost", "127.0.0.1"}) {
      DYNAMIC_SECTION("a certificate that is " << refused.name << ", host " << host) {
        const http_peer peer{always(answer(200)), refused.own};
        const auto result = send(*transport, request_to(endpoint(true, peer.port(), host)));
        CHECK(class_of(result) == "tls");
        CHECK_THAT(result.error, ContainsSubstring(refused.sentence_has));
        CHECK_THAT(result.error, StartsWith(host));
        CHECK(peer.requests().empty()); // nothing was said to a stranger
      }
    }
  }
  SECTION("a certificate of a trusted root for the host is accepted") {
    const http_peer peer{always(answer(200)), root.good()};
    CHECK(send(*transport, request_to(endpoint(true, peer.port(), "localhost"))).status == 200);
    CHECK(send(*transport, request_to(endpoint(true, peer.port()))).status == 200);
  }
  SECTION("without --ca-file the test root is unknown") {
    const http_peer peer{always(answer(200)), root.good()};
    const auto strict = make_beast_transport(test_options());
    CHECK(class_of(send(*strict, request_to(endpoint(true, peer.port())))) == "tls");
  }
}

TEST_CASE("what is not TLS 1.2 or newer is of class tls", "[transport]") {
  const auto transport = make_beast_transport(trusting_options());
  SECTION("plain HTTP where TLS was expected") {
    const http_peer peer{[](http_peer::connection& c) {
      c.send("HTTP/1.1 400 Bad Request\r\n\r\n");
      c.hang();
    }};
    const auto result = send(*transport, request_to(endpoint(true, peer.port())));
    CHECK(class_of(result) == "tls");
    CHECK_THAT(result.error, ContainsSubstring("is it a plain HTTP port?"));
  }
  SECTION("TLS 1.1") {
    http_peer peer{always(answer(200)), trusted::instance().root.good()};
    peer.limit_tls_version(TLS1_1_VERSION);
    const auto result = send(*transport, request_to(endpoint(true, peer.port())));
    INFO(result.error);
    CHECK(class_of(result) == "tls");
    CHECK_THAT(result.error, ContainsSubstring("speaks no TLS 1.2 or newer"));
  }
  SECTION("TLS 1.2 is enough") {
    http_peer peer{always(answer(200)), trusted::instance().root.good()};
    peer.limit_tls_version(TLS1_2_VERSION);
    CHECK(send(*transport, request_to(endpoint(true, peer.port()))).status == 200);
  }
  SECTION("a connection that is closed at once") {
    const http_peer peer{[](http_peer::connection&) {}};
    const auto result = send(*transport, request_to(endpoint(true, peer.port())));
    CHECK(class_of(result) == "tls");
    CHECK_THAT(result.error, ContainsSubstring("TLS handshake"));
  }
  SECTION("a peer that hangs before TLS") {
    const http_peer peer{[](http_peer::connection& c) { c.hang(); }};
    const auto result = send(*transport, request_to(endpoint(true, peer.port()), short_ms));
    CHECK(class_of(result) == "timeout");
    CHECK_THAT(result.error, ContainsSubstring("waiting for the TLS handshake (connected to 127.0.0.1"));
  }
}

TEST_CASE("a body without length that TLS does not end in order counts as truncated", "[transport]") {
  const auto transport = make_beast_transport(trusting_options());
  for (const auto orderly : {true, false}) {
    DYNAMIC_SECTION((orderly ? "with" : "without") << " close_notify") {
      const http_peer peer{[orderly](http_peer::connection& c) {
                             if (!c.read_request())
                               return;
                             c.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello");
                             orderly ? c.close() : c.cut();
                           },
                           trusted::instance().root.good()};
      const auto result = send(*transport, request_to(endpoint(true, peer.port())));
      CHECK(result.status == 200);
      CHECK(result.body == "hello");
      CHECK(result.body_truncated != orderly);
    }
  }
}

TEST_CASE("trust roots are read again when their file changes, and at once when that is asked for",
          "[transport]") {
  using namespace std::chrono_literals;
  const certificate_authority other{"Some other root"};
  const http_peer peer{[](http_peer::connection& c) {
                         if (c.read_request())
                           c.send(answer(200, "", "Connection: close\r\n"));
                       },
                       trusted::instance().root.good()};
  const temporary_file roots{other.pem()};
  // As a package does it: the file is replaced.
  const auto replace = [&](const std::string& pem) {
    std::ofstream{roots.path() + ".new"} << pem;
    std::filesystem::rename(roots.path() + ".new", roots.path());
  };
  auto options = test_options();
  options.ca_files = {roots.path()};
  const auto transport = make_beast_transport(options);
  const auto delivers = [&] {
    return send(*transport, request_to(endpoint(true, peer.port()))).status == 200;
  };
  REQUIRE_FALSE(delivers());
  SECTION("after a second") {
    std::this_thread::sleep_for(1'050ms);
    replace(trusted::instance().root.pem());
    CHECK(delivers());
    // A session would be resumed without another look at the certificate.
    std::this_thread::sleep_for(1'050ms);
    replace(other.pem());
    CHECK_FALSE(delivers());
  }
  SECTION("at once") {
    replace(trusted::instance().root.pem());
    transport->reload();
    CHECK(delivers());
    replace(other.pem());
    transport->reload();
    CHECK_FALSE(delivers());
  }
  SECTION("while the file can't be read the roots stay what they were") {
    replace(trusted::instance().root.pem());
    transport->reload();
    CHECK(delivers());
    replace("not a certificate");
    transport->reload();
    CHECK(delivers());
    std::filesystem::remove(roots.path());
    transport->reload();
    CHECK(delivers());
  }
}

TEST_CASE("a CA file that can't be read is refused in one clear line", "[transport]") {
  auto options = test_options();
  options.ca_files = {"/nonexistent/roots.pem"};
  CHECK_THROWS_WITH(make_beast_transport(options),
                    StartsWith("the CA file /nonexistent/roots.pem can't be read: "));
  const temporary_file garbage{"not a certificate"};
  options.ca_files = {garbage.path()};
  CHECK_THROWS_WITH(make_beast_transport(options), StartsWith("the CA file " + garbage.path()));
}
