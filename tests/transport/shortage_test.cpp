// What this node is short of is no failure of the endpoint's: real descriptors, and ports by the seam.

#include "tests/support/dns_peer.hpp"
#include "tests/support/swallowing_port.hpp"
#include "tests/support/used_up_descriptors.hpp"
#include "tests/transport/transport_fixture.hpp"
#include "transport/tls_context.hpp"
#include "transport/trust_roots.hpp"

#include <arpa/inet.h>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

using namespace vicket;
using namespace vicket::testing;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr auto name = "short.example.test";

/// A port where the system takes connections and nobody ever reads: no descriptor of ours for any of them.
class silent_listener {
public:
  silent_listener() {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    REQUIRE(::bind(socket_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
    REQUIRE(::listen(socket_, 128) == 0);
    REQUIRE(::getsockname(socket_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    port_ = ntohs(at.sin_port);
  }
  silent_listener(const silent_listener&) = delete;
  silent_listener& operator=(const silent_listener&) = delete;
  ~silent_listener() { ::close(socket_); }

  [[nodiscard]] std::uint16_t port() const { return port_; }

private:
  int socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::uint16_t port_ = 0;
};

/// The number that `connect` fails with towards an address; 0: it does not.
std::function<int(const std::string&)> connect_fails;

int scripted_connect(int socket, const sockaddr* to, socklen_t size) {
  char text[INET6_ADDRSTRLEN] = {};
  if (to->sa_family == AF_INET)
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(to)->sin_addr, text, sizeof text);
  else
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(to)->sin6_addr, text, sizeof text);
  if (const auto number = connect_fails(text); number != 0) {
    errno = number;
    return -1;
  }
  return ::connect(socket, to, size);
}

/// "short of …" or the class of the failure.
std::string told(const http_result& result) {
  if (result.shortage)
    return (result.shortage->of_destination ? "short on the way: " : "short: ") + result.shortage->what;
  return class_of(result);
}

http_peer::script one_answer() {
  return [](http_peer::connection& c) {
    if (c.read_request())
      c.send(answer(200, "", "Connection: close\r\n"));
  };
}

/// One TLS handshake within this thread, so that it needs no descriptor but the two that it begins with.
class handshake final : public tls_session_owner {
public:
  handshake() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_.data()) == 0); }
  handshake(const handshake&) = delete;
  handshake& operator=(const handshake&) = delete;
  ~handshake() {
    for (const auto end : ends_)
      ::close(end);
  }

  /// Whether `trusting` accepts it.
  bool accepts(const tls_context& trusting, const certificate& shown) {
    const internal::ssl_context_ptr context{SSL_CTX_new(TLS_server_method())};
    const std::unique_ptr<BIO, decltype(&BIO_free)> pem{BIO_new_mem_buf(shown.pem.data(), -1), &BIO_free};
    const std::unique_ptr<BIO, decltype(&BIO_free)> key_pem{BIO_new_mem_buf(shown.key_pem.data(), -1),
                                                            &BIO_free};
    const std::unique_ptr<X509, decltype(&X509_free)> own{
        PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr), &X509_free};
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{
        PEM_read_bio_PrivateKey(key_pem.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free};
    REQUIRE(SSL_CTX_use_certificate(context.get(), own.get()) == 1);
    REQUIRE(SSL_CTX_use_PrivateKey(context.get(), key.get()) == 1);
    const internal::ssl_ptr server{SSL_new(context.get())};
    REQUIRE(SSL_set_fd(server.get(), ends_[1]) == 1);
    SSL_set_accept_state(server.get());
    const auto client = trusting.open(ends_[0], host_, nullptr, *this);
    REQUIRE(client);
    for (auto i = 0; i < 10; ++i) {
      const auto done = SSL_do_handshake(client.get());
      if (done == 1)
        return true;
      if (SSL_get_error(client.get(), done) != SSL_ERROR_WANT_READ)
        break;
      static_cast<void>(SSL_do_handshake(server.get()));
    }
    static_cast<void>(take_tls_errors());
    return false;
  }

  void on_ticket(ssl_session_ptr) override {}
  void on_certificate_refused(std::string reason) override { refused = std::move(reason); }
  void on_certificate_asked() override {}
  void on_shortage(std::string what) override { shortage = std::move(what); }
  [[nodiscard]] const std::string& host() const override { return host_; }

  std::string refused, shortage;

private:
  std::string host_ = "localhost";
  std::array<int, 2> ends_{};
};

