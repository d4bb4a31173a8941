#include "bench/sink/request_parser.hpp"

#include "tests/bench/sink/engine_request.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

using namespace vicket::bench;
using namespace std::literals;
using outcome = parse_result::outcome;

namespace {

const std::string simple = "POST /ok/7 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello";

parse_result parse(std::string_view bytes) {
  return request_parser{}.parse(bytes);
}

std::string with_lines(const std::string& lines, const std::string& version = "1.1") {
  return "POST /ok/7 HTTP/" + version + "\r\n" + lines + "\r\n";
}

} // namespace

TEST_CASE("a request as the engine sends it is read with all that the sink looks at") {
  const auto text = vicket::testing::engine_request("/ok/12", 5, 1'716'475'271);
  const auto result = parse(text);
  REQUIRE(result.what == outcome::complete);
  CHECK(result.bytes == text.size());
  CHECK(result.value.path == "/ok/12");
  CHECK(result.value.body == vicket::testing::engine_body(5));
  CHECK(result.value.webhook_id == vicket::testing::engine_id(5));
  CHECK(result.value.webhook_timestamp == "1716475271");
  CHECK(result.value.webhook_signature.starts_with("v1,"));
  CHECK(result.value.vicket_signature.starts_with("hmac-sha256, t=1716475271, v1="));
  CHECK(result.value.keep_alive);
  CHECK_FALSE(result.value.http_1_0);
}

TEST_CASE("a request may come in any two pieces") {
  for (const auto& text : {simple, "POST /ok/7 HTTP/1.1\r\nContent-Length: 0\r\n\r\n"s,
                           "POST /ok/7 HTTP/1.1\r\nContent-Length: 8\r\n\r\n\r\n\r\n\r\n\r\n"s,
                           vicket::testing::engine_request("/ok/7", 1, 1'716'475'271)})
    for (std::size_t at = 0; at < text.size(); ++at) {
      INFO(text << " split at " << at);
      request_parser parser;
      REQUIRE(parser.parse(std::string_view{text}.substr(0, at)).what == outcome::incomplete);
      const auto result = parser.parse(text);
      REQUIRE(result.what == outcome::complete);
      CHECK(result.bytes == text.size());
      CHECK(result.value.path == "/ok/7");
      CHECK(result.value.body == parse(text).value.body);
    }
}

TEST_CASE("a request may come byte by byte, wherever its bytes lie each time") {
  request_parser parser;
  for (std::size_t bytes = 0; bytes < simple.size(); ++bytes) {
    const auto elsewhere = simple.substr(0, bytes);
    REQUIRE(parser.parse(elsewhere).what == outcome::incomplete);
  }
  const auto elsewhere = simple;
  const auto result = parser.parse(elsewhere);
  REQUIRE(result.what == outcome::complete);
  CHECK(result.value.body == "hello");
  CHECK(result.value.body.data() == elsewhere.data() + elsewhere.size() - 5);
}

TEST_CASE("requests may follow one another without a pause") {
  const auto first = simple;
  const auto second = "POST /hang/8 HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"s;
  const auto text = first + second + first.substr(0, 10);
  request_parser parser;
  const auto one = parser.parse(text);
  REQUIRE(one.what == outcome::complete);
  CHECK(one.value.body == "hello");
  const auto two = parser.parse(std::string_view{text}.substr(one.bytes));
  REQUIRE(two.what == outcome::complete);
  CHECK(two.value.path == "/hang/8");
  CHECK(two.value.body == "{}");
  CHECK(parser.parse(std::string_view{text}.substr(one.bytes + two.bytes)).what == outcome::incomplete);
}

TEST_CASE("a request says whether its connection is to stay open") {
  struct row {
    const char* version;
    const char* line;
    bool keep_alive;
  };
  for (const auto& [version, line, keep_alive] : {
           row{"1.1", "", true},
           row{"1.1", "Connection: close\r\n", false},
           row{"1.1", "Connection: Keep-Alive\r\n", true},
           row{"1.1", "connection:  Upgrade , CLOSE\r\n", false},
           row{"1.1", "Connection: closed\r\n", true},
           row{"1.0", "", false},
           row{"1.0", "Connection: keep-alive\r\n", true},
           row{"1.0", "Connection: close\r\n", false},
       }) {
    INFO(version << " " << line);
    const auto text = with_lines("Content-Length: 0\r\n"s + line, version);
    const auto result = parse(text);
    REQUIRE(result.what == outcome::complete);
    CHECK(result.value.keep_alive == keep_alive);
    CHECK(result.value.http_1_0 == (version == "1.0"s));
  }
}

TEST_CASE("header names are read in either case, values without the blanks around them") {
  const auto text =
      with_lines("CONTENT-LENGTH:\t0 \r\nWebhook-ID:  abc \t\r\nx-vicket-SIGNATURE:s\r\nX-Empty:\r\n");
  const auto result = parse(text);
  REQUIRE(result.what == outcome::complete);
  CHECK(result.value.webhook_id == "abc");
  CHECK(result.value.vicket_signature == "s");
  CHECK(result.value.webhook_signature.empty());
}

TEST_CASE("what is no request that can be answered is refused with the status that says why") {
  struct row {
    std::string text;
    int status;
  };
  const auto max_body = std::to_string(max_request_body_bytes);
  for (const auto& [text, status] : {
           row{"\r\n\r\n", 400},
           row{"hello\r\n\r\n", 400},
           row{"POST /ok/1\r\n\r\n", 400},
           row{"POST  HTTP/1.1\r\n\r\n", 400},
           row{"POST /ok/1 HTTQ/1.1\r\n\r\n", 400},
           row{"POST /ok/1  HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400},
           row{"PO\x01T /ok/1 HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400},
           row{"POST /ok/1 HTTP/2.0\r\nContent-Length: 0\r\n\r\n", 505},
           row{"GET /ok/1 HTTP/1.1\r\nHost: x\r\n\r\n", 405},
           row{with_lines("no colon\r\n"), 400},
           row{with_lines(": no name\r\n"), 400},
           row{with_lines("Content-Length : 0\r\n"), 400},
           row{with_lines("Content-Length: 0\r\n folded: line\r\n"), 400},
           row{with_lines("X-A: b\nContent-Length: 0\r\n"), 400},
           row{with_lines("X-A: b\rContent-Length: 0\r\n"), 400},
           row{with_lines("Content-Length: \r\n"), 400},
           row{with_lines("Content-Length: -1\r\n"), 400},
           row{with_lines("Content-Length: +1\r\n"), 400},
           row{with_lines("Content-Length: 1x\r\n"), 400},
           row{with_lines("Content-Length: 0\r\nContent-Length: 0\r\n"), 400},
           row{with_lines(""), 411},
           row{with_lines("Transfer-Encoding: chunked\r\n"), 411},
           row{with_lines("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 411},
           row{with_lines("Content-Length: 99999999999999999999999\r\n"), 413},
           row{with_lines("Content-Length: " + std::to_string(max_request_body_bytes + 1) + "\r\n"), 413},
       }) {
    INFO(text);
    const auto result = parse(text);
    CHECK(result.what == outcome::refused);
    CHECK(result.status == status);
  }
  CHECK(parse(with_lines("Content-Length: " + max_body + "\r\n")).what == outcome::incomplete);
}

TEST_CASE("a request's head has 16 KiB, and what is longer is refused without waiting for its end") {
  const auto start = "POST /ok/7 HTTP/1.1\r\nContent-Length: 1\r\nX-Long: "s;
  const auto longest = start + std::string(max_request_head_bytes - start.size() - 4, 'x') + "\r\n\r\n";
  REQUIRE(longest.size() == max_request_head_bytes);
  CHECK(parse(longest).what == outcome::incomplete);
  CHECK(parse(longest + "!").what == outcome::complete);

  const auto too_long = start + std::string(max_request_head_bytes - start.size() - 3, 'x') + "\r\n\r\n!";
  CHECK(parse(too_long).status == 431);
  const auto endless = start + std::string(max_request_head_bytes - start.size(), 'x');
  CHECK(parse(endless).status == 431);
  CHECK(parse(std::string_view{endless}.substr(0, max_request_head_bytes - 1)).what == outcome::incomplete);
}

TEST_CASE("a request's body has 1 MiB") {
  const auto head = with_lines("Content-Length: " + std::to_string(max_request_body_bytes) + "\r\n");
  const auto text = head + std::string(max_request_body_bytes, 'x');
  const auto result = parse(text);
  REQUIRE(result.what == outcome::complete);
  CHECK(result.value.body.size() == max_request_body_bytes);
}
