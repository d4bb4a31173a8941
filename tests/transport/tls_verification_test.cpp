#include "policy/endpoint_url.hpp"
#include "tests/support/dns_peer.hpp"
#include "tests/transport/transport_fixture.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <variant>
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
  const auto transport = make_asio_transport(trusting_options());
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
    const auto strict = make_asio_transport(test_options());
    CHECK(class_of(send(*strict, request_to(endpoint(true, peer.port())))) == "tls");
  }
}

TEST_CASE("a host is named by subjectAltName alone, and what a put accepts as a name can be verified",
          "[transport]") {
  struct row {
    const char* host;
    certificate_request names;
    std::string refused; ///< empty: accepted
  };
  const std::vector<row> rows{
      {"a.example.test", {.dns_names = {"a.example.test"}}, ""},
      {"a.example.test", {.dns_names = {"A.Example.TEST"}}, ""},
      {"a.example.test", {.dns_names = {"other.test", "*.example.test"}}, ""},
      {"a_b.example.test", {.dns_names = {"a_b.example.test"}}, ""},
      {"a_b.example.test", {.dns_names = {"*.example.test"}}, ""},
      {"_x.a_b.test", {.dns_names = {"*.a_b.test"}}, ""},
      {"xn--bcher-kva.example.test", {.dns_names = {"*.example.test"}}, ""},
      {"a.xn--bcher-kva.test", {.dns_names = {"*.xn--bcher-kva.test"}}, ""},
      {"a.example.xn--p1ai", {.dns_names = {"*.example.xn--p1ai"}}, ""},
      {"intranet", {.dns_names = {"intranet"}}, ""},
      {"127.0.0.1", {.addresses = {"127.0.0.1"}}, ""},
      {"a.example.test",
       {.common_name = "a.example.test"},
       "its common name, a.example.test, counts for nothing"},
      {"127.0.0.1", {.common_name = "127.0.0.1"}, "counts for nothing"},
      {"a.example.test",
       {.common_name = "a.example.test", .addresses = {"127.0.0.1"}},
       "for other names: 127.0.0.1"},
      {"127.0.0.1", {.dns_names = {"127.0.0.1"}}, "has the address 127.0.0.1 as a DNS name"},
      {"127.0.0.1", {.addresses = {"127.0.0.2"}}, "for other names: 127.0.0.2"},
      {"a.b.example.test", {.dns_names = {"*.example.test"}}, "for other names: *.example.test"},
      {"example.test", {.dns_names = {"*.example.test"}}, "for other names: *.example.test"},
      {"a.test", {.dns_names = {"*.test"}}, "for other names: *.test"},
      {"a.example.test",
       {.dns_names = {"a*.example.test", "*a.example.test", "*"}},
       "for other names: a*.exa"},
      {"a.example.test", {.dns_names = {"a.*.test"}}, "for other names: a.*.test"},
      {"a.example.test", {.dns_names = {"a.example.test."}}, "for other names"},
      {"a.example.test",
       {.dns_names = {"1.test", "2.test", "3.test", "4.test", "5.test", "6.test"}},
       "1.test, 2.test, 3.test, 4.test, 5.test, …"},
  };
  dns_peer names;
  auto options = trusting_options();
  options.dns_servers = {names.address()};
  const auto transport = make_asio_transport(options);
  for (const auto& one : rows) {
    INFO(one.host << " and " << (one.names.dns_names.empty() ? "no DNS name" : one.names.dns_names[0]));
    const auto url = "https://" + std::string{one.host} + "/";
    REQUIRE(std::holds_alternative<endpoint_url>(parse_endpoint_url(url, false)));
    names.set(one.host, {.v4 = {"127.0.0.1"}});
    const http_peer peer{always(answer(200)), trusted::instance().root.issue(one.names)};
    const auto result = send(*transport, request_to(endpoint(true, peer.port(), one.host)));
    INFO(result.error);
    CHECK(class_of(result) == (one.refused.empty() ? "answered" : "tls"));
    CHECK_THAT(result.error, ContainsSubstring(one.refused));
    CHECK(peer.requests().empty() != one.refused.empty());
  }
}