/// Sends it again and again, until it is answered. False: that did not come.
bool answered_at_last(http_transport& transport, const std::function<http_request()>& make) {
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (std::chrono::steady_clock::now() < end)
    if (send(transport, make()).status == 200)
      return true;
  return false;
}

} // namespace

TEST_CASE("without a descriptor a request is short of it, and goes once there is one", "[transport]") {
  const http_peer peer{always(answer(200))};
  const auto transport = make_asio_transport(test_options());
  used_up_descriptors none;
  for (int i = 0; i < 3; ++i) {
    const auto result = send(*transport, request_to(endpoint(false, peer.port())));
    CHECK(told(result) == "short: file descriptors (Too many open files)");
    CHECK_FALSE(result.failure);
    CHECK_FALSE(result.status);
  }
  none.give_back(2);
  CHECK(send(*transport, request_to(endpoint(false, peer.port()))).status == 200);
}

TEST_CASE("idle connections are given up before a request is short of a descriptor", "[transport]") {
  const http_peer peer{always(answer(200))};
  const silent_listener other;
  const auto transport = make_asio_transport(test_options());
  REQUIRE(send(*transport, request_to(endpoint(false, peer.port()))).status == 200);
  const used_up_descriptors none;
  const auto result = send(*transport, request_to(endpoint(false, other.port()), short_ms));
  CHECK(told(result) == "timeout");
  CHECK_THAT(result.error, ContainsSubstring("waiting for the response headers"));
}

