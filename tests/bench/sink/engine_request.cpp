#include "tests/bench/sink/engine_request.hpp"

#include "messages/connector.hpp"
#include "policy/request_head.hpp"
#include "policy/signer.hpp"

#include <array>
#include <cstdio>

namespace vicket::testing {

std::string engine_id(unsigned number) {
  std::array<char, 37> text{};
  std::snprintf(text.data(), text.size(), "9f2c1b7e-0000-7000-8000-%012x", number);
  return text.data();
}

std::string engine_body(unsigned number) {
  return R"({"id":")" + engine_id(number) + R"(","event":"ticket.opened","data":{"number":)" +
         std::to_string(number) + "}}";
}

std::string engine_request(std::string_view path, unsigned number, std::int64_t unix_seconds,
                           std::string_view secret) {
  const auto id = event_id::parse(engine_id(number)).value();
  const auto body = engine_body(number);
  const request_head head{connector{}, {}, "0.1.0"};
  return "POST " + std::string{path} + " HTTP/1.1\r\nHost: localhost\r\n" +
         head.header_lines(id, unix_seconds, body, signing_key{secret}) + "\r\n" + body;
}

} // namespace vicket::testing
