#include "bench/cost/counting_transport.hpp"

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <string>

using namespace vicket;
using namespace vicket::bench;

namespace {

const std::string digest(64, 'a');
const std::string signed_lines =
    "Content-Type: application/json\r\nX-Vicket-Signature: hmac-sha256, t=1779546071, v1=" + digest + "\r\n";

std::string body_of(const std::string& number) {
  return R"({"id":"01234567-89ab-4cde-8000-0000)" + number + R"(","data":{}})";
}

/// The status that it is answered with; 0: it was not.
std::uint16_t post(counting_transport& transport, std::string header_lines, std::string body) {
  http_request request;
  request.header_lines = std::move(header_lines);
  request.body = std::make_shared<const std::string>(std::move(body));
  std::uint16_t status = 0;
  transport.post(std::move(request), [&](const http_result& result) { status = result.status.value_or(0); });
  return status;
}

} // namespace

TEST_CASE("every request is answered at once and counted") {
  counting_transport transport{16};
  CHECK(post(transport, signed_lines, body_of("00000000")) == 200);
  CHECK(post(transport, signed_lines, body_of("0000000f")) == 200);
  CHECK(transport.requests() == 2);
  CHECK(transport.with_signature() == 2);
  CHECK(transport.events() == 2);
  CHECK(transport.body_bytes() == 2 * body_of("00000000").size());
}

TEST_CASE("an event that is posted twice counts once, and one that was not sent counts not at all") {
  counting_transport transport{16};
  post(transport, signed_lines, body_of("00000003"));
  post(transport, signed_lines, body_of("00000003"));
  post(transport, signed_lines, body_of("00000010"));
  post(transport, signed_lines, body_of("0000000x"));
  post(transport, signed_lines, "");
  CHECK(transport.requests() == 5);
  CHECK(transport.events() == 1);
}

TEST_CASE("a request without a whole signature is not counted as signed") {
  counting_transport transport{16};
  post(transport, "Content-Type: application/json\r\n", body_of("00000000"));
  post(transport, "A: b\r\nX-Vicket-Signature: hmac-sha256, t=1779546071, v1=\r\n", body_of("00000001"));
  post(transport, "A: b\r\nX-Vicket-Signature: hmac-sha256, t=1779546071\r\n", body_of("00000002"));
  CHECK(transport.requests() == 3);
  CHECK(transport.with_signature() == 0);
}