TEST_CASE("connections have a budget, so that the store keeps its descriptors", "[transport]") {
  const http_peer peer{always(answer(200))};
  const silent_listener silent;
  auto options = test_options();
  options.sockets.budget = std::make_shared<socket_budget>(2);
  const auto transport = make_asio_transport(options);
  REQUIRE(send(*transport, request_to(endpoint(false, peer.port()))).status == 200); // one idle
  auto first = begin(*transport, request_to(endpoint(false, silent.port()), ample_ms));
  auto second = begin(*transport, request_to(endpoint(false, silent.port()), 1'000));
  CHECK_THAT(told(send(*transport, request_to(endpoint(false, silent.port())))),
             ContainsSubstring("short: file descriptors"));
  CHECK(told(second.get()) == "timeout");
  CHECK(send(*transport, request_to(endpoint(false, peer.port()))).status == 200); // its place is free again
}

TEST_CASE("a name that can't be looked up for want of a descriptor is no failure of the name",
          "[transport]") {
  dns_peer names, failing;
  names.set(name, {.v4 = {"127.0.0.1"}});
  failing.set(name, {.what = dns_answer::kind::server_failure});
  const http_peer peer{one_answer()};
  const auto of_name = [&] { return request_to(endpoint(false, peer.port(), name)); };
  auto options = test_options();
  SECTION("the hosts file can't be opened") {
    options.dns_servers = {names.address()};
    const auto transport = make_asio_transport(options);
    used_up_descriptors none;
    CHECK(told(send(*transport, of_name())) == "short: file descriptors (Too many open files)");
    CHECK(names.asked(name) == 0);
    none.give_back(4);
    CHECK(send(*transport, of_name()).status == 200);
  }
  SECTION("there is no socket for the second name server") {
    options.dns_servers = {failing.address(), names.address()};
    const auto transport = make_asio_transport(options);
    used_up_descriptors none;
    none.give_back(1);
    CHECK(told(send(*transport, of_name())) == "short: file descriptors (Too many open files)");
    none.give_back(4);
    CHECK(send(*transport, of_name()).status == 200);
  }
  SECTION("there is none for the connection") {
    options.dns_servers = {names.address()};
    const auto transport = make_asio_transport(options);
    used_up_descriptors none;
    none.give_back(1);
    CHECK(told(send(*transport, of_name())) == "short: file descriptors (Too many open files)");
    CHECK(names.asked(name) > 0);
    none.give_back(4);
    CHECK(send(*transport, of_name()).status == 200);
  }
}

TEST_CASE("name servers that can't be read again stay as they were until they can", "[transport]") {
  dns_peer before, after;
  before.set(name, {.v4 = {"127.0.0.1"}});
  after.set(name, {.v4 = {"127.0.0.1"}});
  const http_peer peer{one_answer()};
  const auto of_name = [&] { return request_to(endpoint(false, peer.port(), name)); };
  const temporary_file file{"nameserver " + before.address() + "\n"};
  auto options = test_options();
  options.resolv_conf = file.path();
  const auto transport = make_asio_transport(options);
  REQUIRE(send(*transport, of_name()).status == 200);
  {
    used_up_descriptors none;
    none.give_back(1);
    std::ofstream{file.path()} << "nameserver " << after.address() << "\n";
    const used_up_descriptors again;
    transport->reload();
    CHECK(told(send(*transport, of_name())) == "short: file descriptors (Too many open files)");
  }
  REQUIRE(answered_at_last(*transport, of_name)); // by the old ones, it may be
  CHECK(answered_at_last(
      *transport, [&] { return after.asked(name) > 0 ? of_name() : request_to(endpoint(false, 1, name)); }));
}

TEST_CASE("a certificate that can't be judged without a descriptor is no fault of the endpoint's",
          "[transport]") {
  const certificate_authority stranger{"Some other root"};
  const auto unknown = stranger.good();
  const auto known = trusted::instance().root.good();
  const tls_context context{trust_roots{{trusted::instance().file.path()}}.read()};
  handshake first, second, third;
  bool accepts_first = true;
  bool accepts_second = false;
  { // judged after it: a sanitizer that looks at a new type of expression needs a descriptor itself
    const used_up_descriptors none; // the issuer may be among the system's roots, which are files
    accepts_first = first.accepts(context, unknown);
    accepts_second = second.accepts(context, known);
  }
  CHECK(!accepts_first);
  CHECK(first.shortage == "file descriptors (Too many open files)");
  CHECK(accepts_second);
  CHECK(second.shortage.empty());
  CHECK(!third.accepts(context, unknown));
  CHECK(third.shortage.empty());
  CHECK_THAT(third.refused, ContainsSubstring("unknown issuer (Some other root)"));
}

TEST_CASE("trust roots that can't be read again for want of a descriptor stay, with one line, until they can",
          "[transport]") {
  const certificate_authority other{"Some other root"};
  const temporary_file file{trusted::instance().root.pem()};
  auto lines = std::vector<std::string>{};
  auto roots = trust_roots{{file.path()}};
  auto context = tls_context{roots.read()};
  // Whether others are trusted from then on.
  const auto take = [&](trust_roots::news found) {
    if (!found.line.empty())
      lines.push_back(found.line);
    if (!found.fresh)
      return false;
    context.take(std::move(found.fresh));
    return true;
  };
  auto now = std::chrono::steady_clock::now();
  const auto trusts = [&](const certificate_authority& root) {
    return handshake{}.accepts(context, root.good());
  };
  std::ofstream{file.path()} << other.pem();
  auto times_read = 0;
  bool trusts_as_before = false;
  { // judged after it, see above
    used_up_descriptors none;
    for (auto i = 0; i < 3; ++i) {
      now += watched_files::look_interval;
      times_read += take(roots.refresh(now)) ? 1 : 0;
    }
    times_read += take(roots.reload()) ? 1 : 0;
    none.give_back(2);
    trusts_as_before = trusts(trusted::instance().root);
  }
  CHECK(times_read == 0);
  REQUIRE(lines.size() == 1);
  CHECK_THAT(lines[0], ContainsSubstring("Too many open files") &&
                           ContainsSubstring("trust what they trusted before, until it can be"));
  CHECK(trusts_as_before);
  CHECK(take(roots.refresh(now + watched_files::look_interval)));
  CHECK(trusts(other));
  CHECK(!trusts(trusted::instance().root));
  CHECK(lines.size() == 1);
}

TEST_CASE("where no local port is left towards an address, requests to it are short, and no others",
          "[transport]") {
  const http_peer peer{one_answer(), {.address = "127.0.0.2"}};
  const http_peer other{one_answer()};
  connect_fails = [](const std::string& to) { return to == "127.0.0.2" ? EADDRNOTAVAIL : 0; };
  auto options = test_options();
  options.sockets.connect = scripted_connect;
  const auto transport = make_asio_transport(options);
  const auto to_peer = [&] { return request_to(endpoint(false, peer.port(), "127.0.0.2")); };
  CHECK_THAT(told(send(*transport, to_peer())),
             ContainsSubstring("short on the way: local ports towards 127.0.0.2:"));
  CHECK(send(*transport, request_to(endpoint(false, other.port()))).status == 200);
  connect_fails = [](const std::string&) { return 0; };
  CHECK(send(*transport, to_peer()).status == 200);
}

TEST_CASE("an address that no interface has a way to is the endpoint's, not a shortage", "[transport]") {
  connect_fails = [](const std::string&) { return EADDRNOTAVAIL; };
  auto options = test_options();
  options.guard = address_guard{{*ip_range::parse("255.255.255.255/32")}};
  options.sockets.connect = scripted_connect;
  const auto transport = make_asio_transport(options);
  CHECK(told(send(*transport, request_to(endpoint(false, 80, "255.255.255.255")))) == "connect");
}

TEST_CASE("what the system says about the way to an address: ours or not", "[transport]") {
  int number = 0;
  connect_fails = [&](const std::string&) { return number; };
  auto options = test_options();
  options.sockets.connect = scripted_connect;
  const auto transport = make_asio_transport(options);
  for (const auto& [fails_with, ours] : std::vector<std::pair<int, bool>>{{ENOBUFS, true},
                                                                          {ENOMEM, true},
                                                                          {EMFILE, true},
                                                                          {ENFILE, true},
                                                                          {EACCES, false},
                                                                          {EPERM, false},
                                                                          {ENETUNREACH, false},
                                                                          {EHOSTUNREACH, false},
                                                                          {ECONNREFUSED, false}}) {
    number = fails_with;
    CAPTURE(number);
    const auto result = send(*transport, request_to(endpoint(false, 9)));
    CHECK(result.shortage.has_value() == ours);
    CHECK(class_of(result) == (ours ? "answered" : "connect"));
  }
}

TEST_CASE("in a race one address's shortage is no verdict while others run", "[transport]") {
  const http_peer good{one_answer(), {.address = "127.0.0.3"}};
  dns_peer names;
  names.set(name, {.v4 = {"127.0.0.2", "127.0.0.3"}});
  auto options = test_options();
  options.dns_servers = {names.address()};
  options.sockets.connect = scripted_connect;
  const auto send_to_name = [&] {
    return send(*make_asio_transport(options), request_to(endpoint(false, good.port(), name)));
  };
  SECTION("the other one answers") {
    connect_fails = [](const std::string& to) { return to == "127.0.0.2" ? ENOBUFS : 0; };
    CHECK(send_to_name().status == 200);
  }
  SECTION("all are short") {
    connect_fails = [](const std::string&) { return ENOBUFS; };
    CHECK_THAT(told(send_to_name()), ContainsSubstring("short on the way: memory"));
  }
  SECTION("on the way to one, and the other refuses: that is a verdict") {
    connect_fails = [](const std::string& to) { return to == "127.0.0.2" ? ENOBUFS : ECONNREFUSED; };
    const auto result = send_to_name();
    CHECK(told(result) == "connect");
    CHECK_THAT(result.error, ContainsSubstring("127.0.0.2:") && ContainsSubstring("127.0.0.3:"));
  }
  SECTION("the process is short of descriptors, and one address refuses: the other was not tried") {
    connect_fails = [](const std::string& to) { return to == "127.0.0.2" ? ECONNREFUSED : 0; };
    const swallowing_port silent{"127.0.0.4", good.port()};
    names.set(name, {.v4 = {"127.0.0.4", "127.0.0.2", "127.0.0.3"}});
    options.sockets.budget = std::make_shared<socket_budget>(1);
    const auto transport = make_asio_transport(options);
    const auto result = send(*transport, request_to(endpoint(false, good.port(), name), 1'500));
    CHECK(told(result) == "timeout"); // the first one had its descriptor, and never answered
    CHECK_THAT(result.error, ContainsSubstring("127.0.0.4:") && ContainsSubstring("127.0.0.3:"));
    options.sockets.budget = std::make_shared<socket_budget>(0);
    CHECK_THAT(told(send_to_name()), ContainsSubstring("short: file descriptors"));
  }
}

TEST_CASE("after bytes of a request were sent nothing is a shortage any more", "[transport]") {
  const http_peer peer{[](http_peer::connection& c) {
    if (c.read_request())
      c.send(answer(200));
    static_cast<void>(c.read_request()); // and closes instead of an answer
  }};
  connect_fails = [](const std::string&) { return 0; };
  auto options = test_options();
  options.sockets.connect = scripted_connect;
  const auto transport = make_asio_transport(options);
  REQUIRE(send(*transport, request_to(endpoint(false, peer.port()))).status == 200);
  connect_fails = [](const std::string&) { return ENOBUFS; };
  const auto result = send(*transport, request_to(endpoint(false, peer.port())));
  CHECK(told(result) == "connect");
  CHECK_THAT(result.error, ContainsSubstring("No buffer space"));
  CHECK(peer.requests().size() == 2);
}