TEST_CASE("what the operator names is trusted: a root, an intermediate, an endpoint's own, several in a file",
          "[transport]") {
  const certificate_authority root{"Named root"};
  const auto intermediate = root.intermediate("Named intermediate");
  const auto issued = intermediate.good();
  const auto direct = root.good();
  const auto other = root.wrong_name();
  const auto own = self_signed_certificate();
  const auto sends_all = certificate{issued.pem + intermediate.pem(), issued.key_pem};
  const auto& stranger = trusted::instance().root;
  struct row {
    const char* what;
    std::string file;
    certificate served;
    std::string refused; ///< empty: accepted
  };
  const std::vector<row> rows{
      {"a root", root.pem(), direct, ""},
      {"a root, the server sends the intermediate", root.pem(), sends_all, ""},
      {"an intermediate", intermediate.pem(), issued, ""},
      {"an intermediate, the server sends it, too", intermediate.pem(), sends_all, ""},
      {"the endpoint's own", direct.pem, direct, ""},
      {"the endpoint's own, of an intermediate", issued.pem, issued, ""},
      {"a self-signed one", own.pem, own, ""},
      {"several in a file", stranger.pem() + "# mine\n" + intermediate.pem() + root.pem(), issued, ""},
      {"the endpoint's own, but for other names", other.pem, other, "for other names: other.example.test"},
      {"a root, the intermediate is missing", root.pem(), issued,
       "has a certificate of an unknown issuer (Named intermediate): either the server leaves out an "
       "intermediate"},
      {"another root, all are sent", stranger.pem(),
       certificate{issued.pem + intermediate.pem() + root.pem(), issued.key_pem},
       "has a certificate of an unknown issuer (Named root): that root is not trusted"},
      {"another's own", direct.pem, issued, "unknown issuer"},
      {"self-signed, but not this one", own.pem, self_signed_certificate(), "self-signed certificate"},
      {"one that is no server's", root.pem(),
       root.issue({.dns_names = {"localhost"}, .addresses = {"127.0.0.1"}, .purposes = "clientAuth"}),
       "has a certificate that is not for servers"},
      {"one that has expired", root.pem(), root.expired(), "that expired on 20"},
  };
  for (const auto& one : rows) {
    INFO(one.what);
    const temporary_file file{one.file};
    auto options = test_options();
    options.ca_files = {file.path()};
    const auto transport = make_asio_transport(options);
    const http_peer peer{always(answer(200)), one.served};
    const auto result = send(*transport, request_to(endpoint(true, peer.port())));
    INFO(result.error);
    CHECK(class_of(result) == (one.refused.empty() ? "answered" : "tls"));
    CHECK_THAT(result.error, ContainsSubstring(one.refused));
  }
}

