#pragma once

#include "tests/support/certificates.hpp"
#include "tests/support/http_peer.hpp"
#include "transport/asio_transport.hpp"

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace vicket::testing {

/// Long enough that only a bug lets a request of a healthy peer run into it.
constexpr std::int64_t ample_ms = 10'000;

/// Short, where the time-out is what is tested.
constexpr std::int64_t short_ms = 400;

/// Loopback may be dialled; the rest of the guard stands.
inline transport_options test_options() {
  transport_options options;
  options.guard = address_guard{{*ip_range::parse("127.0.0.0/8")}};
  return options;
}

/// One root for all tests of the program, and transports that trust it.
struct trusted {
  certificate_authority root;
  temporary_file file{root.pem()};

  static const trusted& instance() {
    static const trusted one;
    return one;
  }
};

inline transport_options trusting_options() {
  auto options = test_options();
  options.ca_files = {trusted::instance().file.path()};
  return options;
}

inline std::shared_ptr<const http_endpoint> endpoint(bool tls, std::uint16_t port,
                                                     const std::string& host = "127.0.0.1") {
  auto result = std::make_shared<http_endpoint>();
  result->tls = tls;
  result->host = host;
  result->port = port;
  result->target = "/hook?x=1";
  result->host_header = host + ":" + std::to_string(port);
  return result;
}

inline http_request request_to(std::shared_ptr<const http_endpoint> to, std::int64_t timeout_ms = ample_ms,
                               std::string body = R"({"id":"1"})") {
  http_request request;
  request.endpoint = std::move(to);
  request.header_lines =
      "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  request.body = std::make_shared<const std::string>(std::move(body));
  request.timeout_ms = timeout_ms;
  return request;
}

inline std::future<http_result> begin(http_transport& transport, http_request request) {
  auto promise = std::make_shared<std::promise<http_result>>();
  auto future = promise->get_future();
  transport.post(std::move(request),
                 [promise](http_result result) { promise->set_value(std::move(result)); });
  return future;
}

inline http_result send(http_transport& transport, http_request request) {
  return begin(transport, std::move(request)).get();
}

/// The outcome class as text, "answered" for a complete answer: failures of a test then name both.
inline std::string class_of(const http_result& result) {
  if (!result.failure)
    return "answered";
  switch (*result.failure) {
  case outcome::timeout:
    return "timeout";
  case outcome::dns:
    return "dns";
  case outcome::connect:
    return "connect";
  case outcome::tls:
    return "tls";
  case outcome::protocol:
    return "protocol";
  case outcome::blocked:
    return "blocked";
  default:
    return "a class that a transport must not give";
  }
}

} // namespace vicket::testing