TEST_CASE("a handshake that the endpoint refuses is explained", "[transport]") {
  struct row {
    const char* what;
    std::function<void(http_peer&)> change;
    std::string says;
  };
  const auto wants_certificate = [](int version) {
    return [version](http_peer& peer) {
      peer.limit_tls_version(version);
      SSL_CTX_set_verify(peer.tls(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    };
  };
  const std::vector<row> rows{
      {"TLS 1.0", [](auto& peer) { peer.limit_tls_version(TLS1_VERSION); }, "speaks no TLS 1.2 or newer"},
      {"TLS 1.1", [](auto& peer) { peer.limit_tls_version(TLS1_1_VERSION); }, "speaks no TLS 1.2 or newer"},
      {"a client certificate, TLS 1.2", wants_certificate(TLS1_2_VERSION),
       "wants a client certificate, and deliveries have none"},
      {"a client certificate, TLS 1.3", wants_certificate(TLS1_3_VERSION),
       "wants a client certificate, and deliveries have none"},
      {"ciphers of its own",
       [](auto& peer) {
         peer.limit_tls_version(TLS1_2_VERSION);
         SSL_CTX_set_cipher_list(peer.tls(), "NULL:@SECLEVEL=0");
       },
       "refused the TLS handshake"},
      {"a name that it does not serve",
       [](auto& peer) {
         SSL_CTX_set_tlsext_servername_callback(
             peer.tls(), +[](SSL*, int* alert, void*) {
               *alert = SSL_AD_UNRECOGNIZED_NAME;
               return SSL_TLSEXT_ERR_ALERT_FATAL;
             });
       },
       "serves nothing under the name localhost"},
      {"a name that it does not serve, said as CDNs do",
       [](auto& peer) {
         SSL_CTX_set_tlsext_servername_callback(
             peer.tls(), +[](SSL*, int* alert, void*) {
               *alert = SSL_AD_INTERNAL_ERROR;
               return SSL_TLSEXT_ERR_ALERT_FATAL;
             });
       },
       "many servers do so for a name that they do not serve, here localhost"},
      {"HTTP/2 alone",
       [](auto& peer) {
         SSL_CTX_set_alpn_select_cb(
             peer.tls(),
             +[](SSL*, const unsigned char**, unsigned char*, const unsigned char*, unsigned, void*) {
               return SSL_TLSEXT_ERR_ALERT_FATAL;
             },
             nullptr);
       },
       "does not speak HTTP/1.1 there"},
  };
  const auto transport = make_asio_transport(trusting_options());
  for (const auto& one : rows) {
    INFO(one.what);
    http_peer peer{always(answer(200)), trusted::instance().root.good()};
    one.change(peer);
    const auto result = send(*transport, request_to(endpoint(true, peer.port(), "localhost")));
    INFO(result.error);
    CHECK(class_of(result) == "tls");
    CHECK_THAT(result.error, StartsWith("localhost (127.0.0.1:"));
    CHECK_THAT(result.error, ContainsSubstring(one.says));
    CHECK_THAT(result.error, !ContainsSubstring("sslv3"));
  }
}

TEST_CASE("what speaks something else than TLS is said to be no TLS", "[transport]") {
  const auto transport = make_asio_transport(trusting_options());
  for (const auto* greeting : {"HTTP/1.0 400 Bad Request\r\n\r\n", "220 mail.example.test ESMTP\r\n",
                               "SSH-2.0-OpenSSH_9.2\r\n", "<!DOCTYPE html><html>", "no TLS at all"}) {
    INFO(greeting);
    const http_peer peer{[greeting](http_peer::connection& c) {
      c.send(greeting);
      c.hang();
    }};
    const auto result = send(*transport, request_to(endpoint(true, peer.port())));
    CHECK(class_of(result) == "tls");
    CHECK_THAT(result.error, ContainsSubstring("answered with something that is not TLS"));
  }
}

TEST_CASE("what is not TLS 1.2 or newer is of class tls", "[transport]") {
  const auto transport = make_asio_transport(trusting_options());
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
  const auto transport = make_asio_transport(trusting_options());
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

namespace {

/// A transport whose one CA file changes, and an endpoint with a certificate of `trusted`'s root.
struct changing_roots {
  explicit changing_roots(const std::string& first) : roots{first} {
    auto options = test_options();
    options.ca_files = {roots.path()};
    options.log_warning = [this](const std::string& line) {
      warnings += line.starts_with("the CA file " + roots.path()) ? 1 : 0;
      hangs += line.find("from a mount that hangs?") != std::string::npos ? 1 : 0;
    };
    transport = make_asio_transport(options);
  }

  /// As a package does it: the file is replaced.
  void replace(const std::string& pem) const {
    std::ofstream{roots.path() + ".new"} << pem;
    std::filesystem::rename(roots.path() + ".new", roots.path());
  }
  [[nodiscard]] bool delivers() const {
    return send(*transport, request_to(endpoint(true, peer.port()))).status == 200;
  }
  /// They are read beside deliveries.
  template <class Question>
  [[nodiscard]] static bool soon(Question is_so) {
    for (int i = 0; i < 3'000; ++i, std::this_thread::sleep_for(std::chrono::milliseconds{10}))
      if (is_so())
        return true;
    return false;
  }

  const http_peer peer{[](http_peer::connection& c) {
                         if (c.read_request())
                           c.send(answer(200, "", "Connection: close\r\n"));
                       },
                       trusted::instance().root.good()};
  const temporary_file roots;
  std::atomic<int> warnings = 0;
  std::atomic<int> hangs = 0;
  std::unique_ptr<http_transport> transport;
};

/// Whoever opens the file from now on waits until this is gone (45 s at most): a lease of the kernel's.
class held_file {
public:
  explicit held_file(const std::string& path) : number_{::open(path.c_str(), O_RDWR | O_CLOEXEC)} {
    std::signal(SIGIO, SIG_IGN);
    // Not while somebody has it open.
    REQUIRE(changing_roots::soon([this] { return ::fcntl(number_, F_SETLEASE, F_WRLCK) == 0; }));
  }
  held_file(const held_file&) = delete;
  held_file& operator=(const held_file&) = delete;
  ~held_file() { ::close(number_); }

  [[nodiscard]] bool is_waited_for() const { return ::fcntl(number_, F_GETLEASE) != F_WRLCK; }

private:
  int number_;
};

} // namespace

TEST_CASE("trust roots are read again when their file changes, and at once when that is asked for",
          "[transport]") {
  const certificate_authority other{"Some other root"};
  changing_roots w{other.pem()};
  REQUIRE_FALSE(w.delivers());
  SECTION("when it changes") {
    w.replace(trusted::instance().root.pem());
    CHECK(w.soon([&] { return w.delivers(); }));
    // A session would be resumed without another look at the certificate.
    w.replace(other.pem());
    CHECK(w.soon([&] { return !w.delivers(); }));
    CHECK_FALSE(w.delivers());
  }
  SECTION("when that is asked for") {
    w.replace(trusted::instance().root.pem());
    w.transport->reload();
    CHECK(w.soon([&] { return w.delivers(); }));
    w.replace(other.pem());
    w.transport->reload();
    CHECK(w.soon([&] { return !w.delivers(); }));
    CHECK_FALSE(w.delivers());
  }
  SECTION("while the file can't be read the roots stay what they were") {
    w.replace(trusted::instance().root.pem());
    w.transport->reload();
    CHECK(w.soon([&] { return w.delivers(); }));
    CHECK(w.warnings == 0);
    w.replace("not a certificate");
    w.transport->reload();
    CHECK(w.soon([&] { return w.warnings > 0; }));
    CHECK(w.delivers());
    const auto of_garbage = w.warnings.load();
    std::filesystem::remove(w.roots.path());
    w.transport->reload();
    CHECK(w.soon([&] { return w.warnings > of_garbage; }));
    CHECK(w.delivers());
  }
}

TEST_CASE("trust roots that hang when they are read hold up no delivery, and no end", "[transport]") {
  const certificate_authority other{"Some other root"};
  changing_roots w{trusted::instance().root.pem()};
  CHECK(w.delivers());
  w.replace(other.pem() + trusted::instance().root.pem() + other.pem());
  {
    const held_file held{w.roots.path()};
    w.transport->reload();
    REQUIRE(w.soon([&] { return held.is_waited_for(); }));
    for (int i = 0; i < 10; ++i)
      CHECK(w.delivers()); // by those that are trusted already
    w.transport->reload();
    CHECK(w.hangs == 1);
    SECTION("it goes on, and they are what is in it then") {
      std::ofstream{w.roots.path() + ".new"} << other.pem();
      std::filesystem::rename(w.roots.path() + ".new", w.roots.path());
    }
    SECTION("the transport ends") {
      w.transport.reset();
      CHECK(held.is_waited_for());
      return;
    }
  }
  CHECK(w.soon([&] { return !w.delivers(); }));
}

TEST_CASE("a CA file that can't be read is refused in one clear line", "[transport]") {
  auto options = test_options();
  options.ca_files = {"/nonexistent/roots.pem"};
  CHECK_THROWS_WITH(make_asio_transport(options),
                    StartsWith("the CA file /nonexistent/roots.pem can't be read: "));
  const temporary_file garbage{"not a certificate"};
  options.ca_files = {garbage.path()};
  CHECK_THROWS_WITH(make_asio_transport(options), StartsWith("the CA file " + garbage.path()));
}
